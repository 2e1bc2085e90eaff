# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class SyncRequest(models.Model):
    """Messages of systems under trial are marked like the calls of their test keys, and
    say what they were about, so that they prove a scenario.
    """

    _inherit = "sync.request"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _hook_values(self, system, incoming):
        values = super()._hook_values(system, incoming)
        return {**values, "sandbox": system.environment == "sandbox"}

    def _applied(self, result):
        super()._applied(result)
        if not self:
            return
        resource = self.env["sync.resource.table"]._of_model(result.record._name)
        self.write(
            {
                "sandbox": self.system_id.environment == "sandbox",
                "resource": resource._resource_name if resource is not None else False,
                "operation": self._operation_done(result),
                "external_id": self.external_id or self._named_by_system(result.record),
            }
        )

    def _operation_done(self, result):
        """As a call of the API would have named it."""
        if result.status != "transitioned":
            return "create" if result.status == "created" else "patch"
        mapping = self.env["sync.mapping"]._of(self.system_id, self.event_type)
        catalogue = self.env["sync.resource.table"]._hook_catalogue()
        return mapping.operation or catalogue.get(self.event_type, ("", ""))[1]

    def _named_by_system(self, record):
        row = self.env["sync.crosswalk"].sudo()._active_rows(self.system_id, record)
        return row[:1].external_id
