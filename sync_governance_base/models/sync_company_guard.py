from odoo import api, models


class SyncCompanyGuard(models.AbstractModel):
    """Mixin for what belongs to a company or a system: nobody moves a record to where
    their own rights end.

    The ORM asks the rules before a write only, about the record as it was.
    """

    _name = "sync.company.guard"
    _description = "Stays within the Writer's Companies"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_system_readable()
        return records

    def write(self, vals):
        result = super().write(vals)
        if {"company_id", "system_id"} & vals.keys():
            self.check_access("write")
            self._check_system_readable()
        return result

    def _check_system_readable(self):
        if "system_id" in self._fields:
            self.system_id.check_access("read")
