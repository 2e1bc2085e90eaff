# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import idempotency
from ..tools.call import Answer
from ..tools.idempotency import Outcome

KEEP = timedelta(days=7)
VACUUM_BATCH = 10_000


class SyncIdempotency(models.Model):
    """Which request a key stands for.

    Three facts make one effect out of any number of twins:

    * the *lock*: the request that works on a key holds an advisory lock on its main
      transaction. PostgreSQL releases it with the transaction, also when the worker
      is killed. A twin that does not get it, while nothing came of the key, is a 409;
    * the *claim*: this row, committed at once on a short transaction of its own.
      It says which request (``request_ref``) works on the key, and with which payload;
    * the *outcome*: the ``sync.request`` with that reference, inserted by the
      main transaction. Effects and stored response therefore commit together.

    A claim whose request is not there, while the lock is free, belongs to a call that
    left nothing behind (refused, rolled back or crashed): the next one takes it over.
    """

    _name = "sync.idempotency"
    _description = "Idempotency Key"
    _log_access = False

    credential_id = fields.Many2one(
        "sync.credential", required=True, readonly=True, ondelete="cascade"
    )
    key_hash = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(required=True, readonly=True)
    request_ref = fields.Char(required=True, readonly=True)
    expires_at = fields.Datetime(required=True, readonly=True, index=True)

    _key_unique = models.Constraint(
        "UNIQUE(credential_id, key_hash)", "A key stands for one request."
    )

    @api.model
    def _lock(self, credential_id, claims):
        """Become the only one who works on keys, until this transaction ends.

        :return: the claims that were free
        """
        numbers = {
            idempotency.lock_id(credential_id, claim.key_hash): claim
            for claim in claims
        }
        rows = self.env.execute_query(
            SQL(
                """SELECT number FROM unnest(%s::bigint[]) AS number
                    WHERE pg_try_advisory_xact_lock(number)""",
                list(numbers),
            )
        )
        return {numbers[number] for (number,) in rows}

    @api.model
    def _outcomes(self, credential_id, claims):
        """What came of keys before: ``{key hash: Outcome}`` of finished requests.

        Runs in a short transaction of its own: its snapshot is younger
        than the lock, so it sees whatever the holder before committed.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT i.key_hash, i.fingerprint, i.request_ref, r.response_status,
                          r.response_body, r.response_headers
                     FROM sync_idempotency i
                     JOIN sync_request r ON r.ref = i.request_ref
                    WHERE i.credential_id = %s AND i.key_hash = ANY(%s)
                      AND i.expires_at > clock_timestamp() AT TIME ZONE 'UTC'
                      AND r.replayable""",
                credential_id,
                [claim.key_hash for claim in claims],
            )
        )
        return {
            key_hash: Outcome(
                fingerprint,
                request_ref,
                Answer(status, (body or "").encode(), headers or {}),
            )
            for key_hash, fingerprint, request_ref, status, body, headers in rows
        }

    @api.model
    def _claim(self, credential_id, claims):
        """Claim keys whose locks are held and that nothing came of yet.

        Runs in a short transaction of its own, so that the claims are there at once.
        """
        if not claims:
            return
        self.env.cr.execute(
            SQL(
                """INSERT INTO sync_idempotency
                          (credential_id, key_hash, fingerprint, request_ref,
                           expires_at)
                   SELECT %s, claimed.*, clock_timestamp() AT TIME ZONE 'UTC' + %s
                     FROM unnest(%s, %s, %s) AS claimed
                   ON CONFLICT (credential_id, key_hash) DO UPDATE
                      SET fingerprint = EXCLUDED.fingerprint,
                          request_ref = EXCLUDED.request_ref,
                          expires_at = EXCLUDED.expires_at""",
                credential_id,
                KEEP,
                [claim.key_hash for claim in claims],
                [claim.fingerprint for claim in claims],
                [claim.request_ref for claim in claims],
            )
        )

    @api.autovacuum
    def _gc_expired(self):
        """Forget expired keys, a batch at a time."""
        self.env.cr.execute(
            SQL(
                """DELETE FROM sync_idempotency WHERE id IN (
                       SELECT id FROM sync_idempotency WHERE expires_at < %s LIMIT %s
                          FOR UPDATE SKIP LOCKED)""",
                fields.Datetime.now(),
                VACUUM_BATCH,
            )
        )
        done = self.env.cr.rowcount
        return done, int(done == VACUUM_BATCH)
