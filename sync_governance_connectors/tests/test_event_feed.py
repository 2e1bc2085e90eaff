# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from dataclasses import replace

from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.cursor import decode_pair

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

    def page(self, system, cursor=None, **query):
        """``(events, the next cursor)`` as a system gets them."""
        call = replace(self.call(system), scopes=frozenset({"customer:read"}))
        return self.feed._list(call, {"cursor": cursor, **query} if cursor else query)

    def poll(self, cursor=None):
        """As the warehouse does: ``(number of events, the next cursor)``."""
        events, cursor = self.page(self.wms, cursor)
        return len(events), cursor

    def test_what_is_somebody_elses_is_looked_through_once(self):
        crm = self._system("test_crm", "crm")  # its own records alone
        for name in ("C-1", "C-2"):
            self.write_event(name)
        events, cursor = self.page(crm)
        self.assertEqual(events, [])
        self.env.cr.execute(
            "SELECT commit_order, id FROM sync_event ORDER BY 1 DESC, 2"
        )
        self.assertEqual(decode_pair(cursor), self.env.cr.fetchone())
        self.assertEqual(self.page(crm, cursor), ([], cursor))
        self.write_event("C-3")
        known = self.env["sync.crosswalk"]._resolve(self.shop, "res.partner", "C-3")
        self._link(crm, known.record, "ours")
        events, _cursor = self.page(crm, cursor)
        self.assertEqual([one["data"]["external_id"] for one in events], ["ours"])

    def test_a_cursor_is_a_place_among_all_events(self):
        """Hence one for each set of types, as the description says."""
        self.write_event("C-1")
        events, cursor = self.page(self.wms, types="order.*")
        self.assertEqual(events, [])
        self.assertEqual(self.page(self.wms, cursor, types="customer.*")[0], [])
        events, _own = self.page(self.wms, types="customer.*")
        self.assertEqual(len(events), 1)

    def test_a_page_costs_as_many_statements_as_an_event(self):
        costs = []
        for first, last in ((0, 1), (1, 20)):
            for number in range(first, last):
                self.write_event(f"C-{number}")
                known = self.env["sync.crosswalk"]._resolve(
                    self.shop, "res.partner", f"C-{number}"
                )
                self._link(self.wms, known.record, f"W-{number}")
            self.env.flush_all()
            self.page(self.wms)
            before = self.env.cr.sql_log_count
            events, _cursor = self.page(self.wms)
            costs.append(self.env.cr.sql_log_count - before)
            self.assertEqual(
                [one["data"]["external_id"] for one in events],
                [f"W-{number}" for number in range(last)],
            )
        self.assertEqual(costs[0], costs[1])

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
