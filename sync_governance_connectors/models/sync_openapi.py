# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import functools
import json

from odoo import api, models

from ..tools import openapi
from ..tools.openapi import ResourceDescription

BODY_OPERATIONS = ("create", "replace", "patch")
CONTRACT_VERSION = "1.0.0"


class SyncOpenapi(models.AbstractModel):
    """Describes the API from what its resources and event types say of themselves."""

    _name = "sync.openapi"
    _description = "Description of the API"

    @api.model
    def _openapi(self, server):
        """OpenAPI 3.1 document; ``server`` is the base address."""
        return openapi.document(
            self._resources(),
            self.env["sync.event.type"]._openapi_webhooks(),
            server,
            CONTRACT_VERSION,
            self._hook_paths(),
        )

    @api.model
    def _asyncapi(self, server):
        """AsyncAPI 3.1 document of the events that leave."""
        return self.env["sync.event.type"]._asyncapi(
            f"Polling: {server}/sync/v1/events."
        )

    def _resources(self):
        roles = self.env["sync.resource"]
        return [self._describe(roles._get(name)) for name in roles._model_names()]

    def _describe(self, resource):
        operations = resource._resource_operations
        named = [
            "read",
            *(name for name in BODY_OPERATIONS if name in operations),
            *(
                ("create",)
                if "bulk" in operations and "create" not in operations
                else ()
            ),
            *resource._resource_transitions(),
        ]
        return ResourceDescription(
            name=resource._resource_name,
            domain=resource._domain_code,
            operations=operations,
            transitions=resource._resource_transitions(),
            schemas={name: self._agreed_schema(resource, name) for name in named},
            examples={name: resource._example(name) for name in named},
            parameters=tuple(resource._query_parameters()),
            notes={
                "list": resource._list_note(),
                **{name: self._versions_note(resource, name) for name in named},
            },
        )

    def _agreed_schema(self, resource, operation):
        """What a body is held to by the version of its contract that is in force."""
        if operation == "read":
            return resource._schema(operation)
        gate = self.env["sync.gate"]
        in_force = next(iter(gate._contract_versions(resource, operation)), "")
        texts = gate._schema_texts(resource._name, operation, in_force)
        # The resource's own schema first: it has the members in their order.
        understood = resource._schema(operation)
        return functools.reduce(openapi.agree, map(json.loads, texts), understood)

    def _versions_note(self, resource, operation):
        """Which versions of the contract a body may follow, as a sentence."""
        versions = self.env["sync.gate"]._contract_versions(resource, operation)
        if not versions:
            return ""
        code = self.env["sync.contract"]._code_of(resource, operation)
        in_force, *old = versions.items()
        note = f" Contract `{code}` {in_force[0]}."
        for number, told in old:
            until = f" until {told['Sunset']}" if "Sunset" in told else ""
            note += f" A body by the deprecated {number} is taken{until}."
        return note

    def _hook_paths(self):
        """Path items of the ways in that are no resources."""
        return {
            "/hooks/{system_code}": openapi.hook_path(),
            "/health": openapi.health_path(),
        }
