from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestRights(OwnershipCase):
    """What somebody with some rights may try in order to get more, over RPC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._new_user(
            "t_second", "sync_governance_base.group_sync_integration_manager"
        )

    def test_ranks_of_an_active_policy_are_not_edited_by_the_back_door(self):
        policy = self._policy(
            {"phone": [self.finance, self.shop]}, enforcement="block"
        ).with_user(self.manager)
        owner = policy.line_ids.owner_ids
        with self.assertRaisesRegex(UserError, "new version"):
            owner.system_id = self.wms
        with self.assertRaisesRegex(UserError, "new version"):
            owner.unlink()
        with self.assertRaisesRegex(UserError, "new version"):
            owner.create({"line_id": policy.line_ids.id, "system_id": self.wms.id})

    def test_lines_and_ranks_are_not_moved_into_an_active_policy(self):
        active = self._policy({"phone": self.finance}, enforcement="block")
        draft = self._policy({"city": [self.shop, self.wms]}, activate=False).with_user(
            self.manager
        )
        line = draft.line_ids
        rank = line.owner_ids
        self.assertTrue(rank)
        with self.assertRaisesRegex(UserError, "new version"):
            rank.line_id = active.line_ids
        with self.assertRaisesRegex(UserError, "new version"):
            line.policy_id = active

    def test_whoever_edits_a_version_is_an_author_and_does_not_approve_it(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        policy.with_user(self.manager).action_submit()
        policy.line_ids.with_user(self.second).owner_system_id = self.shop
        with self.assertRaisesRegex(UserError, "Somebody else"):
            policy.with_user(self.second).action_approve()
        with self.assertRaises(AccessError):
            policy.with_user(self.second).author_ids = [Command.clear()]
        policy.with_user(self.steward).action_approve()
        self.assertEqual(policy.approver_id, self.steward)

    def test_ranking_makes_an_author_too(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        policy.with_user(self.manager).action_submit()
        self.env["sync.policy.owner"].with_user(self.second).create(
            {"line_id": policy.line_ids.id, "system_id": self.wms.id}
        )
        with self.assertRaisesRegex(UserError, "Somebody else"):
            policy.with_user(self.second).action_approve()

    def test_nobody_acts_as_a_system_in_person(self):
        accounts = self.env["sync.service.account"].with_user(self.manager)
        for user in (self.manager, self.second, self.viewer):
            with self.assertRaisesRegex(ValidationError, "in person"):
                accounts.create(
                    {
                        "name": "Me",
                        "user_id": user.id,
                        "system_id": self.finance.id,
                    }
                )
        with self.assertRaisesRegex(ValidationError, "in person"):
            self.account.with_user(self.manager).user_id = self.manager

    def test_a_policy_in_force_is_in_the_audit_trail(self):
        policy = self._policy({"phone": self.finance})
        entry = self.env["sync.audit"].search(
            [("action", "=", "policy.activated")], limit=1
        )
        self.assertEqual((entry.res_model, entry.res_id), (policy._name, policy.id))
        self.assertIn("Finance", entry.after)
        policy.action_deactivate()
        entry = self.env["sync.audit"].search(
            [("action", "=", "policy.deactivated")], limit=1
        )
        self.assertEqual(entry.res_id, policy.id)

    def test_viewers_decide_nothing(self):
        row = self.env["sync.crosswalk"]._link(self.shop, self.partner, "S-1")
        self._policy({"phone": self.finance}, enforcement="block")
        conflict = row._apply_incoming({"phone": "2"}, self.shop._as_source()).conflict
        for user in (self.viewer, self.manager, self.user):
            for method in ("action_keep_all", "action_take_all", "action_ignore"):
                with self.assertRaises(AccessError):
                    getattr(conflict.with_user(user), method)()
        self.assertEqual((conflict.state, self.partner.phone), ("open", "1"))

    def test_agreed_values_are_for_their_keepers(self):
        row = self.env["sync.crosswalk"]._link(self.shop, self.partner, "S-1")
        row._apply_incoming({"phone": "2"}, self.shop._as_source())
        with self.assertRaises(AccessError):
            row.with_user(self.viewer).read(["base_json"])
        with self.assertRaises(AccessError):
            row.with_user(self.steward).write({"base_json": {}})
        self.assertTrue(row.with_user(self.manager).base_json)

    def test_other_companies_rows_are_out_of_reach(self):
        company = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["res.partner"].create({"name": "T", "company_id": company.id})
        row = self.env["sync.crosswalk"]._link(self.shop, theirs, "S-2")
        self._policy({"phone": self.finance}, enforcement="block")
        conflict = row._apply_incoming({"phone": "2"}, self.shop._as_source()).conflict
        policy = self._policy(
            {"city": self.finance}, activate=False, company_id=company.id
        )
        for record in (row, conflict, conflict.line_ids, policy, policy.line_ids):
            for user in (self.manager, self.steward, self.viewer):
                with self.assertRaises(AccessError, msg=f"{record} {user.login}"):
                    record.with_user(user).read(["id", "create_date"])
        with self.assertRaises(AccessError):
            policy.with_user(self.manager).action_record_writes()

    def test_public_methods_of_helpers_do_nothing_for_strangers(self):
        """Methods that RPC reaches check the rights of who calls them."""
        stranger = self._new_user("t_stranger")
        self._policy({"phone": self.finance}, enforcement="propose")
        self.partner.with_user(self.user).phone = "2"
        request = self.env["sync.change.request"].search([])
        calls = [
            (self.env["sync.control.tower"], "get_overview"),
            (self.env["sync.audit"], "action_verify"),
            (request, "action_approve"),
            (request, "action_apply"),
            (request, "action_reset"),
            (self.env["sync.policy"].search([], limit=1), "action_activate"),
            (self.env["sync.policy"].search([], limit=1), "action_new_version"),
            (self.env["sync.policy"].search([], limit=1), "action_record_writes"),
            (self.finance, "action_pause"),
        ]
        for records, method in calls:
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(records.with_user(stranger), method)()

    def test_nothing_is_moved_out_of_ones_companies(self):
        company = self.env["res.company"].create({"name": "Other"})
        row = self.env["sync.crosswalk"]._link(self.shop, self.partner, "S-3")
        for record in (self.shop, self.account, row):
            with self.subTest(record._name), self.assertRaises(AccessError):
                record.with_user(self.manager).company_id = company
            record.with_user(self.manager).company_id = self.env.company
        self.wms.company_id = company
        for record in (self.account, row):
            with self.subTest(record._name), self.assertRaises(AccessError):
                record.with_user(self.manager).system_id = self.wms
        with self.assertRaises(AccessError):
            row.with_user(self.manager).create(
                {
                    "system_id": self.wms.id,
                    "res_model": "res.partner",
                    "res_id": self.partner.id,
                    "external_id": "S-4",
                }
            )
