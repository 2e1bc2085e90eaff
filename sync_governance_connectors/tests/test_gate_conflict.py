# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.fields import Command
from odoo.tests.common import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .gate_common import GateCase

NORDWIND = {
    "external_id": "C-1",
    "name": "Nordwind Handel",
    "email": "einkauf@nordwind.example",
}


@tagged("post_install", "-at_install")
class TestGateConflict(GateCase):
    """Where the caller cannot be told what to do next, a steward is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        _credential, cls.key = cls._issue(cls.system, ["customer:*"])

    def setUp(self):
        super().setUp()
        created = self.call("POST", "/customers", NORDWIND, key="create")
        self.assertEqual(created.status_code, 201, created.text)
        self.tag = created.headers["ETag"]
        self.customer = self.env["res.partner"].search(
            [("email", "=", NORDWIND["email"])]
        )

    def conflicts(self, kind):
        return self.env["sync.conflict"].search(
            [("system_id", "=", self.system.id), ("type", "=", kind)]
        )

    def test_what_another_system_has_to_say_first_is_told_and_kept(self):
        finance = self._make_system("gate_finance")
        field = self.env["ir.model.fields"]._get("res.partner", "name")
        policy = self.env["sync.policy"].create(
            {
                "name": "Names",
                "model_id": field.model_id.id,
                "enforcement": "propose",
                "line_ids": [
                    Command.create(
                        {"field_id": field.id, "owner_system_id": finance.id}
                    )
                ],
            }
        )
        policy.sudo().action_activate()
        body = {"external_id": "C-2", "name": "Ada", "email": "ada@example.com"}
        response = self.call("POST", "/customers", body, key="held")
        problem = self.assert_problem(response, 409, "held_by_policy")
        self.assertEqual([fault["pointer"] for fault in problem["errors"]], ["/name"])
        request = self.env["sync.request"].search([("ref", "=", problem["instance"])])
        self.assertEqual(
            (request.state, request.error_code), ("refused", "held_by_policy")
        )
        self.assertFalse(
            self.env["res.partner"].search([("email", "=", "ada@example.com")])
        )
        items = {"items": [body, {**body, "external_id": "C-3"}]}
        outcome = self.call("POST", "/customers/bulk", items, key="bulk").json()
        self.assertEqual([one["status"] for one in outcome["items"]], [409, 409])

    def patch_later(self, change, tag, external_id="C-1"):
        """A patch that is accepted, and done before anybody asks for it."""
        with trap_jobs():
            response = self.call(
                "PATCH",
                f"/customers/{external_id}",
                change,
                key="patch",
                Prefer="respond-async",
                If_Match=tag,
            )
        self.assertEqual(response.status_code, 202, response.text)
        self.env["sync.request"]._do_later(response.json()["request"])
        return self.env["sync.request"].search(
            [("ref", "=", response.json()["request"])]
        )

    def test_creating_what_is_known_leaves_the_difference_to_a_steward(self):
        again = {**NORDWIND, "name": "Nordwind GmbH"}
        response = self.call("POST", "/customers", again, key="again")
        self.assert_problem(response, 409, "exists")
        conflict = self.conflicts("insert_exists")
        self.assertEqual(conflict.res_id, self.customer.id)
        self.assertEqual(conflict.line_ids.mapped("field_name"), ["name"])
        self.assertEqual(self.customer.name, "Nordwind Handel")

    def test_creating_the_same_again_is_no_conflict(self):
        response = self.call("POST", "/customers", NORDWIND, key="again")
        self.assert_problem(response, 409, "exists")
        self.assertFalse(self.conflicts("insert_exists"))

    def test_a_late_patch_of_an_old_state_overwrites_nothing(self):
        self.customer.name = "Renamed in Odoo"
        self.env.flush_all()
        change = {"name": "Renamed in the shop", "phone": "+49 40 1"}
        request = self.patch_later(change, self.tag)
        self.customer.invalidate_recordset()
        self.assertEqual(self.customer.name, "Renamed in Odoo")
        conflict = self.conflicts("stale_version")
        self.assertIn("name", conflict.line_ids.mapped("field_name"))
        self.assertEqual(request.outcome_status, 200)
        self.assertIn("name", request.decisions["held"])

    def test_a_late_patch_of_the_present_state_is_simply_done(self):
        self.patch_later({"name": "Renamed in the shop"}, self.tag)
        self.customer.invalidate_recordset()
        self.assertEqual(self.customer.name, "Renamed in the shop")
        self.assertFalse(self.conflicts("stale_version"))

    def test_a_late_patch_of_what_nobody_knows_waits_for_a_steward(self):
        request = self.patch_later({"name": "Who?"}, "*", "C-9")
        self.assertEqual(request.outcome_status, 404)
        conflict = self.conflicts("update_missing")
        self.assertEqual(conflict.external_id, "C-9")
        self.assertEqual(conflict.line_ids.mapped("field_name"), ["name"])
        response = self.call(
            "PATCH", "/customers/C-8", {"name": "X"}, key="p", If_Match="*"
        )
        self.assert_problem(response, 404, "not_found")
        self.assertEqual(self.conflicts("update_missing"), conflict)

    def test_one_who_waits_is_told_to_read_again(self):
        self.customer.name = "Renamed in Odoo"
        self.env.flush_all()
        response = self.call(
            "PATCH", "/customers/C-1", {"name": "X"}, key="p", If_Match=self.tag
        )
        self.assert_problem(response, 412, "precondition_failed")
        self.assertFalse(self.conflicts("stale_version"))
