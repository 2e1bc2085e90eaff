from odoo import api, models


class SyncWriteHook(models.AbstractModel):
    """Lets the outbox see the changes of the models that have event types."""

    _inherit = "sync.write.hook"

    @api.model
    def _sync_hooked_models(self):
        result = super()._sync_hooked_models()
        for model_name, specs in self.env["sync.event.type"]._specs().items():
            operations = {spec.operation for spec in specs}
            hooks = result.setdefault(model_name, set())
            if operations & {"create", "write", "archive"}:
                # Creation is watched for write events too:
                # they do not tell of new records.
                hooks |= {"create", "write"}
            if operations & {"write", "archive"}:
                hooks.add("flush")
            if "unlink" in operations:
                hooks.add("unlink")
        return result

    @api.model
    def _after_create(self, records, vals_list):
        super()._after_create(records, vals_list)
        self.env["sync.capture"]._capture_create(records)

    @api.model
    def _before_write(self, records, vals):
        vals = super()._before_write(records, vals)
        self.env["sync.capture"]._note_source(records)
        return vals

    @api.model
    def _before_unlink(self, records):
        records = super()._before_unlink(records)
        self.env["sync.capture"]._capture_unlink(records)
        return records

    @api.model
    def _before_flush(self, records, vals_list):
        super()._before_flush(records, vals_list)
        self.env["sync.capture"]._capture_flush(records, vals_list)
