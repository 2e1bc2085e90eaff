# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import csv
import io

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.models import sync_reconciliation_run

from .common import ResourceCase

COLUMNS = ("external_id", "name", "email", "credit_limit")


class ReconciliationCase(ResourceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapping = cls.env["sync.mapping"].create(
            {
                "system_id": cls.shop.id,
                "event_type": "customers/export",
                "resource": "customers",
                "external_id_expression": "external_id",
                "line_ids": [
                    Command.create({"target": "name", "expression": "name"}),
                    Command.create({"target": "email", "expression": "email"}),
                    Command.create(
                        {
                            "target": "credit_limit",
                            "expression": "credit_limit",
                            "transform": "decimal",
                        }
                    ),
                ],
            }
        )
        cls.mapping.action_activate()
        cls.reconciliation = cls.env["sync.reconciliation"].create(
            {
                "name": "Customers of the shop",
                "system_id": cls.shop.id,
                "resource": "customers",
                "event_type": "customers/export",
                "scope": "[('ref', '=', 'reconciled')]",
                "line_ids": [
                    Command.create({"path": "name", "tolerance": "text"}),
                    Command.create({"path": "email"}),
                    Command.create({"path": "credit_limit", "tolerance": "numeric"}),
                ],
            }
        )

    def partner(self, external_id, **values):
        partner = self.env["res.partner"].create(
            {
                "name": f"Partner {external_id}",
                "email": f"{external_id.lower()}@example.com",
                "ref": "reconciled",
                **values,
            }
        )
        if external_id:
            self._link(self.shop, partner, external_id)
        return partner

    def row(self, external_id, **values):
        return {
            "external_id": external_id,
            "name": f"Partner {external_id}",
            "email": f"{external_id.lower()}@example.com",
            "credit_limit": "0.00",
            **values,
        }

    def document(self, rows):
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    def run_with(self, rows):
        """A whole run over a snapshot of those rows."""
        return self.run_with_document(self.document(rows))

    def run_with_document(self, document):
        attachment = self.env["ir.attachment"].create(
            {"name": "export.csv", "raw": document}
        )
        with trap_jobs() as trap:
            run = self.reconciliation._run(attachment)
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        return run

    def differences(self, **values):
        found = self.env["sync.reconciliation.difference"].search(
            [("reconciliation_id", "=", self.reconciliation.id)]
        )
        return found.filtered(
            lambda one: all(one[name] == value for name, value in values.items())
        )


@tagged("post_install", "-at_install")
class TestReconciliation(ReconciliationCase):
    def test_both_sides_agree(self):
        self.partner("R-1")
        self.partner("R-2", credit_limit=1500)
        run = self.run_with(
            [
                self.row("R-1", name="  PARTNER r-1 "),
                self.row("R-2", credit_limit="1500"),
            ]
        )
        self.assertEqual(run.state, "done")
        self.assertEqual(
            (run.their_count, run.our_count, run.equal_count, run.difference_count),
            (2, 2, 2, 0),
        )
        self.assertFalse(self.differences())
        self.assertFalse(self.env["sync.reconciliation.row"].search([]))

    def test_each_class_of_difference(self):
        self.partner("R-1")
        gone = self.partner("R-2")
        nameless = self.env["res.partner"].create(
            {"name": "Nobody's", "ref": "reconciled"}
        )
        run = self.run_with(
            [
                self.row("R-1", email="other@example.com", credit_limit="7"),
                self.row("R-9"),
            ]
        )
        self.assertEqual(
            (run.value_count, run.missing_here_count, run.missing_there_count),
            (2, 1, 2),
        )
        email = self.differences(member="email")
        self.assertEqual(email.their_value, "other@example.com")
        self.assertEqual(email.our_value, "r-1@example.com")
        limit = self.differences(member="credit_limit")
        self.assertEqual((limit.their_value, limit.our_value), ("7", "0.00"))
        missing = self.differences(kind="missing_here")
        self.assertEqual(missing.external_id, "R-9")
        there = self.differences(kind="missing_there")
        self.assertEqual(set(there.mapped("res_id")), {gone.id, nameless.id})

    def test_what_is_out_of_scope_is_no_news_but_says_so(self):
        self.partner("R-1", ref="other")
        run = self.run_with([self.row("R-1")])
        self.assertEqual(run.our_count, 0)
        difference = self.differences(kind="missing_here")
        self.assertIn("outside of what is compared", difference.note)

    def test_a_second_id_of_one_record_is_named(self):
        partner = self.partner("R-1")
        self._link(self.shop, partner, "R-1-OLD")
        self.run_with([self.row("R-1"), self.row("R-1-OLD")])
        difference = self.differences(kind="missing_here")
        self.assertEqual(difference.external_id, "R-1-OLD")
        self.assertIn("another id", difference.note)

    def test_unusable_rows_are_told_and_do_not_stop_the_rest(self):
        self.partner("R-1")
        document = (
            self.document([self.row("R-1"), self.row("R-1"), self.row("")])
            + b"too,short\r\n"
            + b"R-8,K\xf6ln,,1\r\n"
            + b"R-9,x,,lots\r\n"
        )
        run = self.run_with_document(document)
        self.assertEqual(run.state, "done")
        self.assertEqual(run.equal_count, 1)
        self.assertEqual(run.unreadable_count, 5)
        notes = " ".join(self.differences(kind="unreadable").mapped("note"))
        for reason in ("came before", "does not name", "2 cells", "charset", "lots"):
            self.assertIn(reason, notes)

    def test_a_document_of_another_kind_fails_with_a_reason(self):
        self.partner("R-1")
        page = b"<html><body>Please log in</body></html>"
        for kind in ("csv", "json"):
            self.reconciliation.document_format = kind
            run = self.run_with_document(page)
            self.assertEqual(run.state, "failed")
            self.assertIn(f"not {kind.upper()}", run.error)
        self.assertFalse(self.differences(), "nothing is missing in a login page")
        issue = self.env["sync.issue"].search([("kind", "=", "reconciliation")])
        self.assertIn("Customers of the shop", issue.title)

    def test_without_the_mapping_nothing_is_guessed(self):
        self.mapping.state = "superseded"
        run = self.run_with([self.row("R-1")])
        self.assertEqual(run.state, "failed")
        self.assertIn("customers/export", run.error)

    def test_many_slices_find_the_same(self):
        self.patch(sync_reconciliation_run, "SLICE", 3)
        self.patch(sync_reconciliation_run, "BATCH", 2)
        for number in range(8):
            self.partner(f"R-{number}")
        rows = [self.row(f"R-{number}") for number in range(2, 10)]
        rows[3]["email"] = "other@example.com"
        run = self.run_with(rows)
        self.assertEqual(
            (run.equal_count, run.value_count, run.missing_here_count),
            (5, 1, 2),
        )
        self.assertEqual(run.missing_there_count, 2)

    def test_pause_and_go_on_lose_nothing(self):
        self.patch(sync_reconciliation_run, "SLICE", 2)
        self.patch(sync_reconciliation_run, "BATCH", 1)
        for number in range(4):
            self.partner(f"R-{number}")
        attachment = self.env["ir.attachment"].create(
            {
                "name": "export.csv",
                "raw": self.document([self.row(f"R-{n}") for n in range(4)]),
            }
        )
        with trap_jobs() as trap:
            run = self.reconciliation._run(attachment)
            for _step in range(2):
                trap.perform_enqueued_jobs()
            run.action_pause()
            trap.perform_enqueued_jobs()
            self.assertEqual((run.state, run.their_count), ("paused", 2))
            run.action_resume()
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        self.assertEqual((run.state, run.their_count, run.equal_count), ("done", 4, 4))

    def test_a_cancelled_run_leaves_nothing_behind(self):
        with trap_jobs() as trap:
            run = self.reconciliation._run(
                self.env["ir.attachment"].create(
                    {"name": "x.csv", "raw": self.document([self.row("R-1")])}
                )
            )
            trap.perform_enqueued_jobs()
            with self.assertRaises(UserError):
                self.reconciliation._run()
            run.action_cancel()
            trap.perform_enqueued_jobs()
        self.assertEqual(run.state, "cancelled")
        self.assertFalse(self.env["sync.reconciliation.row"].search([]))

    def test_only_so_many_differences_are_kept(self):
        self.patch(sync_reconciliation_run, "MAX_KEPT", 3)
        run = self.run_with([self.row(f"R-{number}") for number in range(5)])
        self.assertEqual(run.missing_here_count, 5)
        self.assertEqual(len(self.differences()), 3)
        self.assertTrue(run.is_capped)


@tagged("post_install", "-at_install")
class TestDifference(ReconciliationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.steward = new_test_user(
            cls.env,
            "rec_steward",
            "base.group_user,sync_governance_base.group_sync_steward",
        )
        cls.viewer = new_test_user(
            cls.env,
            "rec_viewer",
            "base.group_user,sync_governance_base.group_sync_viewer",
        )

    def by_steward(self, difference):
        return difference.with_user(self.steward)

    def test_accepted_stays_accepted_until_a_side_changes(self):
        self.partner("R-1")
        rows = [self.row("R-1", email="other@example.com")]
        self.run_with(rows)
        self.by_steward(self.differences())._accept("They keep a private address.")
        self.run_with(rows)
        self.assertEqual(self.differences().state, "accepted")
        self.run_with([self.row("R-1", email="third@example.com")])
        self.assertEqual(self.differences().state, "open")

    def test_what_agrees_again_is_closed(self):
        self.partner("R-1")
        self.run_with([self.row("R-1", email="other@example.com")])
        issue = self.env["sync.issue"].search([("kind", "=", "reconciliation")])
        self.assertEqual(issue.state, "open")
        self.run_with([self.row("R-1")])
        self.assertEqual(self.differences().state, "resolved")
        self.assertEqual(issue.state, "resolved")

    def test_an_ignore_rule_counts_in_later_runs(self):
        self.run_with([self.row("TEST-1"), self.row("R-1")])
        self.by_steward(self.differences(external_id="TEST-1"))._ignore("Their tests.")
        self.reconciliation.ignore_ids.key_pattern = "TEST-*"
        run = self.run_with([self.row("TEST-1"), self.row("TEST-2"), self.row("R-1")])
        self.assertEqual((run.ignored_count, run.missing_here_count), (2, 1))

    def test_the_owners_value_comes_in(self):
        partner = self.partner("R-1")
        self._policy("res.partner", {"email": self.shop})
        self.run_with([self.row("R-1", email="new@example.com")])
        self.by_steward(self.differences()).action_resolve_by_policy()
        self.assertEqual(partner.email, "new@example.com")
        self.assertEqual(self.differences().state, "resolved")

    def test_where_another_owns_it_ours_is_sent(self):
        partner = self.partner("R-1")
        self._policy("res.partner", {"email": self.finance})
        self.run_with([self.row("R-1", email="new@example.com")])
        difference = self.by_steward(self.differences())
        with self.assertRaisesRegex(UserError, "subscribes to none"):
            difference.action_resolve_by_policy()
        self.env["sync.subscription"].create(
            {
                "name": "Shop",
                "system_id": self.shop.id,
                "url": "https://shop.example.com/hook",
                "patterns": "customer.*",
            }
        ).state = "active"
        difference.action_resolve_by_policy()
        self.env.flush_all()
        self.env.cr.precommit.run()
        event = self.env["sync.event"].search(
            [("name", "=", "customer.updated"), ("res_id", "=", partner.id)]
        )
        self.assertTrue(event)
        self.assertEqual(partner.email, "r-1@example.com")

    def test_taking_theirs_against_the_policy_says_why_not(self):
        self.partner("R-1")
        self._policy("res.partner", {"email": self.finance})
        self.run_with([self.row("R-1", email="new@example.com")])
        with self.assertRaisesRegex(UserError, "test_finance"):
            self.by_steward(self.differences()).action_take_theirs()

    def test_what_is_missing_here_is_created(self):
        self.run_with([self.row("R-9", credit_limit="12.50")])
        self.by_steward(self.differences()).action_take_theirs()
        crosswalk = self.env["sync.crosswalk"]._resolve(self.shop, "res.partner", "R-9")
        self.assertEqual(crosswalk.record.name, "Partner R-9")
        self.assertEqual(crosswalk.record.credit_limit, 12.5)

    def test_viewers_decide_nothing(self):
        self.run_with([self.row("R-9")])
        difference = self.differences().with_user(self.viewer)
        self.assertEqual(difference.external_id, "R-9")
        for action in ("action_take_theirs", "action_resolve_by_policy"):
            with self.assertRaises(AccessError):
                getattr(difference, action)()
        with self.assertRaises(AccessError):
            difference._accept("no")
        with self.assertRaises(AccessError):
            difference.write({"state": "accepted"})

    def test_viewers_see_that_it_differs_not_how(self):
        self.partner("R-1")
        self.run_with([self.row("R-1", email="theirs@example.com")])
        difference = self.differences(member="email")
        told = ["values", "their_value", "our_value", "note"]
        auditor = new_test_user(
            self.env,
            "rec_auditor",
            "base.group_user,sync_governance_base.group_sync_auditor",
        )
        for reader in (self.steward, auditor):
            [seen] = difference.with_user(reader).read(told)
            self.assertEqual(seen["their_value"], "theirs@example.com")
        seen = difference.with_user(self.viewer)
        self.assertEqual(seen.member, "email")
        for name in told:
            with self.assertRaises(AccessError):
                seen.read([name])
        view = self.env.ref(
            "sync_governance_connectors.sync_reconciliation_difference_view_list"
        )
        arch = seen.get_view(view.id, "list")["arch"]
        self.assertIn('name="member"', arch)
        self.assertNotIn('name="their_value"', arch)

    def test_another_companys_steward_sees_nothing(self):
        self.run_with([self.row("R-9")])
        other = self.env["res.company"].create({"name": "Other"})
        self.steward.write({"company_ids": [other.id], "company_id": other.id})
        self.assertFalse(
            self.env["sync.reconciliation.difference"]
            .with_user(self.steward)
            .search([])
        )
        with self.assertRaises(AccessError):
            self.by_steward(self.differences()).action_take_theirs()


@tagged("post_install", "-at_install")
class TestReconciliationSettings(ReconciliationCase):
    def test_scope_and_members_are_checked(self):
        for values in (
            {"scope": "[('nonsense', '=', 1)]"},
            {"scope": "[(("},
            {"charset": "klingon"},
            {"line_ids": [Command.create({"path": "lines"})]},
            {"document_format": "xml"},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.reconciliation.write(values)

    def test_everything_comparable_is_proposed(self):
        draft = self.env["sync.reconciliation"].new({"resource": "customers"})
        draft._onchange_resource()
        paths = draft.line_ids.mapped("path")
        self.assertIn("address.city", paths)
        self.assertNotIn("ref", paths)

    def test_nothing_repeats_without_a_source(self):
        self.reconciliation.write(
            {"interval": "day", "next_run_at": "2026-01-01 00:00:00"}
        )
        self.env["sync.reconciliation"]._cron_run()
        self.assertGreater(
            self.reconciliation.next_run_at, self.env.cr.now().replace(tzinfo=None)
        )
        self.assertFalse(self.reconciliation.run_ids)

    def test_stock_is_compared_by_product_and_warehouse(self):
        self.shop.reach = "company"
        code = self.warehouse.code
        stock = self.env["sync.reconciliation"].create(
            {
                "name": "Stock",
                "system_id": self.shop.id,
                "resource": "stock",
                "document_format": "jsonl",
                "scope": f"[('product_id', '=', {self.product.id})]",
                "line_ids": [
                    Command.create(
                        {"path": "on_hand", "tolerance": "numeric", "margin": 1}
                    )
                ],
            }
        )
        attachment = self.env["ir.attachment"].create(
            {
                "name": "stock.jsonl",
                "raw": b'{"external_id": "SKU-T1@%s", "on_hand": "101"}\n'
                % code.encode(),
            }
        )
        with trap_jobs() as trap:
            run = stock._run(attachment)
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        self.assertEqual((run.state, run.equal_count), ("done", 1), run.error)
