# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from dataclasses import replace

from odoo.tests import tagged

from .common import EventCase

# A number that this cluster's transactions will not come to.
ELSEWHERE = 10**15


@tagged("post_install", "-at_install")
class TestEventFeed(EventCase):
    """The feed for those who poll, in a database that came from another cluster."""

    def setUp(self):
        super().setUp()
        self.env.cr.execute("DELETE FROM sync_event")
        self.feed = self.env["sync.resource.event"]
        self.written = 0

    def write_event(self, name):
        """Tell of a new customer, in a transaction of its own as far as it matters."""
        self.customer(name)
        self.env.cr.flush()
        self.written += 1
        self.env.cr.execute(
            "UPDATE sync_event SET commit_order = sync_event_order_base() + %s"
            " WHERE id > %s",
            [self.written, self.last],
        )
        self.commit()

    def move_to_another_cluster(self):
        """Dump and restore: what is there has numbers of transactions to come."""
        self.env.cr.execute(
            "UPDATE sync_event SET commit_order = commit_order + %s", [ELSEWHERE]
        )
        self.written = 0

    def poll(self, cursor=None):
        """As the warehouse does: ``(names of customers, the next cursor)``."""
        call = replace(self.call(self.wms), scopes=frozenset({"customer:read"}))
        events, cursor = self.feed._list(call, {"cursor": cursor} if cursor else {})
        return len(events), cursor

    def test_a_restore_neither_stalls_nor_skips(self):
        self.write_event("C-1")
        self.write_event("C-2")
        self.move_to_another_cluster()
        self.assertEqual(self.poll()[0], 0, "they wait for numbers that are far away")
        self.env["sync.event"]._register_hook()
        told, cursor = self.poll()
        self.assertEqual(told, 2)
        self.write_event("C-3")
        self.assertEqual(self.poll(cursor)[0], 1, "new events come after the cursor")
        self.assertEqual(self.poll()[0], 3)

    def test_twice_is_twice(self):
        for name in ("C-1", "C-2"):
            self.write_event(name)
            self.move_to_another_cluster()
            self.env["sync.event"]._go_on_after_restore()
        self.write_event("C-3")
        self.assertEqual(self.poll()[0], 3)

    def test_nothing_happens_where_nothing_was_restored(self):
        self.customer("C-1")
        self.env.cr.flush()
        self.env["sync.event"]._go_on_after_restore()
        self.env.cr.execute("SELECT sync_event_order_base()")
        self.assertEqual(self.env.cr.fetchone()[0], 0, "own events are no sign of it")

    def test_the_database_gives_the_order(self):
        self.customer("C-1")
        self.env.cr.flush()
        self.env.cr.execute(
            "SELECT commit_order - pg_current_xact_id()::text::bigint FROM sync_event"
        )
        self.assertEqual({row[0] for row in self.env.cr.fetchall()}, {0})
