# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import caller, ratelimit

# Wrong secrets for one key from one address: ten at once, then one in ten seconds.
GUESSES = ratelimit.Limit(per_minute=6, burst=10)
# Failed calls of one address that are kept as requests; more are only refused.
FAILURES = ratelimit.Limit(per_minute=30, burst=60)
KEEP_ADDRESSES = timedelta(days=1)


class SyncRateCounter(models.Model):
    """What was used up: one row a credential, a system that sends webhooks, and an
    address that fails.

    Rows are written in short transactions of their own (``sync.gate``), so that a call
    that fails still counts and two calls never wait for each other's work.
    """

    _name = "sync.rate.counter"
    _description = "API Rate Counter"
    _log_access = False
    _rec_name = "bucket"

    bucket = fields.Char(required=True, readonly=True)
    tat = fields.Float("Next Even Call", readonly=True, help="Unix seconds.")
    day = fields.Char(readonly=True)
    day_count = fields.Integer("Calls Today", readonly=True)
    last_at = fields.Datetime("Last Call", readonly=True)
    last_ip = fields.Char("Last Address", readonly=True)

    _bucket_unique = models.Constraint("UNIQUE(bucket)", "One row a bucket.")

    @api.model
    def _bucket(self, kind, holder_id):
        """What is used of a plan, see ``caller.Allowance``."""
        return f"{kind}:{holder_id}"

    @api.model
    def _address_bucket(self, address, prefix=""):
        """Failures of an address, at all or at one key."""
        return f"address:{caller.origin(address)}:{prefix}"

    @api.model
    def _take(self, bucket, limit, now, address, cost=1):
        """Spend on a bucket, in the current (short) transaction.

        :param now: unix seconds
        :return: ``ratelimit.Verdict``
        """
        meter = self._lock_meter(bucket)
        verdict = ratelimit.take(limit, meter, now, cost)
        kept = verdict.meter
        self.env.cr.execute(
            SQL(
                """UPDATE sync_rate_counter
                      SET tat = %s, day = %s, day_count = %s, last_at = %s, last_ip = %s
                    WHERE bucket = %s""",
                kept.tat,
                kept.day,
                kept.day_count,
                datetime.fromtimestamp(now, timezone.utc).replace(tzinfo=None),
                address,
                bucket,
            )
        )
        return verdict

    @api.model
    def _lock_meter(self, bucket):
        locked = SQL(
            """SELECT tat, day, day_count FROM sync_rate_counter
                WHERE bucket = %s FOR NO KEY UPDATE""",
            bucket,
        )
        self.env.cr.execute(locked)
        row = self.env.cr.fetchone()
        if row is None:
            self.env.cr.execute(
                SQL(
                    """INSERT INTO sync_rate_counter (bucket, tat, day, day_count)
                       VALUES (%s, 0, '', 0) ON CONFLICT (bucket) DO NOTHING""",
                    bucket,
                )
            )
            self.env.cr.execute(locked)
            row = self.env.cr.fetchone()
        return ratelimit.Meter(*row)

    @api.autovacuum
    def _gc_addresses(self):
        """Forget addresses that have not failed for a day."""
        limit = fields.Datetime.now() - KEEP_ADDRESSES
        self.env.cr.execute(
            SQL(
                """DELETE FROM sync_rate_counter
                    WHERE starts_with(bucket, 'address:') AND last_at < %s""",
                limit,
            )
        )
