# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ..tools.types import Candidate
from .common import DedupCase


@tagged("post_install", "-at_install")
class TestRights(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.viewer = new_test_user(
            cls.env,
            login="dedup_viewer",
            groups="base.group_user,sync_governance_base.group_sync_viewer",
        )

    def test_steward_sees_no_group_of_another_company(self):
        records = self.partners("A", "B", company_id=self.company.id)
        group = self.as_steward(self.group_of(records))
        self.assertFalse(self.as_steward(self.Group).search([("id", "=", group.id)]))
        Workbench = self.env["sync.duplicate.workbench"].with_user(self.steward)
        with self.assertRaises(AccessError):
            Workbench.get_group(group.id)
        for decide in (
            group.action_merge,
            group.action_not_duplicate,
            group.action_defer,
        ):
            with self.assertRaises(AccessError):
                decide()
        self.assertEqual(len(records.exists()), 2)

    def test_one_foreign_member_hides_the_group(self):
        mine = self.partners("A")
        theirs = self.partners("B", company_id=self.company.id)
        group = self.group_of(mine | theirs)
        self.assertFalse(self.as_steward(self.Group).search([("id", "=", group.id)]))
        evidence = self.as_steward(self.env["sync.duplicate.evidence"])
        self.assertFalse(evidence.search([("group_id", "=", group.id)]))

    def test_steward_of_both_companies_sees_it(self):
        self.steward.company_ids |= self.company
        group = self.group_of(self.partners("A", "B", company_id=self.company.id))
        both = self.as_steward(self.Group).with_context(
            allowed_company_ids=(self.steward.company_id | self.company).ids
        )
        self.assertTrue(both.search([("id", "=", group.id)]))

    def test_viewer_looks_but_does_not_decide(self):
        group = self.group_of(self.partners("A", "B")).with_user(self.viewer)
        self.assertEqual(group.state, "suggested")
        self.assertFalse(group.can_decide)
        for decide in (
            group.action_merge,
            group.action_not_duplicate,
            group.action_review,
        ):
            with self.assertRaises(AccessError):
                decide()

    def test_nobody_writes_the_ledger(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        for records, vals in (
            (group, {"state": "merged"}),
            (group.member_ids, {"is_open": False}),
            (group.evidence_ids, {"weight": 99}),
        ):
            with self.assertRaises(AccessError):
                records.write(vals)
        group.action_merge()
        journal = group.journal_ids
        with self.assertRaises(AccessError):
            journal.write({"reversible_until": "2099-01-01"})
        with self.assertRaises(AccessError):
            journal.read(["changes"])
        with self.assertRaises(AccessError):
            self.env["sync.duplicate.verdict"].with_user(self.steward).create(
                {
                    "rule_id": self.rule.id,
                    "model_name": "res.partner",
                    "left_id": 1,
                    "right_id": 2,
                }
            )

    def test_steward_without_rights_on_a_member(self):
        a, b = self.partners("A", "B")
        group = self.as_steward(self.group_of(a | b))
        self.env["ir.rule"].create(
            {
                "name": "Hidden customer",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {b.id})]",
            }
        )
        with self.assertRaises(AccessError):
            group.action_merge()
        self.assertNotIn("B", group.name)

    def test_viewer_does_not_undo(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        group.action_merge()
        with self.assertRaises(AccessError):
            group.journal_ids.with_user(self.viewer).action_undo()

    def test_candidates_are_only_those_one_may_read(self):
        mine = self.partners("A")
        theirs = self.partners("A", company_id=self.company.id)
        engine = type(self.env["sync.duplicate.engine"])
        found = [Candidate(theirs.id, 0.99, 20.0), Candidate(mine.id, 0.95, 15.0)]
        with patch.object(
            engine, "_candidates", lambda engine, rule, values, limit=5: found
        ):
            got = (
                self.env["sync.duplicate.rule"]
                .with_user(self.viewer)
                ._find_candidates("res.partner", {"name": "A"})
            )
        self.assertEqual([candidate.record_id for candidate in got], [mine.id])

    def test_a_merge_is_no_way_around_the_rights_on_a_field(self):
        a, b = self.partners("A", "B")
        group = self.as_steward(self.group_of(a | b))
        for name in ("user_ids", "active", "signup_type", "no_such_field"):
            with self.assertRaises(AccessError):
                group.action_merge(survivor_id=a.id, values={name: b.id})
        self.assertEqual(group.state, "suggested")
        field = self.Partner._fields["ref"]
        self.patch(field, "groups", "base.group_system")
        with self.assertRaises(AccessError):
            group.action_merge(survivor_id=a.id, values={"ref": b.id})

    def test_the_undo_wizard_tells_nothing_of_others_merges(self):
        records = self.partners("A", "B", company_id=self.company.id)
        journal = self.env["sync.merge.service"]._merge(records, records[0])
        Wizard = self.env["sync.merge.undo"]
        values = {"journal_id": journal.id, "reason": "Curious"}
        for user in (self.steward, self.viewer):
            with self.assertRaises(AccessError):
                Wizard.with_user(user).create(dict(values))
        mine = self.partners("C", "D")
        own = self.env["sync.merge.service"]._merge(mine, mine[0])
        wizard = Wizard.with_user(self.steward).create(
            {"journal_id": own.id, "reason": "Wrong"}
        )
        with self.assertRaises(AccessError):
            wizard.journal_id = journal

    def test_a_domain_asks_no_more_than_its_writer_may_read(self):
        manager = new_test_user(
            self.env,
            login="dedup_manager",
            groups="base.group_user,sync_governance_base.group_sync_integration_manager",
        )
        rule = self.rule.with_user(manager)
        rule.domain = "[('is_company', '=', True)]"
        self.patch(self.Partner._fields["ref"], "groups", "base.group_system")
        with self.assertRaisesRegex(ValidationError, "cannot be used"):
            rule.domain = "[('ref', 'like', 'A%')]"

    def test_a_domain_is_data_not_code(self):
        for domain in ("[('id', 'in', list(range(9)))]", "[('id', '=', 2 ** 3)]"):
            with self.assertRaisesRegex(ValidationError, "cannot be used"):
                self.rule.domain = domain

    def test_evidence_hides_the_values(self):
        """Also of records that the viewer may not read by a rule of the customer's."""
        group = self.group_of(self.partners("Ann Miller", "Anne Miller"))
        evidence = group.evidence_ids.with_user(self.steward)
        self.assertTrue(evidence.read(["field_name", "level", "weight"]))
        with self.assertRaises(AccessError):
            evidence.read(["left_value"])
        shown = (
            self.env["sync.duplicate.workbench"]
            .with_user(self.steward)
            .get_group(group.id)
        )
        values = {line["left"] for pair in shown["pairs"] for line in pair["evidence"]}
        self.assertIn("Ann Miller", values)

    def test_a_group_is_given_to_whom_may_see_it(self):
        colleague = new_test_user(
            self.env,
            login="dedup_colleague",
            groups="base.group_user,sync_governance_base.group_sync_steward",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        group = self.as_steward(
            self.group_of(self.partners("A", "B", company_id=self.env.company.id))
        )
        with self.assertRaisesRegex(UserError, "may not see"):
            group.action_assign(colleague.id)

    def test_portal_users_are_told_nothing(self):
        portal = new_test_user(
            self.env, login="dedup_portal", groups="base.group_portal"
        )
        door = self.env["sync.duplicate.door"].with_user(portal)
        with self.assertRaises(AccessError):
            door.get_matches("res.partner", {"name": "A"})
        for call in ("get_queue", "get_stewards"):
            with self.assertRaises(AccessError):
                getattr(self.env["sync.duplicate.workbench"].with_user(portal), call)()
        with self.assertRaises(AccessError):
            self.env["sync.duplicate.prevention"].with_user(portal).note_choice(
                "res.partner", portal.partner_id.id, 1.0, "used"
            )
