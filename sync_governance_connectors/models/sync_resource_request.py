# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import models
from odoo.fields import Domain

from ..tools.masking import mask

_STATES = ["received", "validated", "applied", "quarantined", "refused", "duplicate"]


class SyncResourceRequest(models.AbstractModel):
    """A caller's own requests: how work that was accepted has ended."""

    _name = "sync.resource.request"
    _inherit = "sync.resource"
    _description = "Resource: requests"

    _resource_name = "requests"
    _resource_model = "sync.request"
    _resource_operations = frozenset({"list", "read"})

    def _schema(self, operation):
        text = {"type": ["string", "null"]}
        properties = {
            "external_id": {"type": "string"},
            "state": {"enum": _STATES},
            "method": text,
            "path": text,
            "created_at": {"type": "string", "format": "date-time"},
            "status": {"type": ["integer", "null"]},
            "result": {"type": ["object", "null"]},
        }
        return {
            "type": "object",
            "additionalProperties": False,
            "required": sorted(properties),
            "properties": properties,
        }

    def _example(self, operation):
        return {
            "external_id": "req_0f3a",
            "state": "applied",
            "method": "POST",
            "path": "/sync/v1/customers",
            "created_at": "2026-11-24T05:00:00Z",
            "status": 201,
            "result": {"external_id": "C-1"},
        }

    def _listed_model(self):
        # The request log is the suite's own; the domain confines it to the caller.
        return self.env["sync.request"].sudo()

    def _list_domain(self, call):
        return self._own_domain() & Domain("kind", "=", "api")

    def _own_domain(self):
        """Of the caller's service account: keys that replace each other share it.

        Other accounts of its system may have other scopes, or another company.
        """
        return Domain("credential_id.account_id.user_id", "=", self.env.uid)

    def _find(self, system, external_id):
        domain = self._own_domain() & Domain("ref", "=", external_id)
        return self._listed_model().search(domain), False

    def _to_canonical(self, records, system):
        return [self._body(request) for request in records]

    def _body(self, request):
        is_pending = request.state in ("received", "validated")
        kept = request.outcome_body or (None if is_pending else request.response_body)
        status = request.outcome_status or request.response_status
        return {
            "external_id": request.ref,
            "state": request.state,
            "method": request.method or None,
            "path": request.path or None,
            "created_at": request.create_date.isoformat(timespec="seconds") + "Z",
            "status": None if is_pending else status,
            "result": mask(json.loads(kept)) if kept else None,
        }
