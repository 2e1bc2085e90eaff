# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models

from ..tools import headers, idempotency
from ..tools.problem import Problem


class SyncGate(models.AbstractModel):
    """One effect for any number of calls with one key (see ``sync.idempotency``)."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _claim_key(self, passage):
        incoming = passage.incoming
        kind, _charset = headers.media_type(incoming.header("content-type"))
        passage.fingerprint = idempotency.fingerprint(
            incoming.method,
            incoming.path,
            incoming.query_string,
            kind,
            passage.raw,
        )
        answer, first_ref = self._claim(
            passage.caller.credential_id,
            idempotency.key_hash(incoming.method, passage.route.template, passage.key),
            passage.fingerprint,
            passage.ref,
        )
        if answer:
            passage.replay_of = first_ref
            passage.headers["Idempotent-Replayed"] = "true"
            passage.answer = answer

    @api.model
    def _claim(self, credential_id, key_hash, fingerprint, ref):
        """Claim an idempotency key for the current transaction.

        :return: ``(stored Answer, its request's reference)``, or ``(None, None)`` when
            the work is to be done now
        :raise Problem: 409 while a twin works on it, 422 for another payload
        """
        keys = self.env["sync.idempotency"]
        locked = keys._lock(credential_id, key_hash)
        with self._short_transaction() as short:
            keys = keys.with_env(short)
            stored = keys._recall(credential_id, key_hash, fingerprint)
            if stored:
                return stored
            if locked:
                keys._claim(credential_id, key_hash, fingerprint, ref)
                return None, None
        raise Problem(
            409,
            "idempotency_key_in_use",
            "The first call with this Idempotency-Key is still running.",
            headers={"Retry-After": "1"},
        )
