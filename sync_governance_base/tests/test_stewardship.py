from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestStewardship(OwnershipCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.env["sync.domain"].create(
            {
                "name": "Contacts",
                "code": "t_contacts",
                "model_ids": [Command.link(cls.env["ir.model"]._get_id("res.partner"))],
                "steward_ids": [Command.set(cls.steward.ids)],
            }
        )
        cls.row = cls.env["sync.crosswalk"]._link(cls.shop, cls.partner, "S-1")

    def _conflict(self):
        self._policy({"phone": self.finance, "city": self.finance}, enforcement="block")
        values = {"phone": "2", "city": "Nice"}
        conflict = self.row._apply_incoming(
            values, self.shop._as_source("req_1")
        ).conflict
        return conflict.with_user(self.steward)

    def _line(self, conflict, name):
        return conflict.line_ids.filtered(lambda line: line.field_name == name)

    def test_decision_per_field(self):
        conflict = self._conflict()
        self.assertEqual(conflict.request_ref, "req_1")
        self.assertEqual(conflict.steward_id, self.steward)
        self._line(conflict, "phone").decision = "take"
        self._line(conflict, "city").write(
            {"decision": "custom", "custom_text": "Nantes"}
        )
        conflict.action_resolve()
        self.assertEqual((self.partner.phone, self.partner.city), ("2", "Nantes"))
        self.assertEqual(conflict.state, "resolved")
        self.assertEqual(conflict.resolver_id, self.steward)
        entry = self.env["sync.audit"].search(
            [("action", "=", "conflict.resolved")], limit=1
        )
        self.assertEqual(entry.res_id, conflict.id)

    def test_kept_value_is_not_asked_about_again(self):
        conflict = self._conflict()
        conflict.action_keep_all()
        result = self.row._apply_incoming(
            {"phone": "2", "city": "Nice"}, self.shop._as_source()
        )
        self.assertFalse(result.conflict)
        self.assertEqual(self.partner.phone, "1")

    def test_value_changed_meanwhile_is_not_overwritten(self):
        conflict = self._conflict()
        self._as(self.finance).phone = "7"
        with self.assertRaisesRegex(UserError, "has changed in Odoo since"):
            conflict.action_take_all()
        conflict.action_refresh()
        conflict.action_take_all()
        self.assertEqual(self.partner.phone, "2")

    def test_undecided_fields_are_named(self):
        self.row._apply_incoming({"city": "Paris"}, self.shop._as_source())
        self.partner.city = "Lyon"
        result = self.row._apply_incoming({"city": "Nice"}, self.shop._as_source())
        with self.assertRaisesRegex(UserError, "City"):
            result.conflict.with_user(self.steward).action_resolve()

    def test_only_decisions_can_be_edited(self):
        conflict = self._conflict()
        with self.assertRaises(UserError):
            conflict.line_ids[0].incoming_value = "mine"
        with self.assertRaises(AccessError):
            conflict.state = "resolved"

    def test_foreign_stewards_do_not_decide(self):
        conflict = self._conflict()
        other = self._new_user(
            "t_other_steward", "sync_governance_base.group_sync_steward"
        )
        with self.assertRaises(AccessError):
            conflict.with_user(other).action_keep_all()
        self.assertTrue(conflict.with_user(other).name)

    def test_same_for_similar(self):
        other = self.env["res.partner"].create(
            {"name": "B", "phone": "5", "city": "Rome"}
        )
        row = self.env["sync.crosswalk"]._link(self.shop, other, "S-2")
        conflict = self._conflict()
        values = {"phone": "6", "city": "Bari"}
        twin = row._apply_incoming(values, self.shop._as_source()).conflict
        self.assertEqual(conflict.similar_count, 1)
        conflict.line_ids.decision = "take"
        conflict.action_resolve_similar()
        self.assertEqual(set((conflict | twin).mapped("state")), {"resolved"})
        self.assertEqual((other.phone, other.city), ("6", "Bari"))

    def test_similar_ones_of_other_stewards_stay_open(self):
        other = self.env["res.partner"].create({"name": "B", "phone": "5"})
        row = self.env["sync.crosswalk"]._link(self.shop, other, "S-2")
        conflict = self._conflict()
        values = {"phone": "6", "city": "Bari"}
        twin = row._apply_incoming(values, self.shop._as_source()).conflict.sudo()
        twin.domain_id = self.env["sync.domain"].create(
            {"name": "Theirs", "code": "t_theirs"}
        )
        conflict.line_ids.decision = "take"
        told = conflict.action_resolve_similar()
        self.assertEqual((conflict.state, twin.state), ("resolved", "open"))
        self.assertIn("1 similar", told["params"]["message"])

    def test_refreshing_is_for_who_decides(self):
        """A refresh makes a stale conflict decidable: its steward has to see that."""
        conflict = self._conflict()
        self._as(self.finance).phone = "7"
        for user in (self.viewer, self.manager):
            with self.assertRaises(AccessError):
                conflict.with_user(user).action_refresh()
        self.assertEqual(self._line(conflict, "phone").current_display, "1")

    def test_values_are_for_who_may_read_the_field(self):
        conflict = self._conflict()
        request = self._request()
        city = self.env["res.partner"]._fields["city"]
        phone = self.env["res.partner"]._fields["phone"]
        with (
            patch.object(city, "groups", "base.group_system"),
            patch.object(phone, "groups", "base.group_system"),
        ):
            self.env.invalidate_all()
            seen = conflict.with_user(self.viewer)
            shown = self._line(seen, "city")
            for display in ("base_display", "current_display", "incoming_display"):
                self.assertNotIn(shown[display], ("Paris", "Nice"))
            self.assertNotIn("Nice", seen.summary)
            with self.assertRaises(AccessError):
                shown.read(["incoming_value"])
            asked = request.with_user(self.viewer)
            self.assertNotIn("2", asked.line_ids.proposed_display)
            with self.assertRaises(AccessError):
                asked.line_ids.search([("proposed_value", "!=", False)])

    def test_decision_becomes_a_draft_rule(self):
        conflict = self._conflict()
        self._line(conflict, "phone").decision = "take"
        action = conflict.action_make_rule()
        draft = self.env["sync.policy"].browse(action["res_id"])
        owners = {line.field_name: line.owner_system_id for line in draft.line_ids}
        self.assertEqual((draft.state, draft.version), ("draft", 2))
        self.assertEqual(owners, {"phone": self.shop, "city": self.odoo})

    def test_preview_of_what_is_sent_back(self):
        conflict = self._conflict()
        self._line(conflict, "phone").decision = "take"
        self.assertEqual(conflict.sent_back, "City: Paris")

    def _request(self):
        self._policy({"phone": self.finance}, enforcement="propose")
        self.partner.with_user(self.user).phone = "2"
        return self.env["sync.change.request"].search(
            [("res_id", "=", self.partner.id)]
        )

    def test_request_is_applied_on_approval(self):
        request = self._request()
        request.with_user(self.steward).action_approve()
        self.assertEqual(request.state, "applied")
        self.assertEqual(request.approver_id, self.steward)
        self.assertEqual(self.partner.phone, "2")
        request._mark_replicated()
        self.assertEqual(request.state, "replicated")

    def test_nobody_approves_their_own_request(self):
        self._policy({"phone": self.finance}, enforcement="propose")
        self.partner.with_user(self.steward).phone = "2"
        request = self.env["sync.change.request"].search(
            [("res_id", "=", self.partner.id)]
        )
        with self.assertRaisesRegex(UserError, "your own"):
            request.with_user(self.steward).action_approve()

    def test_stale_request_fails_and_can_be_retried(self):
        request = self._request()
        self._as(self.finance).phone = "8"
        request.with_user(self.steward).action_approve()
        self.assertEqual(request.state, "failed")
        self.assertIn("Phone", request.failure)
        self.assertEqual(self.partner.phone, "8")
        self._as(self.finance).phone = "1"
        request.with_user(self.steward).action_apply()
        self.assertEqual(request.state, "applied")

    def test_rejection_tells_why(self):
        request = self._request()
        action = request.with_user(self.steward).action_reject()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.steward)
            .with_context(**action["context"])
            .create({"reason": "No proof"})
        )
        wizard.action_reject()
        self.assertEqual(
            (request.state, request.refusal_reason), ("rejected", "No proof")
        )
        self.assertEqual(self.partner.phone, "1")

    def test_requesters_see_their_own_only(self):
        request = self._request()
        self.assertTrue(request.with_user(self.user).name)
        stranger = self._new_user("t_stranger")
        self.assertFalse(self.env["sync.change.request"].with_user(stranger).search([]))
        for user in (stranger, self.user, self.viewer):
            with self.assertRaises(UserError):
                request.with_user(user).action_approve()
        self.assertEqual(request.state, "submitted")

    def test_state_is_not_writable(self):
        request = self._request()
        with self.assertRaises(AccessError):
            request.with_user(self.steward).write({"state": "applied"})

    def test_status_of_a_record(self):
        self._policy({"phone": self.finance}, enforcement="block")
        finance = self.env["sync.crosswalk"]._link(self.finance, self.partner, "F-1")
        finance._apply_incoming({"phone": "3"}, self.finance._as_source())
        action = self.partner.with_user(self.viewer).action_sync_status()
        status = (
            self.env[action["res_model"]]
            .with_user(self.viewer)
            .browse(action["res_id"])
        )
        self.assertEqual(status.line_ids.owner_system_id, self.finance)
        self.assertTrue(status.line_ids.last_changes.startswith("Finance, "))
        self.assertEqual(status.open_count, 0)
        self.assertEqual(status.crosswalk_ids, self.row | finance)

    def test_status_names_what_waits_for_a_decision(self):
        self._policy({"phone": self.finance}, enforcement="propose")
        request = self._request()
        action = self.partner.with_user(self.viewer).action_sync_status()
        status = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((status.request_ids, status.open_count), (request, 1))
