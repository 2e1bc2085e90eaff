# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tests.common import tagged

from ..models.sync_idempotency import SyncIdempotency
from .fake_resource import FakeResource
from .gate_common import GateCase

BODY = {"external_id": "T-1", "name": "Gold"}


@tagged("post_install", "-at_install")
class TestGateIdempotency(GateCase):
    def test_missing_and_malformed_keys(self):
        self.assert_problem(
            self.call("POST", "/tags", BODY), 400, "idempotency_key_missing"
        )
        for key in ("x" * 256, '"open', "two words"):
            self.assert_problem(
                self.call("POST", "/tags", BODY, key=key),
                400,
                "idempotency_key_invalid",
            )

    def test_replay_is_byte_identical_and_has_no_second_effect(self):
        first = self.call("POST", "/tags", BODY, key="k-1")
        again = self.call("POST", "/tags", BODY, key='"k-1"')
        self.assertEqual(again.status_code, 201)
        self.assertEqual(again.content, first.content)
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        self.assertEqual(again.headers["Location"], first.headers["Location"])
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertNotIn("Idempotent-Replayed", first.headers)
        self.assertEqual(len(self.tags("Gold")), 1)
        duplicate = self.last_request()
        self.assertEqual(duplicate.state, "duplicate")
        self.assertEqual(
            duplicate.replay_of, self.env["sync.request"].search([], limit=2)[1].ref
        )

    def test_same_key_with_another_payload(self):
        self.call("POST", "/tags", BODY, key="k-1")
        other = {**BODY, "external_id": "T-2"}
        self.assert_problem(
            self.call("POST", "/tags", other, key="k-1"), 422, "idempotency_key_reused"
        )

    def test_key_counts_per_route_and_credential(self):
        self.call("POST", "/tags", BODY, key="k-1")
        response = self.call("POST", "/tags/T-1/archive", key="k-1")
        self.assertEqual(response.status_code, 200, response.text)
        _credential, other = self._issue(self._make_system("gate_other"), ["tag:*"])
        response = self.call("POST", "/tags", BODY, key="k-1", token=other)
        self.assertEqual(response.status_code, 201)
        self.assertNotIn("Idempotent-Replayed", response.headers)

    def test_refusals_are_not_stored(self):
        self.call("POST", "/tags", {"external_id": "T-1"}, key="k-1")
        response = self.call("POST", "/tags", BODY, key="k-1")
        self.assertEqual(response.status_code, 201, response.text)

    def test_crash_is_stored_and_replayed(self):
        body = {**BODY, "name": "explode"}
        with self.muted():
            first = self.call("POST", "/tags", body, key="k-1")
        self.assertEqual(first.status_code, 500)
        self.assertFalse(self.tags("left over"), "a failed call leaves nothing")
        again = self.call("POST", "/tags", body, key="k-1")
        self.assertEqual(again.content, first.content)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")

    def test_twin_of_a_running_call_waits(self):
        with patch.object(SyncIdempotency, "_lock", return_value=set()):
            response = self.call("POST", "/tags", BODY, key="k-1")
        self.assert_problem(response, 409, "idempotency_key_in_use")
        self.assertEqual(response.headers["Retry-After"], "1")

    def test_claim_of_a_crashed_worker_is_taken_over(self):
        self.call("POST", "/tags", BODY, key="k-1")
        claim = self.env["sync.idempotency"].search(
            [("credential_id", "=", self.credential.id)]
        )
        # A worker that was killed leaves its claim, but no request and no lock.
        claim.request_ref = "req_killed"
        other = {**BODY, "external_id": "T-2", "name": "Silver"}
        response = self.call("POST", "/tags", other, key="k-1")
        self.assertEqual(response.status_code, 201, response.text)
        self.assertTrue(self.tags("Silver"))

    def test_odoo_runs_the_call_again_after_a_serialization_failure(self):
        real, tries = FakeResource._create, []

        def fail_once(resource, body, call):
            tries.append(call.request_ref)
            if len(tries) == 1:
                raise ConcurrencyError()
            return real(resource, body, call)

        with (
            patch.object(self.registry["sync.resource.fake"], "_create", fail_once),
            patch("odoo.service.model.time.sleep"),
        ):
            response = self.call("POST", "/tags", BODY, key="k-1")
        self.assertEqual(response.status_code, 201, response.text)
        self.assertEqual(len(tries), 2)
        self.assertEqual(tries[0], tries[1], "the same request, run again")
        self.assertEqual(len(self.tags("Gold")), 1)
        again = self.call("POST", "/tags", BODY, key="k-1")
        self.assertEqual(again.content, response.content)

    def test_keys_expire_after_a_week_and_are_pruned(self):
        self.call("POST", "/tags", BODY, key="k-1")
        claim = self.env["sync.idempotency"].search(
            [("credential_id", "=", self.credential.id)]
        )
        self.assertGreaterEqual(
            claim.expires_at, fields.Datetime.now() + timedelta(days=6, hours=23)
        )
        claim.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.assert_problem(self.call("POST", "/tags", BODY, key="k-1"), 409, "exists")
        claim.invalidate_recordset()
        claim.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.env.flush_all()
        self.env["sync.idempotency"]._gc_expired()
        self.assertFalse(claim.exists())

    def test_put_may_carry_a_key(self):
        body = {"name": "Gold"}
        first = self.call("PUT", "/tags/T-1", body, key="k-1")
        again = self.call("PUT", "/tags/T-1", body, key="k-1")
        self.assertEqual((first.status_code, again.status_code), (201, 201))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
