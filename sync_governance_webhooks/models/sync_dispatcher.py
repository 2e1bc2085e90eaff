import logging
import time
from contextlib import closing
from datetime import timedelta
from functools import partial

from psycopg2 import DatabaseError, Error, InterfaceError, OperationalError
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo import SUPERUSER_ID, api, fields, models
from odoo.modules.registry import Registry
from odoo.sql_db import Cursor

from odoo.addons.queue_job.exception import RetryableJobError

from ..dispatcher.amqp_publisher import Publishers
from ..dispatcher.authorization import Tokens
from ..dispatcher.http_client import Pools
from ..dispatcher.slice import Slice
from ..dispatcher.store import Store

_logger = logging.getLogger(__name__)

WAKE = "sync_governance_webhooks.wake"
MAX_SLEEP_S = 24 * 3600
# How long a job waits for a database that went away; then the sweeper is to find it.
OUTAGE_S = 30

# Connections outlive the slices: a trickle of events keeps using the same ones.
pools = Pools()
tokens = Tokens()
publishers = Publishers()


def _is_passing(error):
    """Whether a database error is no fault of ours: connection lost, deadlock."""
    return (
        isinstance(error, (OperationalError, InterfaceError))
        # what psycopg2 raises when the server vanishes in the middle of a query
        or type(error) is DatabaseError
    )


class SyncDispatcher(models.AbstractModel):
    """Sends what is due. queue_job wakes, spreads and resumes it.

    A job is a slice of work over all lanes, not a delivery. Any number of jobs may run,
    on any number of nodes: each takes the lanes that are free, one too many finds none.
    """

    _name = "sync.dispatcher"
    _description = "Dispatcher"

    @api.model
    def _wake_after_commit(self, seconds=0.0):
        """Have the deliveries of this transaction sent once it is committed.

        :param float seconds: from now, until the first of them is due
        """
        cr = self.env.cr
        if WAKE in cr.cache:
            cr.cache[WAKE].append(seconds)
            return
        # A list to add to: the cache is emptied before the callbacks run.
        cr.cache[WAKE] = waits = [seconds]
        cr.postcommit.add(partial(self._wake, cr.dbname, waits))
        forget = partial(cr.cache.pop, WAKE, None)
        cr.postcommit.add(forget)
        cr.postrollback.add(forget)

    @classmethod
    def _wake(cls, dbname, waits):
        """Enqueue a job unless a dispatcher is awake or about to be.

        After the commit, hence without a race: a job that is still to start, or a
        dispatcher that has not yet had its last look, sees what was committed. Should
        the process die right here, the sweeper wakes the dispatcher within a minute.
        """
        try:
            cls._enqueue_if_asleep(dbname, min(waits))
        except Exception:
            _logger.exception("The dispatcher was not woken; the sweeper will do it")

    @staticmethod
    def _enqueue_if_asleep(dbname, seconds=0.0):
        with Registry(dbname).cursor() as cr:
            if Store(cr).is_nobody_awake():
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["sync.dispatcher"]._enqueue(min(seconds, MAX_SLEEP_S))

    @api.model
    def _enqueue(self, seconds=0.0):
        """Enqueue the next slice.

        Jobs for the same second are one: an identity key is no guarantee in queue_job,
        and needs to be none here.
        """
        eta, key = None, "sync_dispatch"
        if seconds:
            eta = fields.Datetime.now() + timedelta(seconds=int(seconds) + 1)
            key = f"sync_dispatch@{eta:%Y-%m-%dT%H:%M:%S}"
        self.with_delay(eta=eta, identity_key=key, priority=5)._run_slice()

    @api.model
    def _run_slice(self):
        """The job: send for about half a minute, then leave the rest to a successor."""
        try:
            seconds = self._dispatch()
        except Error as error:
            if not _is_passing(error):
                raise
            # What was claimed is free again. The job's own connection may be gone
            # too, and with it queue_job's means of trying again.
            self._enqueue_after_outage()
            raise RetryableJobError(str(error), seconds=5, ignore_retry=True) from error
        if seconds is not None:
            self._enqueue(min(seconds, MAX_SLEEP_S))

    @api.model
    def _enqueue_after_outage(self):
        """Wait for the database, and have a successor do the rest."""
        for _second in range(OUTAGE_S):
            try:
                self._enqueue_if_asleep(self.env.cr.dbname)
                return
            except Error:
                time.sleep(1)

    @api.model
    def _dispatch(self, **options):
        """Send what is due now, on a cursor of its own.

        :param options: for ``dispatcher.slice.Slice``
        :return: seconds until something is due again, or None
        """
        with closing(self.env.registry.cursor()) as cr:
            if isinstance(cr, Cursor):
                # Claims must see what others did since, not fail because they did.
                cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)
            return Slice(cr, **options).run()

    @api.model
    def _cron_sweep(self):
        """Safety net: wake the dispatcher for what is due; look after long outages."""
        self.env["sync.policy"]._time_strays()
        seconds = Store(self.env.cr).next_due()
        if seconds is not None and seconds < 60:
            self._enqueue(seconds)
        self.env["sync.subscription"]._review_outages()
