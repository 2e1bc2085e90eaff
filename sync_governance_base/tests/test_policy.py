from threading import Thread

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestPolicy(OwnershipCase):
    def test_four_eyes(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        policy = policy.with_user(self.manager)
        with self.assertRaises(UserError):
            policy.action_activate()
        policy.action_submit()
        with self.assertRaisesRegex(UserError, "Somebody else"):
            policy.action_approve()
        with self.assertRaises(AccessError):
            policy.with_user(self.user).action_approve()
        policy.with_user(self.steward).action_approve()
        self.assertEqual(policy.approver_id, self.steward)
        policy.action_activate()
        self.assertEqual(policy.state, "active")

    def test_state_moves_by_buttons_only(self):
        policy = self._policy({"phone": self.finance}, activate=False).with_user(
            self.manager
        )
        with self.assertRaises(AccessError):
            policy.state = "active"
        with self.assertRaises(AccessError):
            policy.copy({"state": "active"})

    def test_active_policy_is_not_edited(self):
        policy = self._policy({"phone": self.finance})
        with self.assertRaisesRegex(UserError, "new version"):
            policy.enforcement = "block"
        with self.assertRaisesRegex(UserError, "new version"):
            policy.line_ids.owner_system_id = self.shop
        with self.assertRaisesRegex(UserError, "new version"):
            policy.line_ids.unlink()

    def test_new_version_says_what_changes(self):
        policy = self._policy({"phone": self.finance, "city": self.shop})
        draft = policy.with_user(self.manager)._new_version()
        self.assertEqual((draft.version, draft.previous_id), (2, policy))
        self.assertEqual(policy.with_user(self.manager)._new_version(), draft)
        draft.enforcement = "block"
        draft.line_ids.filtered(
            lambda line: line.field_name == "phone"
        ).owner_system_id = self.shop
        draft.line_ids.filtered(lambda line: line.field_name == "city").unlink()
        for text in (
            "Finance → Shop",
            "Shop → not governed",
            "Observe: count only → Block",
        ):
            self.assertIn(text, draft.difference)
        draft.sudo().action_activate()
        self.assertEqual((policy.state, draft.state), ("superseded", "active"))

    def test_one_active_policy_per_model_and_company(self):
        self._policy({"phone": self.finance})
        second = self._policy({"phone": self.shop}, activate=False)
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.cr.savepoint():
            second.state = "active"
            second.flush_recordset()

    def test_dry_run_tells_what_would_be_stopped(self):
        policy = self._policy({"phone": self.finance}, enforcement="observe")
        self.partner.with_user(self.user).phone = "2"
        self._as(self.finance).phone = "3"
        self._hits(policy)
        draft = policy._new_version()
        draft.enforcement = "block"
        outcomes = [(row[0], row[1], row[3], row[4]) for row in draft._impact_rows()]
        self.assertEqual(
            outcomes,
            [
                (
                    "Phone",
                    "t_user (base.group_user,base.group_partner_manager)",
                    1,
                    "Blocked",
                ),
                ("Phone", "Finance", 1, "Allowed"),
            ],
        )
        self.assertIn("Blocked", draft.impact)

    def test_two_activations_race_and_one_wins(self):
        """Two users press the button at once, in real transactions of their own."""
        cursors = [self.registry.cursor() for _user in range(2)]
        for cr in cursors:
            self.addCleanup(cr.close)
        envs = [
            self.env(
                cr=cr, context={"tracking_disable": True, "mail_create_nolog": True}
            )
            for cr in cursors
        ]
        values = {
            "name": "Race",
            "model_id": self.env["ir.model"]._get_id("res.country.group"),
            "state": "active",
        }
        first = envs[0]["sync.policy"].create(values)
        first.flush_recordset()
        failures = []

        def second():
            try:
                envs[1]["sync.policy"].create(values).flush_recordset()
            except psycopg2.Error as error:
                failures.append(error)

        with mute_logger("odoo.sql_db"):
            thread = Thread(target=second)
            thread.start()
            thread.join(1)
            self.assertTrue(thread.is_alive(), "the second must wait for the first")
            cursors[0].commit()
            thread.join(10)
        self.addCleanup(self._forget_race)
        self.assertEqual(
            [type(error) for error in failures], [psycopg2.errors.UniqueViolation]
        )

    def _forget_race(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM sync_policy WHERE name = 'Race'")

    def test_owner_cannot_be_locked_out(self):
        policy = self._policy({"phone": self.finance}, activate=False, direction="out")
        with self.assertRaisesRegex(UserError, "locked"):
            policy.action_activate()
        policy.direction = "in"
        self.finance.state = "retired"
        with self.assertRaisesRegex(UserError, "retired"):
            policy.action_activate()

    def test_owning_system_cannot_retire(self):
        self._policy({"phone": self.finance})
        with self.assertRaisesRegex(ValidationError, "still owns"):
            self.finance.action_retire()

    def test_approved_policy_starts_on_its_day(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        policy.write({"effective_from": "2020-01-01", "effective_to": "2999-01-01"})
        policy.state = "approved"
        self.env["sync.policy"]._cron_effective()
        self.assertEqual(policy.state, "active")

    def test_field_of_another_model_is_refused(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        with self.assertRaisesRegex(ValidationError, "not a field of"):
            policy.line_ids.field_id = self.env["ir.model.fields"]._get(
                "res.country", "name"
            )

    def test_removed_field_leaves_the_policy(self):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_governed",
                "field_description": "Governed",
                "ttype": "char",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        policy = self._policy({"phone": self.finance, "x_governed": self.finance})
        field.unlink()
        self.assertEqual(policy.line_ids.mapped("field_name"), ["phone"])
        rules = self.env["sync.policy"]._rules("res.partner", self.env.company.id)
        self.assertEqual(set(rules.fields), {"phone"})

    def test_lookup_needs_no_query(self):
        self._policy({"phone": self.finance}, enforcement="block")
        policies = self.env["sync.policy"]
        source = self.finance._as_source()
        policies._decide("res.partner", ["phone"], source, self.env.company)
        with self.assertQueryCount(0):
            policies._decide("res.partner", ["phone"], source, self.env.company)

    def test_coverage_counts_owned_fields(self):
        domain = self.env["sync.domain"].create({"name": "D", "code": "t_d"})
        self._policy({"phone": self.finance, "city": None}, domain_id=domain.id)
        self.assertEqual(domain.coverage_pct, 50)

    def test_service_account_has_no_password_and_little_right(self):
        user = self.account.user_id
        self.assertFalse(user.has_group("base.group_system"))
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        self.assertFalse(self.env.cr.fetchone()[0])
        with self.assertRaises(ValidationError):
            self.account.user_id = self.env.ref("base.user_admin")
