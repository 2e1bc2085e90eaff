"""A slice of the dispatcher's work: claim, send, acknowledge, for about half a minute.

The slice has a cursor of its own, used by its main thread only and committed after
every step; HTTP happens in threads, outside of any transaction. A subscription is a
lane, held by one dispatcher at a time through an advisory lock of the slice's session:
whatever kills the process also frees its lanes.
"""

import logging
import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from psycopg2 import Error
from psycopg2.errors import ForeignKeyViolation
from psycopg2.extensions import TransactionRollbackError

from odoo import SUPERUSER_ID, api

from ..tools import breaker
from ..tools.outcome import Attempt, Failure, Verdict
from .http_client import Deadlines
from .lane import Lane, Result
from .store import Store

_logger = logging.getLogger(__name__)

DURATION_S = 30.0
# How long an idle dispatcher waits for more, before the next wake-up costs a job.
LINGER_S = 1.0
TICK_S = 0.05
MAX_IN_FLIGHT = 128
MISCONFIGURED_PAUSE_S = 300.0
# How often results are stored anew when others were in the way.
ACKNOWLEDGE_TRIES = 5


class Slice:
    """One run of the dispatcher in this process."""

    def __init__(
        self,
        cr,
        duration: float = DURATION_S,
        linger: float = LINGER_S,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ):
        """:param cr: a cursor for this slice alone; it gets committed"""
        self._cursor = cr
        self._store = Store(cr)
        self._env = api.Environment(cr, SUPERUSER_ID, {})
        self._linger = linger
        self._monotonic = monotonic
        self._uniform = uniform
        self._until = monotonic() + duration
        self._claim_ref = uuid.uuid4().hex
        self._node = f"{socket.gethostname()}:{os.getpid()}"
        self._lanes: dict[int, Lane] = {}
        self._arrived: SimpleQueue = SimpleQueue()
        self._unacknowledged: list = []
        self._transitions: list = []
        self._in_flight = 0
        self._last_tick = float("-inf")
        self._last_work = monotonic()
        self._clock_offset = 0.0
        self.deadlines = Deadlines(monotonic)

    # -- the loop --------------------------------------------------------------------

    def run(self) -> float | None:
        """Work until nothing is due or the time is up.

        :return: seconds until a further slice is needed; None for not until woken
        """
        with self._awake(), ThreadPoolExecutor(MAX_IN_FLIGHT) as pool:
            try:
                self._tick()
                while self._is_on():
                    self._submit(pool)
                    self._collect(self._patience())
                    if self._monotonic() - self._last_tick >= TICK_S:
                        self._tick()
            finally:
                self._finish()
        # No longer "awake": whoever commits from now on wakes a job. Whoever committed
        # before, relying on us, is seen by this last look.
        return self._next_due()

    @contextmanager
    def _awake(self):
        self._store.wake()
        self._store.accept_clock()
        self._commit()
        try:
            yield
        finally:
            self._let_go()

    def _let_go(self):
        """Give up every lock: they belong to a session that goes back to a pool."""
        try:
            self._cursor.rollback()
            self._store.let_go()
            self._commit()
        except Error:
            # Whatever is left of the session ends here, and its locks with it.
            self._cursor.connection.close()
            raise

    def _is_on(self):
        now = self._monotonic()
        if self._in_flight or any(not lane.is_idle for lane in self._lanes.values()):
            self._last_work = now
        return now < self._until and now - self._last_work <= self._linger

    def _patience(self):
        if any(lane.ready for lane in self._lanes.values()):
            return TICK_S / 5
        return TICK_S

    def _finish(self):
        """Give back what was not sent, wait for what is under way, store everything."""
        # After an error the transaction takes no further statement.
        self._cursor.rollback()
        for lane in self._lanes.values():
            lane.release_waiting(0.0)
        while self._in_flight:
            self._collect(TICK_S)
            self._acknowledge()
        self._acknowledge()

    # -- claiming --------------------------------------------------------------------

    def _tick(self):
        """Acknowledge and give back, then claim.

        In this order: were a parcel given back before the failure of the one ahead of
        it is stored, it could be claimed again and overtake it.
        """
        self._last_tick = now = self._monotonic()
        self._acknowledge()
        rows = {row["id"]: row for row in self._store.lanes()}
        if rows:
            self._clock_offset = next(iter(rows.values()))["now"] - now
        self._drop_closed_lanes(rows)
        for row in rows.values():
            self._refresh(row)
        self._claim(rows)
        self._commit()

    def _drop_closed_lanes(self, rows):
        """Subscriptions that were paused, disabled or isolated while we worked."""
        for lane_id, lane in list(self._lanes.items()):
            if lane_id not in rows:
                lane.release_waiting(0.0)
                if not lane.in_flight:
                    self._flush_released(lane)
                    del self._lanes[lane_id]
                    self._store.leave_lane(lane_id)

    def _refresh(self, row):
        """Bring a lane in line with its subscription; take it if free and wanted."""
        lane = self._lanes.get(row["id"])
        if lane is None:
            is_held = self._now() < row["hold_until"]
            if is_held or not row["due"] or not self._store.enter_lane(row["id"]):
                return
            row |= self._store.health(row["id"]) or {}
        try:
            with self._cursor.savepoint(flush=False):
                if lane is None:
                    lane = Lane(self._config(row), breaker.State())
                elif lane.config.revision != row["revision"]:
                    lane.configure(self._config(row))
        except Error:
            raise
        except Exception as error:
            self._give_up_lane(row, error)
            return
        self._lanes[row["id"]] = lane
        if lane.breaker_revision != row["breaker_revision"]:
            # A new lane, or a person reset it.
            self._take_health(lane, row)

    def _give_up_lane(self, row, error):
        """Settings that do not work, such as a secret that cannot be decrypted."""
        _logger.exception("Subscription %s cannot be sent to", row["id"])
        self._env["sync.subscription"].browse(row["id"])._on_misconfigured(error)
        until = self._now() + MISCONFIGURED_PAUSE_S
        lane = self._lanes.get(row["id"])
        if lane:
            lane.suspend(until, row["revision"])
            return
        self._store.keep_health(row["id"], _health(row), until, row["breaker_revision"])
        self._store.leave_lane(row["id"])

    def _take_health(self, lane, row):
        lane.breaker_revision = row["breaker_revision"]
        lane.hold_until = row["hold_until"] or 0.0
        lane.health = _health(row)

    def _config(self, row):
        subscription = self._env["sync.subscription"].browse(row["id"])
        return subscription._lane_config(row["revision"], self.deadlines)

    def _claim(self, rows):
        now = self._now()
        limits = {
            lane_id: wanted
            for lane_id, lane in self._lanes.items()
            if lane_id in rows and rows[lane_id]["due"] and (wanted := lane.wanted(now))
        }
        if not limits or self._monotonic() >= self._until:
            return
        claimed = self._store.claim(limits, self._claim_ref)
        blocked = self._blocked(claimed)
        for row in claimed:
            lane = self._lanes[row["subscription_id"]]
            if row["id"] in blocked:
                delay = blocked[row["id"]]
                lane.released[row["id"]] = None if delay is None else max(delay, TICK_S)
                continue
            self._add(lane, row)
        for lane_id in limits:
            self._flush_released(self._lanes[lane_id])

    def _blocked(self, claimed):
        ordered = [
            row["id"]
            for row in claimed
            if self._lanes[row["subscription_id"]].config.ordered
        ]
        return self._store.blocked(ordered) if ordered else {}

    def _add(self, lane, row):
        deliveries = self._env["sync.delivery"]
        subscription = self._env["sync.subscription"].browse(lane.config.id)
        try:
            with self._cursor.savepoint(flush=False):
                parcel = deliveries._parcel(row, subscription, lane.config.ordered)
        except Error:
            raise
        except Exception as error:
            _logger.exception("No message can be made of delivery %s", row["id"])
            failed = Attempt(
                time.time(), 0.0, failure=Failure.PAYLOAD, error=repr(error)
            )
            parcel = deliveries._unmade_parcel(row)
            self._unacknowledged.append(Result(parcel, failed, Verdict.DEAD, "dead"))
            return
        lane.add(parcel)

    # -- sending ---------------------------------------------------------------------

    def _submit(self, pool):
        """Start what limits allow, one of each lane in turn."""
        now, monotonic = self._now(), self._monotonic()
        lanes = [lane for lane in self._lanes.values() if lane.ready]
        while lanes and self._in_flight < MAX_IN_FLIGHT:
            for lane in list(lanes):
                parcel = lane.next(now, monotonic)
                if parcel is None:
                    lanes.remove(lane)
                    continue
                self._in_flight += 1
                pool.submit(self._send, lane, parcel)

    def _send(self, lane, parcel):
        """In a thread: one attempt, whose end is always reported."""
        started = time.time()
        try:
            attempt = lane.config.sender(parcel)
        except Exception as error:
            _logger.exception("The transport of a subscription failed")
            attempt = Attempt(
                started, 0.0, failure=Failure.CONNECTION, error=repr(error)
            )
        self._arrived.put((lane, parcel, attempt))

    # -- results ---------------------------------------------------------------------

    def _collect(self, patience):
        self.deadlines.enforce()
        with suppress(Empty):
            item = self._arrived.get(timeout=patience)
            while True:
                self._settle(*item)
                item = self._arrived.get_nowait()

    def _settle(self, lane, parcel, attempt):
        self._in_flight -= 1
        result, transition = lane.settle(parcel, attempt, self._now(), self._uniform)
        self._unacknowledged.append(result)
        if transition:
            self._transitions.append((lane, transition, result))

    def _acknowledge(self):
        """Store results, what is given back, and health: one transaction.

        It is repeated when others were in the way, such as a person who discards
        deliveries or deletes a subscription: what was sent must not be forgotten.
        """
        for left in reversed(range(ACKNOWLEDGE_TRIES)):
            try:
                self._put_down()
                break
            except (TransactionRollbackError, ForeignKeyViolation):
                self._cursor.rollback()
                if not left:
                    raise
                self._forget_deleted()
        results, self._unacknowledged = self._unacknowledged, []
        for lane in self._lanes.values():
            lane.is_dirty, lane.released = False, {}
        if results:
            self._tell(results)

    def _put_down(self):
        if self._unacknowledged:
            self._store.acknowledge(self._unacknowledged, self._claim_ref, self._node)
            self._env["sync.delivery.metric"]._add(self._unacknowledged)
        for lane in self._lanes.values():
            if lane.released:
                self._store.release(lane.released, self._claim_ref)
            if lane.is_dirty:
                self._store.keep_health(
                    lane.config.id, lane.health, lane.hold_until, lane.breaker_revision
                )
        self._commit()

    def _forget_deleted(self):
        """Leave out results of deliveries that were deleted while they were sent."""
        ids = [result.parcel.delivery_id for result in self._unacknowledged]
        living = self._store.living(ids) if ids else set()
        self._unacknowledged = [
            result
            for result in self._unacknowledged
            if result.parcel.delivery_id in living
        ]

    def _flush_released(self, lane):
        if lane.released:
            self._store.release(lane.released, self._claim_ref)
            lane.released = {}

    def _tell(self, results):
        """Have people hear of outages and their end, dead letters, the gone.

        What was sent is stored by now, and stays so whatever happens here.
        """
        transitions, self._transitions = self._transitions, []
        try:
            subscriptions = self._env["sync.subscription"]
            for lane, transition, result in transitions:
                subscriptions.browse(lane.config.id)._on_breaker(transition, result)
            subscriptions._on_results(results)
            self._commit()
        except Exception:
            _logger.exception("Nobody was told of failed deliveries")
            self._cursor.rollback()

    # -- small helpers -----------------------------------------------------------------

    def _commit(self):
        """Claims are stored before anything is sent, results as soon as they come."""
        self._cursor.commit()  # pylint: disable=invalid-commit; many transactions a slice

    def _now(self):
        """Unix time by the database: nodes may disagree, and clocks may jump."""
        return self._monotonic() + self._clock_offset

    def _next_due(self):
        seconds = self._store.next_due()
        self._commit()
        return seconds


def _health(row):
    """The breaker's state as the database has it."""
    return breaker.State(
        status=breaker.Status(row["status"]),
        window=row["result_window"] or "",
        open_until=row["open_until"] or 0.0,
        trips=row["trips"] or 0,
        first_failure=row["first_failure"] or None,
    )
