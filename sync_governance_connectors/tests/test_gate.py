# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo.tests.common import tagged

from .gate_common import GateCase


@tagged("post_install", "-at_install")
class TestGate(GateCase):
    def test_create_answers_the_record_and_its_tag(self):
        response = self.create_tag(color=3)
        body = response.json()
        self.assertEqual(body["external_id"], "T-1")
        self.assertEqual(body["sync"], {"applied": ["color", "name"], "held": []})
        self.assertEqual(response.headers["Location"], "/sync/v1/tags/T-1")
        self.assertTrue(response.headers["ETag"].startswith('"'))
        self.assertEqual(self.tags("Gold").color, 3)

    def test_read(self):
        created = self.create_tag()
        response = self.call("GET", "/tags/T-1")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            response.json(), {"external_id": "T-1", "name": "Gold", "color": 0}
        )
        self.assertEqual(response.headers["ETag"], created.headers["ETag"])
        unchanged = self.call(
            "GET", "/tags/T-1", If_None_Match=response.headers["ETag"]
        )
        self.assertEqual((unchanged.status_code, unchanged.content), (304, b""))
        head = self.call("HEAD", "/tags/T-1")
        self.assertEqual((head.status_code, head.content), (200, b""))

    def test_unknown_record(self):
        self.assert_problem(self.call("GET", "/tags/nope"), 404, "not_found")

    def test_patch_needs_the_state_it_is_based_on(self):
        tag = self.create_tag().headers["ETag"]
        change = {"color": 5}
        self.assert_problem(
            self.call("PATCH", "/tags/T-1", change, key="p1"),
            428,
            "precondition_required",
        )
        self.assert_problem(
            self.call("PATCH", "/tags/T-1", change, key="p2", If_Match='"old"'),
            412,
            "precondition_failed",
        )
        done = self.call("PATCH", "/tags/T-1", change, key="p3", If_Match=tag)
        self.assertEqual(done.status_code, 200, done.text)
        self.assertNotEqual(done.headers["ETag"], tag)
        self.assertEqual(self.tags("Gold").color, 5)
        knowingly = self.call(
            "PATCH", "/tags/T-1", {"color": None}, key="p4", If_Match="*"
        )
        self.assertEqual(knowingly.json()["color"], 0)

    def test_put_creates_then_replaces(self):
        response = self.call("PUT", "/tags/T-9", {"name": "New", "color": 2})
        self.assertEqual(response.status_code, 201, response.text)
        tag = response.headers["ETag"]
        self.assert_problem(
            self.call("PUT", "/tags/T-9", {"name": "X"}, If_None_Match="*"),
            412,
            "precondition_failed",
        )
        replaced = self.call("PUT", "/tags/T-9", {"name": "Newer"}, If_Match=tag)
        self.assertEqual(replaced.json()["color"], 0)
        self.assert_problem(
            self.call(
                "PUT", "/tags/T-9", {"name": "x", "external_id": "T-8"}, If_Match="*"
            ),
            422,
            "validation_failed",
        )

    def test_transition_with_and_without_body(self):
        self.create_tag()
        response = self.call("POST", "/tags/T-1/archive", key="a")
        self.assertEqual(response.status_code, 200, response.text)
        again = self.call("POST", "/tags/T-1/archive", {}, key="b")
        self.assertEqual(again.status_code, 200, again.text)

    def test_business_refusal_is_422_and_a_crash_500_without_detail(self):
        self.create_tag()
        document = self.assert_problem(
            self.call("POST", "/tags/T-1/refuse", key="r"), 422, "business_rule"
        )
        self.assertEqual(document["detail"], "Not on a Sunday.")
        with self.muted():
            response = self.call("POST", "/tags/T-1/explode", key="e")
        self.assert_problem(response, 500, "internal_error")
        self.assertNotIn("secret detail", response.text)

    def test_schema_faults_come_all_at_once(self):
        document = self.assert_problem(
            self.call("POST", "/tags", {"color": 99, "company_id": 1}, key="k"),
            422,
            "validation_failed",
        )
        self.assertEqual(
            {(error["pointer"], error["code"]) for error in document["errors"]},
            {
                ("/external_id", "required"),
                ("/name", "required"),
                ("/color", "invalid"),
                ("/company_id", "unknown_field"),
            },
        )

    def test_addresses_and_methods(self):
        self.assert_problem(self.call("GET", "/nothing"), 404, "no_such_path")
        self.assert_problem(self.call("GET", "/tags/a/b/c"), 404, "no_such_path")
        self.assert_problem(self.call("GET", "/tags/%00"), 404, "no_such_path")
        response = self.call("DELETE", "/tags/T-1")
        self.assert_problem(response, 405, "method_not_allowed")
        self.assertEqual(response.headers["Allow"], "GET, HEAD, PUT, PATCH")

    def test_media_types(self):
        body = {"external_id": "T-1", "name": "x"}
        response = self.call("POST", "/tags", body, key="k", Content_Type="text/plain")
        self.assert_problem(response, 415, "media_type_unsupported")
        response = self.call(
            "PATCH", "/tags/T-1", {}, key="k", Content_Type="application/json"
        )
        self.assert_problem(response, 415, "media_type_unsupported")
        self.assertEqual(
            response.headers["Accept-Patch"], "application/merge-patch+json"
        )
        self.assert_problem(
            self.call("GET", "/tags/T-1", Accept="text/html"), 406, "not_acceptable"
        )

    def test_bodies_that_are_no_sound_json(self):
        for raw in (b"", b"{", b'{"a":1,"a":2}', b"[" * 5000, rb'{"name":"\u0000"}'):
            self.assert_problem(
                self.call("POST", "/tags", raw=raw, key="k"), 400, "json_invalid"
            )

    def test_body_over_the_plan_is_refused(self):
        self.plan.max_body_kb = 1
        body = {"external_id": "T-1", "name": "x" * 2000}
        self.assert_problem(
            self.call("POST", "/tags", body, key="k"), 413, "body_too_large"
        )

    def test_list_pages_by_cursor(self):
        for number in range(5):
            self.create_tag(f"T-{number}", f"Tag {number}")
        seen, path = [], "/tags?limit=2"
        while path:
            response = self.call("GET", path)
            page = response.json()
            seen += [tag["external_id"] for tag in page["data"]]
            cursor = page["next_cursor"]
            path = f"/tags?limit=2&cursor={cursor}" if cursor else None
            self.assertEqual(
                'rel="next"' in response.headers.get("Link", ""), bool(cursor)
            )
        self.assertEqual(sorted(seen), [f"T-{number}" for number in range(5)])
        future = self.call("GET", "/tags?updated_since=2999-01-01T00:00:00Z")
        self.assertEqual(future.json(), {"data": [], "next_cursor": None})

    def test_made_up_parameters(self):
        document = self.assert_problem(
            self.call("GET", "/tags?limit=0&updated_since=now&domain=[]"),
            400,
            "parameter_invalid",
        )
        self.assertEqual(
            [error["pointer"] for error in document["errors"]],
            ["domain", "limit", "updated_since"],
        )
        self.assert_problem(
            self.call("GET", "/tags?cursor=%27--"), 400, "cursor_invalid"
        )

    def test_every_answer_carries_its_headers(self):
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        response = self.call("GET", "/tags", X_Request_Id="my-1", traceparent=parent)
        self.assertEqual(response.headers["X-Request-Id"], "my-1")
        self.assertEqual(response.headers["traceparent"], parent)
        self.assertIn('"test";q=6000;w=60', response.headers["RateLimit-Policy"])
        self.assertRegex(response.headers["RateLimit"], r'^"test";r=\d+;t=\d+$')
        self.assertNotIn("Set-Cookie", response.headers)
        forged = self.call("GET", "/tags", X_Request_Id="a b")
        self.assertTrue(forged.headers["X-Request-Id"].startswith("req_"))

    def test_the_call_is_kept_with_trace_and_masked_body(self):
        self.create_tag()
        request = self.last_request()
        self.assertEqual(request.state, "applied")
        self.assertEqual(request.system_id, self.system)
        self.assertEqual((request.route, request.operation), ("/tags", "create"))
        self.assertEqual(request.external_id, "T-1")
        self.assertEqual(request.res_id, self.tags("Gold").id)
        steps = [step["step"] for step in request.trace]
        self.assertEqual(
            steps,
            "proxy credential plan scope idempotency content_type schema apply".split(),
        )
        self.assertTrue(all(step["ms"] >= 0 for step in request.trace))
        self.assertEqual(json.loads(request.request_shown)["name"], "Gold")
        self.assertIn("apply", request.trace_html)
        self.assertIn("name", request.decisions_html)

    def test_refused_calls_are_kept_too(self):
        self.call("POST", "/tags", {"password": "hunter2"}, key="k")
        request = self.last_request()
        self.assertEqual(
            (request.state, request.error_code), ("refused", "validation_failed")
        )
        self.assertEqual(request.response_status, 422)
        self.assertNotIn("hunter2", request.sudo().request_body)
        self.assertFalse(request.replayable)

    def test_nobody_reads_raw_bodies(self):
        from odoo.exceptions import AccessError
        from odoo.tests.common import new_test_user

        self.create_tag()
        viewer = new_test_user(
            self.env, "gate_viewer", groups="sync_governance_base.group_sync_viewer"
        )
        request = self.last_request().with_user(viewer)
        self.assertIn("Gold", request.request_shown)
        for name in ("request_body", "response_body"):
            with self.assertRaises(AccessError):
                request.read([name])
        with self.assertRaises(AccessError):
            request.write({"state": "applied"})
