# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A small resource, so that the gate is tested without any domain's business."""

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.sync_governance_connectors.tools.call import ResourceResult
from odoo.addons.sync_governance_connectors.tools.problem import Problem

MEMBERS = {
    "external_id": {"type": "string", "minLength": 1, "maxLength": 64},
    "name": {"type": "string", "minLength": 1, "maxLength": 64},
    "color": {"type": ["integer", "null"], "minimum": 0, "maximum": 11},
}


class FakeResource(models.AbstractModel):
    """Contact tags below ``/sync/v1/tags``."""

    _name = "sync.resource.fake"
    _inherit = "sync.resource"
    _description = "Resource of the gate's tests"
    _module = "sync_governance_connectors"

    _resource_name = "tags"
    _resource_model = "res.partner.category"
    _domain_code = "tag"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )

    def _schema(self, operation):
        schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": MEMBERS,
        }
        if operation == "create":
            schema["required"] = ["external_id", "name"]
        elif operation == "replace":
            schema["required"] = ["name"]
        elif operation in self._resource_transitions():
            schema["properties"] = {}
        return schema

    def _example(self, operation):
        body = {"external_id": "T-1", "name": "Gold", "color": 3}
        return {} if operation in self._resource_transitions() else body

    def _resource_transitions(self):
        return {"archive": "Archive the tag", "refuse": "Fail", "explode": "Crash"}

    def _tags(self):
        return self.env[self._resource_model].sudo()

    def _find(self, system, external_id):
        crosswalk, moved = (
            self.env["sync.crosswalk"]
            .sudo()
            ._resolve_moved(system, self._resource_model, external_id)
        )
        return self._tags().browse(crosswalk.res_id if crosswalk else ()), moved

    def _create(self, body, call):
        found, _moved = self._find(call.system, body["external_id"])
        if found:
            raise Problem(409, "exists", "This tag exists already.")
        if body["name"] == "explode":
            self._tags().create({"name": "left over"})
            raise RuntimeError("secret detail")
        tag = self._tags().create({"color": 0, **self._to_values(body)})
        self.env["sync.crosswalk"].sudo()._link(call.system, tag, body["external_id"])
        applied = {name: body[name] for name in body if name != "external_id"}
        return ResourceResult(tag, "created", applied=applied)

    def _update(self, record, body, call, partial):
        values = self._to_values(body)
        if not partial:
            values = {"color": 0, **values}
        record.write(values)
        return ResourceResult(record, "updated", applied=values)

    def _transition(self, record, name, body, call):
        if name == "refuse":
            raise UserError("Not on a Sunday.")  # pylint: disable=translation-required; a test
        if name == "explode":
            raise RuntimeError("secret detail")
        record.active = False
        return ResourceResult(record, "transitioned", applied={"active": False})

    def _to_values(self, body):
        return {
            name: body[name] or 0 if name == "color" else body[name]
            for name in ("name", "color")
            if name in body
        }

    def _to_canonical(self, records, system):
        rows = (
            self.env["sync.crosswalk"]
            .sudo()
            .search(
                [
                    ("system_id", "=", system.id),
                    ("res_model", "=", self._resource_model),
                    ("res_id", "in", records.ids),
                    ("state", "=", "active"),
                ]
            )
        )
        ids = {row.res_id: row.external_id for row in rows}
        return [
            {"external_id": ids.get(tag.id), "name": tag.name, "color": tag.color}
            for tag in records
        ]

    def _list_domain(self, call):
        rows = (
            self.env["sync.crosswalk"]
            .sudo()
            ._search(
                [
                    ("system_id", "=", call.system.id),
                    ("res_model", "=", self._resource_model),
                ]
            )
        )
        return Domain("id", "in", rows.subselect("res_id"))

    def _listed_model(self):
        return self._tags()
