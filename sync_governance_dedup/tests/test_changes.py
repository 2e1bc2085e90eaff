# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from concurrent.futures import Executor, Future
from unittest.mock import patch

from odoo.tests import tagged

from ..models import sync_duplicate_scan
from .common import DedupCase


class AtOnce(Executor):
    """Runs in the thread that submits."""

    def __init__(self, workers):
        self.workers = workers

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@tagged("post_install", "-at_install")
class TestChanges(DedupCase):
    """Scans of what has changed, and scans in slices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twins = cls.partners(
            "Quirin Zabelstein", "Walburga Unterhuber", phone="030 9018273"
        )
        cls.triplets = cls.partners(
            "Ottilie Krumbiegel",
            "Ottilie Krumbiegel",
            "Ottilie Krumbigel",
            email="ottilie@krumbiegel.example",
        )

    def scan(self, mode="changes", **values):
        # what the hook would have done: these tests are about what it did not see
        self.env.cr.precommit.data.clear()
        scan = self.env["sync.duplicate.scan"].create(
            {"rule_id": self.rule.id, "mode": mode, "state": "running", **values}
        )
        while scan.state == "running":
            scan._advance()
        return scan

    def members(self, record):
        return set(
            self.Group.search(
                [("member_ids.record_id", "=", record.id), ("state", "=", "suggested")]
            ).member_ids.mapped("record_id")
        )

    def test_the_first_one_compares_all(self):
        self.env["sync.duplicate.scan"].search([]).unlink()
        self.env["sync.duplicate.key"].search([]).unlink()
        scan = self.scan()
        self.assertEqual((scan.state, scan.mode), ("done", "full"))
        self.assertEqual(self.members(self.triplets[0]), set(self.triplets.ids))

    def test_only_what_changed_is_compared_however_it_changed(self):
        self.scan("full")
        self.assertFalse(self.members(self.twins[0]))
        self.env.cr.execute(
            "UPDATE res_partner SET name = 'Zabelstein Quirin' WHERE id = %s",
            [self.twins[1].id],
        )
        engine = type(self.env["sync.duplicate.engine"])
        with patch.object(
            engine, "_check", autospec=True, side_effect=engine._check
        ) as c:
            scan = self.scan()
        self.assertEqual(scan.mode, "changes")
        self.assertEqual([call.args[2] for call in c.mock_calls], [self.twins[1].ids])
        self.assertEqual(self.members(self.twins[0]), set(self.twins.ids))
        with patch.object(engine, "_check", autospec=True) as c:
            self.assertEqual(self.scan().state, "done")
        c.assert_not_called()

    def test_a_changed_record_joins_or_leaves_the_group_that_waits(self):
        self.scan("full")
        last = self.triplets[2]
        self.env.cr.execute(
            "UPDATE res_partner SET name = 'Zoltan Ferenczy', email = NULL"
            " WHERE id = %s",
            [last.id],
        )
        self.scan()
        self.assertEqual(self.members(self.triplets[0]), set(self.triplets[:2].ids))
        self.env.cr.execute(
            "UPDATE res_partner SET name = 'Ottilie Krumbiegel',"
            " email = 'ottilie@krumbiegel.example' WHERE id = %s",
            [last.id],
        )
        self.scan()
        self.assertEqual(self.members(last), set(self.triplets.ids))

    def test_what_has_gone_leaves_its_group(self):
        self.scan("full")
        self.env.cr.execute(
            "UPDATE res_partner SET active = FALSE WHERE id = ANY(%s)",
            [self.triplets[1:].ids],
        )
        self.scan()
        self.assertFalse(self.members(self.triplets[0]))

    def test_slices_find_what_one_pass_finds(self):
        """Each slice is committed on its own, as for a large base; and a scan that is
        killed between two of them goes on."""
        weights = self.scan("full").weights
        whole = self.members(self.triplets[0])
        self.Group.search([]).unlink()
        self.env["sync.duplicate.key"].search([]).unlink()
        sizes = {"KEYS_SLICE": 3, "PART": 7, "GROUP_SLICE": 1}
        # the cursors of a test are one: threads would read each other's rows
        sizes["ThreadPoolExecutor"] = AtOnce
        with (
            self.enter_registry_test_mode(),
            patch.multiple(sync_duplicate_scan, **sizes),
        ):
            scan = self.scan("full", weights=weights)
        self.assertEqual(scan.state, "done")
        self.assertGreater(scan.parts_done, 2)
        self.assertEqual(self.members(self.triplets[0]), whole)
        self.assertEqual(whole, set(self.triplets.ids))
