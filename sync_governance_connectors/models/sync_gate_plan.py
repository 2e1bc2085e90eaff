# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import random

from odoo import api, models
from odoo.tools import SQL

from ..tools import headers
from ..tools.problem import Problem

# Advisory locks of calls at the same time live in number spaces of their own.
SLOT_SPACES = {"credential": 0x53594E43 << 32, "hooks": 0x53594E48 << 32}  # "SYNC", "H"
MAX_SLOTS = 4096


class SyncGate(models.AbstractModel):
    """How much a caller may ask for."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _charge(self, allowance, address, now):
        """Count a call against a plan, in a short transaction.

        :param allowance: ``caller.Allowance``
        :param now: unix seconds
        :return: headers that tell what is left
        :raise Problem: 429, with these headers
        """
        counters = self.env["sync.rate.counter"]
        with self._short_transaction() as short:
            verdict = counters.with_env(short)._take(
                counters._bucket(allowance.kind, allowance.holder_id),
                allowance.limit,
                now,
                address,
            )
        told = headers.rate_limit(allowance.plan, allowance.limit, verdict)
        if not verdict.allowed:
            raise self._quota_exceeded(allowance, verdict, told)
        return told

    def _note_scope_use(self, passage):
        """Note, once a day, that the key needs the scope."""
        caller, scope = passage.caller, passage.needed_scope
        today = passage.now.date().isoformat()
        if not scope or caller.scopes[scope] == today:
            return
        with self._short_transaction() as short:
            self.with_env(short)._mark_scope_used(caller.credential_id, scope, today)

    def _mark_scope_used(self, credential_id, scope, today):
        code, _colon, operation = scope.partition(":")
        self.env.cr.execute(
            SQL(
                """UPDATE sync_credential_scope cs SET last_used_on = %s
                     FROM sync_domain d
                    WHERE d.id = cs.domain_id AND d.code = %s
                      AND cs.operation = %s AND cs.credential_id = %s""",
                today,
                code,
                operation,
                credential_id,
            )
        )

    def _quota_exceeded(self, allowance, verdict, told):
        daily = "" if verdict.violated == "rate" else "-daily"
        return Problem(
            429,
            "quota_exceeded",
            f"Your plan allows no further call for {verdict.retry_after} seconds.",
            headers={**told, "Retry-After": str(verdict.retry_after)},
            **{"violated-policies": [f"{allowance.plan}{daily}"]},
        )

    @api.model
    def _take_slot(self, allowance):
        """One of the plan's slots until this transaction ends.

        Slots are advisory locks: a killed worker gives its slot back by itself.

        :raise Problem: 429
        """
        if not allowance.concurrency:
            return
        slots = min(allowance.concurrency, MAX_SLOTS)
        # One statement however many are taken; it ends at the first one that is free.
        self.env.cr.execute(
            SQL(
                """SELECT 1 FROM generate_series(1, %(slots)s) AS tried
                    WHERE pg_try_advisory_xact_lock(
                              %(base)s + (%(first)s + tried) %% %(slots)s)
                    LIMIT 1""",
                slots=slots,
                base=SLOT_SPACES[allowance.kind] + allowance.holder_id * MAX_SLOTS,
                first=random.randrange(slots),
            )
        )
        if self.env.cr.fetchone():
            return
        raise Problem(
            429,
            "abnormal_usage_detected",
            f"Your plan allows {allowance.concurrency} calls at the same time.",
            headers={"Retry-After": "1"},
            **{"violated-policies": [f"{allowance.plan}-concurrency"]},
        )
