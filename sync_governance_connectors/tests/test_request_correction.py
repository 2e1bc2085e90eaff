# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import ResourceCase

BODY = {"type": "customer.created", "data": {"external_id": "C-88"}}
MENDED = {
    **BODY,
    "data": {"external_id": "C-88", "name": "Ada", "email": "a@b.example"},
}


@tagged("post_install", "-at_install")
class TestRequestCorrection(ResourceCase):
    """A quarantined message gets another body: one asks, another one approves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada, cls.eve, cls.viewer = (
            new_test_user(
                cls.env,
                f"correct_{name}",
                groups=f"sync_governance_base.group_sync_{role}",
            )
            for name, role in (
                ("ada", "operator"),
                ("eve", "operator"),
                ("vic", "viewer"),
            )
        )
        cls.request = cls.env["sync.request"].create(
            {
                "ref": "req_correct",
                "kind": "hook",
                "state": "received",
                "system_id": cls.shop.id,
                "company_id": cls.company.id,
                "event_type": "customer.created",
                "event_id": "e-88",
                "request_body": json.dumps(BODY),
            }
        )
        cls.request._process_hook()

    def ask(self, payload=None, user=None, reason="The shop forgot the name"):
        payload = payload or MENDED
        request = self.request.with_user(user or self.ada)
        action = request.action_correct()
        form = Form(
            self.env[action["res_model"]]
            .with_user(user or self.ada)
            .with_context(**action["context"])
        )
        self.assertEqual(json.loads(form.payload), BODY)
        form.payload = payload if isinstance(payload, str) else json.dumps(payload)
        form.reason = reason
        result = form.save().action_request()
        return self.env["sync.request.correction"].browse(result["res_id"])

    def test_two_people_mend_a_message_and_it_runs(self):
        self.assertEqual(self.request.state, "quarantined")
        correction = self.ask()
        self.assertIn('+    "name": "Ada"', correction.difference)
        self.assertEqual(json.loads(self.request.request_body), BODY, "not yet")
        with self.assertRaisesRegex(AccessError, "second person"):
            correction.with_user(self.ada).action_approve()
        with trap_jobs() as trap:
            correction.with_user(self.eve).action_approve()
            trap.perform_enqueued_jobs()
        self.assertEqual(self.request.state, "applied", self.request.quarantine_reason)
        link = self.env["sync.crosswalk"]._resolve(self.shop, "res.partner", "C-88")
        self.assertEqual(self.env["res.partner"].browse(link.res_id).name, "Ada")
        self.assertEqual(json.loads(correction.payload_before), BODY, "kept")
        self.assertEqual(
            (correction.requester_id, correction.decided_by_id), (self.ada, self.eve)
        )
        log = self.env["sync.audit"].search(
            [("action", "like", "request.correct")], order="id"
        )
        self.assertEqual(
            log.mapped("action"), ["request.correction_requested", "request.corrected"]
        )
        self.assertEqual(log.mapped("user_id"), self.ada | self.eve)
        self.assertNotIn("b.example", str(log.read()), "digests, no bodies")
        with self.assertRaises(UserError):
            self.request.with_user(self.ada).action_correct()

    def test_refused_or_withdrawn_changes_nothing(self):
        for decider in (self.eve, self.ada):
            correction = self.ask()
            with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
                with self.env.cr.savepoint():
                    self.ask()
            with trap_jobs() as trap:
                correction.with_user(decider).action_refuse()
                trap.assert_jobs_count(0)
            self.assertEqual(correction.state, "refused")
            with self.assertRaisesRegex(UserError, "decided already"):
                correction.with_user(self.eve).action_approve()
        self.assertEqual(json.loads(self.request.request_body), BODY)

    def test_only_another_json_body_with_a_reason(self):
        for payload, reason in (
            (BODY, "Same"),
            ("{", "No JSON"),
            ('{"a": 1, "a": 2}', "Read in two ways"),
            (MENDED, " "),
        ):
            with self.assertRaises(UserError):
                self.ask(payload, reason=reason)

    def test_what_came_again_since_is_not_overwritten(self):
        correction = self.ask()
        newer = json.dumps({**BODY, "data": {"external_id": "C-88", "email": "x"}})
        self.request.request_body = newer
        with self.assertRaisesRegex(UserError, "sent this row again"):
            correction.with_user(self.eve).action_approve()
        self.assertEqual(self.request.request_body, newer)

    def test_another_companys_body_is_not_told(self):
        foreign = self.request.copy(
            {"ref": "req_foreign", "event_id": "e-89", "state": "quarantined"}
        )
        foreign.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        Wizard = self.env["sync.request.correct"].with_user(self.ada)
        values = {"request_id": foreign.id, "reason": "Curious"}
        with self.assertRaises(AccessError):
            Wizard.onchange(values, ["request_id"], {"payload": {}})
        with self.assertRaises(AccessError):
            Wizard.create({**values, "payload": "{}"})
        wizard = Wizard.create(
            {**values, "request_id": self.request.id, "payload": "{}"}
        )
        with self.assertRaises(AccessError):
            wizard.request_id = foreign
            wizard.read(["payload"])

    def test_rights(self):
        correction = self.ask()
        with self.assertRaises(AccessError):
            self.request.with_user(self.viewer).action_correct()
        for method in ("action_approve", "action_refuse"):
            with self.assertRaises(AccessError):
                getattr(correction.with_user(self.viewer), method)()
        with self.assertRaises(AccessError):
            correction.with_user(self.viewer).read(["payload_before"])
        with self.assertRaises(AccessError):
            correction.with_user(self.eve).payload_after = "{}"
        foreign = self.env["res.company"].create({"name": "Elsewhere"})
        self.request.company_id = foreign
        with self.assertRaises(AccessError):
            correction.with_user(self.eve).action_approve()
