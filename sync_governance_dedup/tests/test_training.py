# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestTraining(DedupCase):
    """Weights are shown before they are used, applied by whom it concerns,
    and can be taken back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            login="dedup_manager",
            groups="base.group_user,sync_governance_base.group_sync_integration_manager",
        )
        cls.env["sync.duplicate.verdict"].search([]).unlink()
        cls.twins = cls.partners(
            *["Quillfeather Instruments" for _number in range(12)],
            email="hello@quillfeather.example",
        )
        cls.env["sync.write.hook"]._dedup_settle()

    def decide(self, count, is_duplicate=False):
        """Verdicts against what the shipped weights would say."""
        ids = self.twins.ids
        pairs = [(one, other) for one in ids for other in ids if one < other][:count]
        self.env["sync.duplicate.verdict"].create(
            [
                {
                    "rule_id": self.rule.id,
                    "model_name": "res.partner",
                    "left_id": left,
                    "right_id": right,
                    "is_duplicate": is_duplicate,
                }
                for left, right in pairs
            ]
        )

    def propose(self, user=None):
        action = self.rule.with_user(user or self.steward).action_train()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_too_little_to_learn_from(self):
        self.decide(19)
        with self.assertRaisesRegex(UserError, "19 verdicts are too few"):
            self.propose()

    def test_the_last_word_on_a_pair_counts(self):
        self.decide(25, is_duplicate=True)
        self.decide(25)
        decisions = self.env["sync.duplicate.training"]._decisions(self.rule)
        self.assertEqual(len(decisions), 25)
        self.assertFalse(any(is_duplicate for _l, _r, is_duplicate in decisions))

    def test_a_proposal_changes_nothing_and_tells_its_effect(self):
        self.decide(40)
        before = self.rule.weights
        training = self.propose()
        self.assertEqual((training.state, training.source), ("proposed", "verdicts"))
        self.assertEqual(self.rule.weights, before)
        self.assertTrue(training.line_ids)
        self.assertEqual(training.verdict_count, 40)
        self.assertGreaterEqual(training.right_after, training.right_before)
        self.assertEqual(
            training.right_after - training.right_before,
            len(training.pair_ids.filtered("is_right"))
            - len(training.pair_ids.filtered(lambda pair: not pair.is_right)),
        )

    def test_applied_audited_and_taken_back(self):
        self.decide(40)
        training = self.propose().with_user(self.manager)
        before = self.rule.weights
        training.action_apply()
        self.assertEqual(self.rule.weights, training.sudo().weights)
        self.assertEqual(training.applied_by_id, self.manager)
        entry = self.env["sync.audit"].search(
            [("action", "=", "duplicate.training.applied")], limit=1
        )
        self.assertEqual((entry.res_id, entry.user_id), (self.rule.id, self.manager))
        with self.assertRaisesRegex(UserError, "already decided"):
            training.action_apply()
        training.action_revert()
        self.assertEqual(self.rule.weights, before)
        self.assertEqual(training.state, "reverted")
        self.assertTrue(
            self.env["sync.audit"].search_count(
                [("action", "=", "duplicate.training.reverted")]
            )
        )

    def test_a_training_is_taken_back_after_those_that_followed(self):
        self.decide(40)
        first = self.propose().with_user(self.manager)
        first.action_apply()
        first.sudo().applied_at = "2020-01-01"
        self.decide(66, is_duplicate=True)
        second = self.propose().with_user(self.manager)
        second.action_apply()
        with self.assertRaisesRegex(UserError, "first"):
            first.action_revert()
        second.action_revert()
        first.action_revert()
        self.assertFalse(self.rule.weights)

    def test_a_steward_looks_but_does_not_apply(self):
        self.decide(40)
        training = self.propose().with_user(self.steward)
        for decide in (training.action_apply, training.action_discard):
            with self.assertRaises(AccessError):
                decide()
        with self.assertRaises(AccessError):
            training.write({"state": "applied"})
        with self.assertRaises(AccessError):
            training.line_ids.write({"after": 99})

    def test_weights_have_no_other_door(self):
        with self.assertRaises(AccessError):
            self.rule.with_user(self.manager).weights = {"name": {}}
        viewer = new_test_user(
            self.env,
            login="training_viewer",
            groups="base.group_user,sync_governance_base.group_sync_viewer",
        )
        with self.assertRaises(AccessError):
            self.rule.with_user(viewer).action_train()

    def test_pairs_are_named_to_whom_may_read_them(self):
        self.decide(40)
        pair = self.env["sync.duplicate.training.pair"].create(
            {
                "training_id": self.propose().id,
                "left_id": self.twins[0].id,
                "right_id": self.twins[1].id,
                "before": 0.9,
                "after": 0.1,
            }
        )
        self.assertTrue(pair.is_right)
        hidden = self.Partner.browse(pair.left_id)
        hidden.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.invalidate_all()
        seen = pair.with_user(self.steward)
        self.assertEqual(seen.left_name, f"#{hidden.id}")
        self.assertEqual(seen.right_name, self.twins[1].name)
