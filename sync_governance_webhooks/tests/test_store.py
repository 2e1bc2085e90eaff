import threading
import time
from contextlib import contextmanager
from unittest.mock import patch

from psycopg2 import DatabaseError, OperationalError
from psycopg2.errors import DeadlockDetected, DivisionByZero

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.sync_governance_webhooks.dispatcher.store import LOCK_SPACE, Store
from odoo.addons.sync_governance_webhooks.tools import breaker

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestStore(WebhookCase):
    """What the dispatcher does when others, or errors, are in its way."""

    def setUp(self):
        super().setUp()
        self.partners = self.env["res.partner"].create(
            [{"name": f"P{number}", "city": "Paris"} for number in range(3)]
        )
        self.commit()

    def change(self, city="Rome"):
        for partner in self.partners:
            partner.city = city
        self.commit()

    @contextmanager
    def interfering(self, method, disturb):
        """Run ``disturb(store)`` before the first call of a method of the store."""
        original, calls = getattr(Store, method), []

        def disturbed(store, *args):
            calls.append(args)
            if len(calls) == 1:
                disturb(store)
            # Opens the test cursor's savepoint, to which an error rolls back:
            # execute_values would not.
            store._cursor.execute("SELECT 1")
            return original(store, *args)

        with patch.object(Store, method, disturbed):
            yield calls

    def test_no_lock_is_left_after_an_error(self):
        """The session goes back to a pool; its locks would close the lanes for good."""
        self.subscribe()
        self.change()

        def fail(store):
            store._cursor.execute("SELECT 1 / 0")

        with (
            self.interfering("claim", fail),
            mute_logger("odoo.sql_db"),
            self.assertRaises(DivisionByZero),
        ):
            self.dispatch()
        rows = self.env.execute_query(
            SQL(
                "SELECT * FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
                " AND pid = pg_backend_pid()",
                LOCK_SPACE,
            )
        )
        self.assertFalse(rows)

    def test_a_job_outlasts_its_database(self):
        """It wakes a successor on a new connection, as soon as there is one."""
        dispatcher = type(self.env["sync.dispatcher"])
        answers = []

        def wake(dbname):
            if answer := answers.pop(0):
                raise answer

        for error, is_passing in (
            (DatabaseError("server closed the connection"), True),
            (DeadlockDetected("deadlock"), True),
            (DivisionByZero("our fault"), False),
        ):
            answers[:] = [OperationalError("starting up"), DatabaseError("gone"), None]
            with (
                self.subTest(error=error),
                patch.object(dispatcher, "_dispatch", side_effect=error),
                patch.object(dispatcher, "_enqueue_if_asleep", staticmethod(wake)),
                patch("time.sleep"),
                self.assertRaises(RetryableJobError if is_passing else DivisionByZero),
            ):
                self.env["sync.dispatcher"]._run_slice()
            self.assertEqual(len(answers), 0 if is_passing else 3)

    def test_results_survive_a_deadlock(self):
        subscription = self.subscribe()
        self.change()

        def be_the_victim(store):
            raise DeadlockDetected

        with self.interfering("acknowledge", be_the_victim) as calls:
            self.dispatch()
        self.assertGreaterEqual(len(calls), 2)
        deliveries = self.deliveries(subscription)
        self.assertEqual(set(deliveries.mapped("state")), {"delivered"})
        self.assertEqual(len(deliveries.attempt_ids), 3)
        self.assertEqual(len(self.receiver.messages), 3, "nothing was sent again")

    def test_results_of_others_survive_a_deletion(self):
        gone = self.subscribe(name="Gone")
        stays = self.subscribe(name="Stays")
        self.change()

        def delete(store):
            store._cursor.execute(
                SQL("DELETE FROM sync_subscription WHERE id = %s", gone.id)
            )
            store._cursor.commit()

        with (
            self.interfering("acknowledge", delete),
            mute_logger("odoo.sql_db"),
        ):
            self.dispatch()
        self.assertFalse(gone.exists())
        deliveries = self.deliveries(stays)
        self.assertEqual(deliveries.mapped("state"), ["delivered"] * 3)
        self.assertEqual(deliveries.mapped("attempt_count"), [1] * 3)

    def test_an_active_subscription_is_not_deleted(self):
        subscription = self.subscribe()
        with self.assertRaises(UserError):
            subscription.unlink()
        subscription.action_disable()
        subscription.unlink()
        self.assertFalse(subscription.exists())

    def test_paused_while_sending(self):
        """What is under way is finished, the rest goes back untried."""
        subscription = self.subscribe(max_concurrency=1)
        self.change()
        paused = threading.Event()

        def hold_the_second():
            if len(self.receiver.messages) == 2:
                paused.wait(timeout=30)

        def pause(store):
            store._cursor.execute(
                SQL(
                    "UPDATE sync_subscription SET state = 'paused' WHERE id = %s",
                    subscription.id,
                )
            )
            paused.set()

        with (
            patch.object(self.receiver, "on_post", hold_the_second),
            self.interfering("acknowledge", pause),
        ):
            self.dispatch()
        deliveries = self.deliveries(subscription)
        sent = deliveries.filtered("attempt_count")
        self.assertEqual(len(sent), 2)
        self.assertEqual(set(sent.mapped("state")), {"delivered"})
        self.assertEqual(set((deliveries - sent).mapped("state")), {"pending"})
        self.assertEqual(len(self.receiver.messages), len(sent))

    def test_a_deleted_route_does_not_break_the_writer(self):
        subscription = self.subscribe()
        self.env["sync.subscription"]._routes("testpartner.updated")
        self.env.cr.execute(
            SQL("DELETE FROM sync_subscription WHERE id = %s", subscription.id)
        )
        self.change()
        self.assertEqual(len(self.events(self.partners)), 3)

    def test_a_persons_reset_outranks_the_dispatcher(self):
        subscription = self.subscribe()
        row = subscription.breaker_ids.sudo()
        seen = row.write_date
        subscription.action_reset_breaker()
        self.commit()
        self.env.cr.execute(
            "UPDATE sync_breaker SET write_date = write_date + INTERVAL '1 ms'"
        )
        opened = breaker.State(status=breaker.Status.OPEN, open_until=time.time() + 60)
        Store(self.env.cr).keep_health(subscription.id, opened, 0.0, seen)
        self.env.invalidate_all()
        self.assertEqual(subscription.breaker_status, "closed")
        Store(self.env.cr).keep_health(subscription.id, opened, 0.0, row.write_date)
        self.env.invalidate_all()
        self.assertEqual(subscription.breaker_status, "open")

    def test_health_is_read_once_the_lane_is_taken(self):
        """Another dispatcher opened the circuit, and left, a moment ago."""
        subscription = self.subscribe()
        self.change()

        def leave(store):
            store._cursor.execute(
                "UPDATE sync_breaker SET status = 'open', trips = 1,"
                " open_until = extract(epoch FROM clock_timestamp()) + 60"
            )

        with self.interfering("enter_lane", leave):
            self.dispatch()
        self.assertFalse(self.receiver.messages)
        self.assertEqual(subscription.breaker_status, "open")
        self.assertEqual(
            set(self.deliveries(subscription).mapped("state")), {"pending"}
        )

    def test_claims_search_the_index_and_sort_nothing(self):
        subscription = self.subscribe()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")

        class Explaining:
            def execute(cursor, query):
                text = self.env.cr.mogrify(query).decode()
                self.env.cr.execute(f"EXPLAIN (COSTS OFF) {text}")
                cursor.plan = [line.strip() for (line,) in self.env.cr.fetchall()]

            def dictfetchall(cursor):
                return []

        cursor = Explaining()
        Store(cursor).claim({subscription.id: 100}, "ref")
        self.assertNotIn("Sort", " ".join(cursor.plan))
        at = next(
            index
            for index, line in enumerate(cursor.plan)
            if "using sync_delivery_due_idx" in line
        )
        self.assertIn("next_at <= ", cursor.plan[at + 1])
        self.assertTrue(cursor.plan[at + 1].startswith("Index Cond"))

    def test_a_clock_that_went_back_holds_nothing_up(self):
        subscription = self.subscribe()
        self.change()
        self.env.cr.execute(
            """
            UPDATE sync_event SET occurred_at = occurred_at + INTERVAL '1 hour';
            UPDATE sync_delivery SET next_at = next_at + INTERVAL '1 hour';
            UPDATE sync_breaker SET status = 'open', first_failure = 5e9,
                   open_until = extract(epoch FROM clock_timestamp()) + 3600,
                   hold_until = extract(epoch FROM clock_timestamp()) + 36000;
            """
        )
        Store(self.env.cr).accept_clock()
        self.env.invalidate_all()
        row, now = subscription.breaker_ids.sudo(), time.time()
        self.assertLessEqual(row.open_until, now + 901)
        self.assertLessEqual(row.hold_until, now + 6 * 3600 + 1)
        self.assertLessEqual(row.first_failure, now + 1)
        subscription.action_reset_breaker()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 3)
