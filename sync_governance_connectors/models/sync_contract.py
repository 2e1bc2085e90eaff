# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from datetime import datetime, time

from odoo import api, models, tools

from odoo.addons.sync_governance_base.tools.schema_diff import Direction

from ..tools import headers

NUMBER = "1.0.0"
# Operations that share a contract; a merge patch has none, it is no whole body.
CONTRACT_OF = {"create": "write", "replace": "write", "bulk": "write", "patch": None}


class SyncContract(models.Model):
    _inherit = "sync.contract"

    @api.model
    def _code_of(self, resource, operation):
        """Code of the contract about the body of a resource's operation, or None."""
        suffix = CONTRACT_OF.get(operation, operation)
        return suffix and f"{resource._resource_name}.{suffix}"

    @api.model
    @tools.ormcache("code")
    def _versions_valid(self, code):
        """``{number: headers that tell the caller}`` of the version in force, then of
        those that are valid until their sunset. Do not change it.
        """
        active = self._versions_of(code, ("state", "=", "active"))
        if not active:
            return {}
        valid, since = {active.number: {}}, active.activated_at
        for version in self._versions_of(code, ("state", "=", "deprecated")):
            told = {"Deprecation": headers.deprecation(since)} if since else {}
            if version.sunset_date:
                end = datetime.combine(version.sunset_date, time.min)
                told["Sunset"] = headers.http_date(end)
            valid[version.number] = told
        return valid

    @api.model
    def _schema_of(self, code, number):
        """JSON Schema of a version of a contract, also of one that is out of force:
        a call that was accepted under it is done under it.
        """
        version = self._versions_of(code, ("number", "=", number))
        return json.loads(version.schema_text or "{}")

    def _versions_of(self, code, condition):
        # sudo: what a contract asks for holds for callers who may not read it
        versions = self.env["sync.contract.version"].sudo()
        return versions.search([("contract_id.code", "=", code), condition])

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
