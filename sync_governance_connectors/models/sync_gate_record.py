# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models

from ..tools import headers, masking


class SyncGate(models.AbstractModel):
    """The record of a call (``sync.request``)."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _keep(self, passage):
        """Keep the call, in the transaction of its effects. :return: its request"""
        return self.env["sync.request"]._insert_rows([self._request_values(passage)])

    def _request_values(self, passage):
        incoming, caller, route = passage.incoming, passage.caller, passage.route
        result, answer = passage.result, passage.answer
        return {
            "ref": passage.ref,
            "kind": "api",
            "state": passage.state,
            "system_id": caller.system_id if caller else passage.system_id,
            "credential_id": caller.credential_id if caller else None,
            "company_id": caller.company_id if caller else None,
            "sandbox": bool(caller and caller.sandbox),
            "method": incoming.method[:16],
            "route": route.template if route else None,
            "path": headers.printable(incoming.path),
            "resource": route.resource if route else None,
            "operation": (route.transition or route.operation) if route else None,
            "external_id": self._named_id(passage),
            "contract_version": passage.version or None,
            "idempotency_key": passage.key,
            "fingerprint": passage.fingerprint,
            "replay_of": passage.replay_of,
            "replayable": passage.replayable,
            "remote_addr": incoming.remote_addr,
            "x_request_id": headers.request_id(incoming.header("x-request-id")),
            "traceparent": headers.traceparent(incoming.header("traceparent")),
            "request_headers": headers.kept(incoming.headers),
            "request_body": self._kept_body(passage),
            "response_status": answer.status,
            "response_body": self._kept_answer(passage),
            "response_headers": None if passage.replay_of else dict(answer.headers),
            "error_code": passage.problem.code if passage.problem else None,
            "trace": passage.trace,
            "decisions": result.decisions if result else None,
            "duration_ms": passage.spent_ms,
            "res_model": result.record._name if result else None,
            "res_id": result.record.id if result else None,
        }

    def _named_id(self, passage):
        if passage.route and passage.route.external_id:
            return headers.printable(passage.route.external_id)
        body = passage.body if isinstance(passage.body, dict) else {}
        named = body.get("external_id")
        return headers.printable(named) if isinstance(named, str) else None

    def _kept_body(self, passage):
        """The body as sent once it is valid; before that only what may be shown."""
        if passage.replay_of or not passage.raw:
            return None
        text = passage.raw.decode("utf-8", "replace").replace("\0", "")
        return masking.mask_text(text) if passage.problem else text

    def _kept_answer(self, passage):
        if passage.replay_of or passage.hide_answer:
            return None
        return passage.answer.body.decode()
