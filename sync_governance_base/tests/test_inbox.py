from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

MODULE = "sync_governance_base"


@tagged("post_install", "-at_install")
class TestInbox(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.steward = new_test_user(
            cls.env, "inbox.steward", groups=f"{MODULE}.group_sync_steward"
        )
        cls.inbox = cls.env["sync.inbox"].with_user(cls.steward)
        cls.system = cls.env["sync.system"].create(
            {"name": "Inbox shop", "code": "inbox_shop", "kind": "shop"}
        )
        cls.partner = cls.env["res.partner"].create({"name": "Azure Interior"})
        cls.conflict = cls._conflict()
        cls.request = cls.env["sync.change.request"].create(
            {
                "res_model": "res.partner",
                "res_id": cls.partner.id,
                "requester_id": cls.env.uid,
                "state": "submitted",
            }
        )

    @classmethod
    def _conflict(cls, **values):
        return cls.env["sync.conflict"].create(
            {
                "system_id": cls.system.id,
                "res_model": "res.partner",
                "res_id": cls.partner.id,
                **values,
            }
        )

    def _row(self, record):
        return self.inbox.search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )

    def test_all_open_work_is_one_list(self):
        rows = self._row(self.conflict) | self._row(self.request)
        self.assertEqual(len(rows), 2)
        self.assertEqual(len(set(rows.ids)), 2)
        self.assertEqual(
            set(rows.mapped("kind")), {"sync.conflict", "sync.change.request"}
        )
        row = self._row(self.conflict)
        self.assertIn("Azure Interior", row.title)
        self.assertEqual(row.system_id, self.system)
        action = row.action_open()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("sync.conflict", self.conflict.id)
        )

    def test_decided_work_leaves_the_list(self):
        row = self._row(self.conflict)
        self.conflict.state = "ignored"
        self.assertFalse(self._row(self.conflict))
        self.conflict.unlink()
        with self.assertRaisesRegex(UserError, "decided by somebody else"):
            row.action_open()

    def test_other_companies_work_is_hidden(self):
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self._conflict(company_id=other.id)
        self.assertFalse(self._row(foreign))
        self.steward.company_ids |= other
        self.assertTrue(
            self.inbox.with_context(allowed_company_ids=other.ids).search(
                [("res_id", "=", foreign.id), ("res_model", "=", "sync.conflict")]
            )
        )

    def test_rows_cannot_be_written(self):
        with self.assertRaises(AccessError):
            self._row(self.conflict).user_id = self.steward
        stranger = new_test_user(self.env, "inbox.stranger")
        with self.assertRaises(AccessError):
            self.inbox.with_user(stranger).search([])

    def test_stewards_do_not_configure_routing(self):
        with self.assertRaises(AccessError):
            self.env["sync.team"].with_user(self.steward).create({"name": "Mine"})
        manager = new_test_user(
            self.env, "inbox.manager", groups=f"{MODULE}.group_sync_integration_manager"
        )
        team = self.env["sync.team"].with_user(manager).create({"name": "Desk"})
        self.assertTrue(
            self.env["sync.route"].with_user(manager).create({"team_id": team.id}).name
        )
