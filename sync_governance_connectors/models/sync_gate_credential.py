# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.tools import SQL

from ..tools import ratelimit, token
from ..tools.caller import INVALID_TOKEN, Caller, check_usable
from ..tools.problem import Problem
from .sync_rate_counter import FAILURES, GUESSES


class SyncGate(models.AbstractModel):
    """Who calls: keys, access tokens, and guesses at them."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _authenticate(self, passage, bearer):
        """The caller behind a key or access token.

        An unknown prefix and a wrong secret take the same query of the same work, the
        same comparison and the same answer.
        """
        address = passage.incoming.remote_addr
        prefix = bearer.prefix if bearer else ""
        row, failures = self._load_credential(prefix, address)
        passage.system_id = row["system_id"] if row["known"] else None
        meter = ratelimit.Meter(tat=failures or 0.0)
        if prefix and not ratelimit.take(GUESSES, meter, passage.unix_now).allowed:
            passage.keep = False  # a flood shall not fill the requests screen
            raise self._too_many_guesses(meter, passage.unix_now)
        scopes = self._proven_scopes(bearer, row, passage.unix_now)
        if scopes is None:
            passage.guessed, passage.guessed_before = prefix, failures is not None
            raise Problem(
                401,
                "credential_invalid",
                "Send a valid key: Authorization: Bearer sgk_<prefix>_<secret>.",
                headers=INVALID_TOKEN,
            )
        check_usable(row, address, passage.now)
        return Caller.of_row(row, scopes)

    def _load_credential(self, prefix, address):
        """``(row, tat of the guesses at this prefix)``, in one query.

        For an unknown prefix another credential is read, so that it takes as long: its
        row is not ``known``, and opens nothing.
        """
        self.env.cr.execute(
            SQL(
                """SELECT c.prefix = asked.prefix AS known,
                          c.id AS credential_id, c.secret_hash, c.state, c.expires_at,
                          c.allowed_networks, c.sandbox, a.user_id, a.company_id,
                          a.active AND u.active AS active, s.id AS system_id,
                          s.code AS system_code, s.state AS system_state,
                          p.code AS plan, p.per_minute, p.burst, p.per_day,
                          p.concurrency, p.max_body_kb,
                          (SELECT jsonb_object_agg(d.code || ':' || cs.operation,
                                                   cs.last_used_on)
                             FROM sync_credential_scope cs
                             JOIN sync_domain d ON d.id = cs.domain_id
                            WHERE cs.credential_id = c.id) AS scopes,
                          f.tat AS failures
                     FROM (VALUES (%s, %s)) AS asked (prefix, bucket)
                     LEFT JOIN sync_rate_counter f ON f.bucket = asked.bucket
                     LEFT JOIN (sync_credential c
                           JOIN sync_service_account a ON a.id = c.account_id
                           JOIN res_users u ON u.id = a.user_id
                           JOIN sync_system s ON s.id = a.system_id
                           JOIN sync_plan p ON p.id = c.plan_id)
                       ON c.id = COALESCE(
                              (SELECT id FROM sync_credential
                                WHERE prefix = asked.prefix),
                              (SELECT min(id) FROM sync_credential))""",
                prefix,
                self.env["sync.rate.counter"]._address_bucket(address, prefix),
            )
        )
        row = self.env.cr.dictfetchone()
        return row, row["failures"]

    def _proven_scopes(self, bearer, row, now):
        """Scopes the bearer has proven, or None; constant time in the secret."""
        stored, granted = row["secret_hash"], row["scopes"] or {}
        if bearer is None or bearer.kind == token.KEY_TAG:
            proven = token.matches(bearer.secret if bearer else "", stored)
            return granted if proven and row["known"] else None
        claims = token.unseal(bearer, stored, int(now))
        if claims is None or not row["known"]:
            return None
        return {name: day for name, day in granted.items() if name in claims.scopes}

    def _count_stranger(self, passage):
        """One more refusal of an address before anybody was known.

        Guesses at one key from one address are slowed, right ones included; other keys
        from that address (partners behind one proxy) are not in the way. What an
        address sends beyond a measure is refused and leaves nothing behind, neither a
        request nor a counter of one more made-up prefix.
        """
        address, prefix = passage.incoming.remote_addr, passage.guessed
        counters, guess = self.env["sync.rate.counter"], None
        with self._short_transaction() as short:
            take = counters.with_env(short)._take
            now = passage.unix_now
            flood = take(counters._address_bucket(address), FAILURES, now, address)
            if prefix and (flood.allowed or passage.guessed_before):
                bucket = counters._address_bucket(address, prefix)
                guess = take(bucket, GUESSES, now, address)
        passage.keep = flood.allowed
        if guess and not guess.remaining:
            self._tell_guessing(prefix, address)

    def _tell_guessing(self, prefix, address):
        self.env["sync.issue"]._raise(
            f"credential-guessing:{address}:{prefix}",
            self.env._("Somebody at %(address)s guesses at a key", address=address),
            "security",
            detail=self.env._(
                "Prefix %(prefix)s. It is slowed down to a try in ten seconds.",
                prefix=prefix,
            ),
        )

    def _too_many_guesses(self, meter, now):
        wait = ratelimit.take(GUESSES, meter, now).retry_after
        return Problem(
            429,
            "abnormal_usage_detected",
            "Too many wrong secrets came for this key.",
            headers={"Retry-After": str(wait)},
        )
