# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class Base(models.AbstractModel):
    _inherit = "base"

    def _sync_payload(self, event_type):
        """The canonical body of a record that the API serves, as in its answers."""
        if self.env["sync.resource.table"]._of_model(self._name) is None:
            return super()._sync_payload(event_type)
        self.ensure_one()
        return self._sync_payloads(event_type)[0]

    def _sync_payloads(self, event_type):
        resource = self.env["sync.resource.table"]._of_model(self._name)
        if resource is None:
            return super()._sync_payloads(event_type)
        return resource._to_canonical(self, None)

    def _sync_payload_schema(self, event_type):
        resource = self.env["sync.resource.table"]._of_model(self._name)
        if resource is None:
            return super()._sync_payload_schema(event_type)
        return resource._event_schema(event_type)

    def _sync_payload_example(self, event_type):
        resource = self.env["sync.resource.table"]._of_model(self._name)
        if resource is None:
            return super()._sync_payload_example(event_type)
        return resource._event_example(event_type)
