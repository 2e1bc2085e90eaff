# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models

from odoo.addons.sync_governance_base.tools.schema_diff import Direction

NUMBER = "1.0.0"


class SyncContract(models.Model):
    _inherit = "sync.contract"

    @api.model
    def _seed_resources(self):
        """Ships the first version of each contract of the API and its events.

        Codes: ``orders.write`` for the body that creates or replaces, ``orders.cancel``
        for that of a transition, ``order.confirmed`` for an event.
        """
        for name, model in self.env["sync.resource"]._model_names().items():
            resource = self.env[model]
            if resource._domain_code:
                self._seed_writes(name, resource)
        for event_type in self.env["sync.event.type"].search(
            [("model_id", "!=", False)]
        ):
            self._seed_event(event_type)

    def _seed_writes(self, name, resource):
        domain = self.env["sync.domain"].search([("code", "=", resource._domain_code)])
        transitions = resource._transition_members()
        operations = {one: one for one, members in transitions.items() if members}
        if "create" in resource._resource_operations:
            operations["write"] = "create"
        for suffix, operation in operations.items():
            self._seed(
                f"{name}.{suffix}",
                {
                    "name": f"{resource._description}: {suffix}",
                    "domain_id": domain.id,
                    "direction": Direction.CONSUMER.value,
                },
                NUMBER,
                resource._schema(operation),
            )

    def _seed_event(self, event_type):
        domain = self.env["sync.domain"]._of_model(event_type.model_name)
        if not domain:
            return
        self._seed(
            event_type.name,
            {
                "name": event_type.description or event_type.name,
                "domain_id": domain.id,
                "direction": Direction.PRODUCER.value,
                "event_name": event_type.name,
            },
            NUMBER,
            self.env[event_type.model_name]._sync_payload_schema(event_type),
        )
