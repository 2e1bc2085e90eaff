# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestDoor(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, login="dedup_clerk", groups="base.group_user"
        )
        cls.known = cls.partners(
            "Quillfeather Instruments",
            email="hello@quillfeather.example",
            phone="+49 30 5551234",
            street="Lindenstr. 14",
            city="Berlin",
        )

    def matches(self, user, **values):
        door = self.env["sync.duplicate.door"].with_user(user)
        return door.get_matches("res.partner", values)

    def test_a_clerk_is_told_while_typing(self):
        """Also of a record made in this very transaction."""
        [match] = self.matches(
            self.clerk,
            name="Quillfeather Instrument",
            email="hello@quillfeather.example",
        )
        self.assertEqual(match["id"], self.known.id)
        self.assertGreater(match["probability"], 0.5)
        self.assertTrue(match["why"])

    def test_nothing_is_said_of_a_stranger(self):
        self.assertEqual(self.matches(self.clerk, name="Zanzibar Ropes"), [])

    def test_nothing_is_said_of_what_one_may_not_see(self):
        self.known.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertEqual(
            self.matches(self.clerk, name=self.known.name, email=self.known.email), []
        )

    def test_fields_that_no_rule_compares_are_ignored(self):
        self.assertEqual(self.matches(self.clerk, comment="x", function="y"), [])

    def test_a_field_that_one_may_not_read_is_neither_compared_nor_named(self):
        typed = {"name": "Quillfeather Instrument", "email": self.known.email}
        [before] = self.matches(self.clerk, **typed)
        self.patch(self.registry["res.partner"].email, "groups", "base.group_system")
        self.assertEqual(self.matches(self.clerk, email=self.known.email), [])
        after = self.matches(self.clerk, **typed)
        self.assertIn("Email", before["why"])
        self.assertNotIn("Email", str(after))

    def test_only_a_choice_after_a_warning_is_kept(self):
        Prevention = self.env["sync.duplicate.prevention"].with_user(self.clerk)
        for probability in (float("nan"), float("inf"), -0.1, 1.1, "0.9", None):
            with self.assertRaisesRegex(UserError, "Nobody was warned"):
                Prevention.note_choice(
                    "res.partner", self.known.id, probability, "used"
                )
        self.env["sync.duplicate.rule"]._for_model("res.partner").door_mode = "off"
        for model_name in ("res.partner", "res.users"):
            with self.assertRaisesRegex(UserError, "Nobody was warned"):
                Prevention.note_choice(model_name, self.known.id, 0.9, "used")

    def test_choice_is_kept(self):
        Prevention = self.env["sync.duplicate.prevention"].with_user(self.clerk)
        Prevention.note_choice("res.partner", self.known.id, 0.9, "used")
        with self.assertRaisesRegex(UserError, "Tell why"):
            Prevention.note_choice("res.partner", self.known.id, 0.9, "created", " ")
        Prevention.note_choice("res.partner", self.known.id, 0.9, "created", "Namesake")
        kept = self.env["sync.duplicate.prevention"].search(
            [("candidate_id", "=", self.known.id)], order="id"
        )
        self.assertEqual(kept.mapped("outcome"), ["used", "created"])
        self.assertEqual(kept.user_id, self.clerk)
        with self.assertRaises(AccessError):
            Prevention.create(
                {"model_name": "res.partner", "candidate_id": 1, "outcome": "used"}
            )

    def test_scores_of_the_latest_scan(self):
        """Counted for all, named only for who may read both records."""
        scan = self.env["sync.duplicate.scan"].create(
            {"rule_id": self.rule.id, "state": "done"}
        )
        a, b, c = self.partners("A", "B", "C")
        c.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env["sync.duplicate.pair"].create(
            [
                {
                    "scan_id": scan.id,
                    "left_id": left,
                    "right_id": right,
                    "probability": score,
                }
                for left, right, score in (
                    (a.id, b.id, 0.7),
                    (a.id, c.id, 0.6),
                    (b.id, c.id, 0.2),
                )
            ]
        )
        self.env.flush_all()
        workbench = self.env["sync.duplicate.workbench"].with_user(self.steward)
        scores = workbench.get_scores(self.rule.id, 0.5)
        self.assertEqual(sum(count for _low, count in scores["buckets"]), 3)
        self.assertEqual([pair["left"] for pair in scores["above"]], ["A"])
        self.assertEqual(scores["below"], [])

    def test_engine_end_to_end(self):
        """A twin made by somebody else becomes a group, by the job after the commit."""
        twin = self.partners(
            "Quillfeather Instruments Ltd",
            email="hello@quillfeather.example",
            phone="030 5551234",
            street="Lindenstraße 14",
            city="Berlin",
        )
        self.env.cr.precommit.run()
        self.rule._check_changed(twin.ids)
        group = self.Group.search([("member_ids.record_id", "=", twin.id)])
        self.assertEqual(
            set(group.member_ids.mapped("record_id")), {self.known.id, twin.id}
        )
        self.assertTrue(group.evidence_ids)
        self.as_steward(group).action_not_duplicate()
        self.rule._check_changed(twin.ids)
        self.assertFalse(
            self.Group.search(
                [("member_ids.record_id", "=", twin.id), ("state", "=", "suggested")]
            )
        )
