from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

MODULE = "sync_governance_base"


@tagged("post_install", "-at_install")
class TestInbox(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.steward = new_test_user(
            cls.env,
            "inbox.steward",
            groups=f"{MODULE}.group_sync_steward,base.group_partner_manager",
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

    def _with_lines(self):
        self.partner.city = "Paris"
        field = self.env["ir.model.fields"]._get("res.partner", "city")
        values = {"field_id": field.id, "field_name": "city"}
        self.conflict.line_ids.create(
            {
                **values,
                "conflict_id": self.conflict.id,
                "current_value": "Paris",
                "incoming_value": "Lyon",
            }
        )
        self.request.line_ids.create(
            {
                **values,
                "request_id": self.request.id,
                "old_value": False,
                "proposed_value": "Nice",
            }
        )

    def test_titles_say_what_would_change_and_who_asks(self):
        self._with_lines()
        self.assertEqual(
            self._row(self.conflict).title,
            "Azure Interior: City Paris → Lyon, sent by Inbox shop",
        )
        self.assertEqual(
            self._row(self.request).title,
            f"Azure Interior: City empty → Nice, asked by {self.env.user.name}",
        )

    def test_a_change_is_accepted_from_the_list(self):
        self._with_lines()
        self._row(self.conflict).action_accept()
        self.assertEqual(self.partner.city, "Lyon")
        self.assertEqual(self.conflict.state, "resolved")
        self.assertFalse(self._row(self.conflict))

    def test_a_change_is_rejected_from_the_list(self):
        self._with_lines()
        self._row(self.conflict).action_reject()
        self.assertEqual(self.conflict.state, "resolved")
        self.assertEqual(self.partner.city, "Paris")
        action = self._row(self.request).action_reject()
        self.assertEqual(action["res_model"], "sync.change.request.reject")

    def test_one_does_not_accept_one_s_own_request(self):
        self.request.sudo().requester_id = self.steward
        self.assertTrue(self.request.with_user(self.steward).is_own)
        with self.assertRaisesRegex(UserError, "your own"):
            self._row(self.request).action_accept()
        self.assertEqual(self.request.state, "submitted")

    def test_time_in_the_state_counts(self):
        self.request.sudo().state_since = "2026-01-01 00:00:00"
        row = self._row(self.request)
        self.assertTrue(row.is_late)
        self.assertTrue(row.waiting)
        self.assertFalse(self._row(self.conflict).is_late)
        self.request.action_reset()
        self.request.action_submit()
        self.env.invalidate_all()
        self.assertFalse(self._row(self.request).is_late)
