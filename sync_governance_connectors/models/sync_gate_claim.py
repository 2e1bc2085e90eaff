# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models

from ..tools import headers, idempotency
from ..tools.idempotency import Claim
from ..tools.problem import Problem


class SyncGate(models.AbstractModel):
    """One effect for any number of calls with one key (see ``sync.idempotency``)."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _claim_key(self, passage):
        """Claim the call's key, or answer as the first call with it was answered.

        :raise Problem: 409 while a twin works on it, 422 for another payload
        """
        incoming = passage.incoming
        kind, _charset = headers.media_type(incoming.header("content-type"))
        passage.fingerprint = idempotency.fingerprint(
            incoming.method,
            incoming.path,
            incoming.query_string,
            kind,
            passage.raw,
        )
        key_hash = idempotency.key_hash(
            incoming.method, passage.route.template, passage.key
        )
        (outcome,) = self._claim(
            passage.caller.credential_id,
            [Claim(key_hash, passage.fingerprint, passage.ref)],
        )
        if isinstance(outcome, Problem):
            raise outcome
        if outcome:
            passage.replay_of = outcome.request_ref
            passage.headers["Idempotent-Replayed"] = "true"
            passage.answer = outcome.answer

    @api.model
    def _claim(self, credential_id, claims):
        """Claim idempotency keys for the current transaction.

        :param claims: ``Claim`` of each, of different keys
        :return: for each the ``Outcome`` of the first call with it, the ``Problem``
            that keeps it from being worked on, or None when the work is to be done now
        """
        if not claims:
            return []
        keys = self.env["sync.idempotency"]
        locked = keys._lock(credential_id, claims)
        with self._short_transaction() as short:
            keys = keys.with_env(short)
            known = keys._outcomes(credential_id, claims)
            outcomes = [
                idempotency.judge(claim, known.get(claim.key_hash), claim in locked)
                for claim in claims
            ]
            keys._claim(
                credential_id,
                [
                    claim
                    for claim, outcome in zip(claims, outcomes, strict=True)
                    if outcome is None
                ],
            )
        return outcomes
