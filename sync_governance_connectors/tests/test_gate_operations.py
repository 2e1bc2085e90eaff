# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import base64
import json
from unittest.mock import patch

from openapi_spec_validator import validate

from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests.common import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..tools import pointer, token
from .gate_common import GateCase

BASE = "sync_governance_base"


@tagged("post_install", "-at_install")
class TestGateBulk(GateCase):
    def _bulk(self, items, key="bulk-1"):
        response = self.call("POST", "/tags/bulk", {"items": items}, key=key)
        self.assertEqual(response.status_code, 207, response.text)
        return response.json()["items"]

    def _items(self, count):
        return [
            {"external_id": f"T-{number}", "name": f"Tag {number}"}
            for number in range(count)
        ]

    def test_items_stand_alone(self):
        self.create_tag("T-0", "Old")
        items = self._items(5)
        items[1] = {"external_id": "T-1"}
        items[3]["name"] = "explode"
        items.append({"external_id": "T-4", "name": "Twice"})
        with self.muted():
            results = self._bulk(items)
        self.assertEqual(
            [result["status"] for result in results], [200, 422, 201, 500, 201, 200]
        )
        self.assertEqual(results[1]["problem"]["errors"][0]["pointer"], "/name")
        self.assertEqual(results[2]["data"]["name"], "Tag 2")
        self.assertTrue(self.tags("Tag 0") and self.tags("Twice"))
        self.assertFalse(self.tags("left over") or self.tags("Old"))

    def test_each_item_is_kept_as_a_request(self):
        self._bulk(self._items(3))
        parent = self.env["sync.request"].search(
            [("system_id", "=", self.system.id), ("child_ids", "!=", False)]
        )
        self.assertEqual(parent.response_status, 207)
        self.assertEqual(
            sorted(parent.child_ids.mapped("external_id")), ["T-0", "T-1", "T-2"]
        )

    def test_whole_call_is_replayed(self):
        first = self._bulk(self._items(2))
        again = self.call("POST", "/tags/bulk", {"items": self._items(2)}, key="bulk-1")
        self.assertEqual(again.json()["items"], first)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")

    def test_items_with_keys_are_applied_once_across_calls(self):
        items = [
            {**item, "idempotency_key": f"i-{item['external_id']}"}
            for item in self._items(2)
        ]
        first = self._bulk(items)
        again = self._bulk(items, key="bulk-2")
        self.assertTrue(all(result["replayed"] for result in again))
        self.assertEqual(
            [result["data"] for result in first], [r["data"] for r in again]
        )
        items[0]["name"] = "Changed"
        (changed, _same) = self._bulk(items, key="bulk-3")
        self.assertEqual(changed["problem"]["code"], "idempotency_key_reused")

    def test_envelope_is_closed(self):
        for body in ({}, {"items": []}, {"items": [1]}, {"items": [{}], "x": 1}):
            response = self.call("POST", "/tags/bulk", body, key="k")
            self.assert_problem(response, 422, "validation_failed")


@tagged("post_install", "-at_install")
class TestGateLater(GateCase):
    BODY = {"external_id": "T-1", "name": "Later"}

    def test_accepted_then_done(self):
        with trap_jobs() as trap:
            response = self.call(
                "POST", "/tags", self.BODY, key="k", Prefer="respond-async"
            )
            self.assertEqual(response.status_code, 202, response.text)
            href = response.json()["href"].removeprefix("/sync/v1")
            self.assertEqual(self.call("GET", href).json()["state"], "validated")
            self.assertFalse(self.tags("Later"))
            trap.assert_jobs_count(1, only=self.env["sync.request"]._do_later)
        self.env["sync.request"]._do_later(response.json()["request"])
        self.env["sync.request"]._do_later(response.json()["request"])  # harmless
        self.assertTrue(self.tags("Later"))
        done = self.call("GET", href).json()
        self.assertEqual((done["state"], done["status"]), ("applied", 201))
        self.assertEqual(done["result"]["name"], "Later")
        again = self.call("POST", "/tags", self.BODY, key="k", Prefer="respond-async")
        self.assertEqual(again.content, response.content)

    def accepted(self, **values):
        """A call that was accepted."""
        body = {**self.BODY, **values}
        with trap_jobs():
            response = self.call(
                "POST", "/tags", body, key=body["name"], Prefer="respond-async"
            )
        self.assertEqual(response.status_code, 202, response.text)
        domain = [("ref", "=", response.json()["request"])]
        return self.env["sync.request"].search(domain)

    def issue(self):
        return self.env["sync.issue"].search([("fingerprint", "=", "later:gate_shop")])

    def assert_refused_late(self, request, code):
        self.env.flush_all()  # as at the end of the transaction that closed it
        request._do_later(request.ref)
        self.assertEqual((request.state, request.error_code), ("refused", code))
        self.assertTrue(request.quarantine_reason)
        self.assertEqual(json.loads(request.sudo().outcome_body)["code"], code)
        self.assertFalse(self.tags("Later"))
        self.assertEqual(self.issue().state, "open")

    def run_again(self, request):
        """What an operator does. :return: whether a job came of it"""
        operator = new_test_user(
            self.env, "late.operator", f"{BASE}.group_sync_operator"
        )
        with trap_jobs() as trap:
            request.with_user(operator).action_run_again()
            is_queued = bool(trap.enqueued_jobs)
            trap.perform_enqueued_jobs()
        return is_queued

    def test_what_was_accepted_is_not_done_with_a_revoked_key(self):
        request = self.accepted()
        self.credential.action_revoke()
        self.assert_refused_late(request, "credential_not_usable")
        # an operator says that it is to be done nevertheless
        self.run_again(request)
        self.assertEqual((request.state, request.outcome_status), ("applied", 201))
        self.assertFalse(request.quarantine_reason)
        self.assertTrue(self.tags("Later"))
        self.assertEqual(self.issue().state, "resolved")
        logged = self.env["sync.audit"].search([("action", "=", "request.run_again")])
        self.assertEqual(logged.res_id, request.id)

    def test_what_was_accepted_is_not_done_for_a_paused_system(self):
        request = self.accepted()
        self.system.action_pause()
        self.assert_refused_late(request, "system_paused")
        self.run_again(request)  # not an operator's to say
        self.assertEqual(request.state, "refused")
        self.assertFalse(self.tags("Later"))

    def test_what_was_accepted_is_not_done_without_the_scope(self):
        request = self.accepted()
        self.credential.scope_ids.unlink()
        self.assert_refused_late(request, "scope_missing")

    def test_only_an_operator_has_it_done(self):
        request = self.accepted()
        self.credential.action_revoke()
        self.assert_refused_late(request, "credential_not_usable")
        viewer = new_test_user(self.env, "late.viewer", f"{BASE}.group_sync_viewer")
        with self.assertRaises(UserError):
            request.with_user(viewer).action_run_again()
        self.assertEqual(request.state, "refused")

    def test_a_call_that_was_refused_at_once_is_not_run_again(self):
        self.call("POST", "/tags", {}, key="k")
        request = self.last_request()
        with self.assertRaises(UserError):
            self.run_again(request)
        self.assertEqual(request.state, "refused")

    def test_another_calls_success_does_not_close_the_issue(self):
        request = self.accepted()
        self.system.action_pause()
        self.assert_refused_late(request, "system_paused")
        self.system.action_go_live()
        another = self.accepted(external_id="T-2", name="Another")
        another._do_later(another.ref)
        self.assertEqual(another.state, "applied")
        self.assertEqual(self.issue().state, "open")
        self.run_again(request)
        self.assertEqual(request.state, "applied")
        self.assertEqual(self.issue().state, "resolved")

    def test_what_is_run_again_is_pending_for_its_sender(self):
        request = self.accepted()
        self.credential.scope_ids.unlink()
        self.assert_refused_late(request, "scope_missing")
        with trap_jobs():
            request.sudo()._do_again()
        told = self.env["sync.resource.request"]._body(request.sudo())
        self.assertEqual(
            (told["state"], told["status"]), ("validated", None), "not refused any more"
        )
        self.assertNotIn("scope_missing", json.dumps(told["result"]))

    def test_a_call_that_is_run_again_queues_one_job(self):
        gate = self.registry["sync.gate"]
        keep, failures = gate._keep, [ConcurrencyError("meanwhile")]

        def keep_or_fail(model, passage):
            kept = keep(model, passage)
            if failures:
                raise failures.pop()
            return kept

        with patch.object(gate, "_keep", keep_or_fail), trap_jobs() as trap:
            response = self.call(
                "POST", "/tags", self.BODY, key="k", Prefer="respond-async"
            )
            self.assertEqual(response.status_code, 202, response.text)
            trap.assert_jobs_count(1, only=self.env["sync.request"]._do_later)
        self.assertFalse(failures)

    def test_bodies_are_checked_before_they_are_accepted(self):
        response = self.call("POST", "/tags", {}, key="k", Prefer="respond-async")
        self.assert_problem(response, 422, "validation_failed")

    def test_requests_of_others_are_not_shown(self):
        self.create_tag()
        ref = self.last_request().ref
        _credential, other = self._issue(self._make_system("gate_other"), ["tag:*"])
        response = self.call("GET", f"/requests/{ref}", token=other)
        self.assert_problem(response, 404, "not_found")
        listed = self.call("GET", "/requests", token=other).json()["data"]
        self.assertNotIn(ref, [row["external_id"] for row in listed])

    def test_operator_rehearses_without_a_trace(self):
        self.create_tag()
        request = self.last_request()
        operator = new_test_user(
            self.env, "gate_operator", groups="sync_governance_base.group_sync_operator"
        )
        viewer = new_test_user(
            self.env, "gate_viewer", groups="sync_governance_base.group_sync_viewer"
        )
        with self.assertRaises(UserError):
            request.with_user(viewer).action_rehearse()
        before = self.env["sync.request"].search_count([])
        action = request.with_user(operator).action_rehearse()
        shown = self.env["sync.request.rehearsal"].browse(action["res_id"])
        self.assertEqual(shown.status, 409, "the tag exists by now")
        self.assertEqual(self.env["sync.request"].search_count([]), before)


@tagged("post_install", "-at_install")
class TestGateOauth(GateCase):
    def _token(self, form, **headers):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.url_open("/sync/v1/oauth/token", data=form, headers=sent)

    def _basic(self, client_id, secret):
        return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()

    def test_client_credentials(self):
        prefix = token.parse(self.key).prefix
        form = {"grant_type": "client_credentials", "scope": "tag:read"}
        response = self._token(form, Authorization=self._basic(prefix, self.key))
        self.assertEqual(response.status_code, 200, response.text)
        access = response.json()["access_token"]
        self.assertEqual(response.json()["scope"], "tag:read")
        self.assertEqual(self.call("GET", "/tags", token=access).status_code, 200)
        self.assert_problem(
            self.call("POST", "/tags", {}, key="k", token=access), 403, "scope_missing"
        )
        self.assertFalse(
            self.env["sync.request"].search([("response_body", "ilike", access)])
        )
        self.credential.action_revoke()
        self.assert_problem(
            self.call("GET", "/tags", token=access), 401, "credential_not_usable"
        )

    def test_key_in_the_form(self):
        bearer = token.parse(self.key)
        form = {
            "grant_type": "client_credentials",
            "client_id": bearer.prefix,
            "client_secret": bearer.secret,
        }
        self.assertEqual(self._token(form).status_code, 200)

    def test_refusals(self):
        grant = {"grant_type": "client_credentials"}
        document = self.assert_problem(
            self._token({**grant, "client_secret": "x"}), 401, "credential_invalid"
        )
        self.assertEqual(document["error"], "invalid_client")
        document = self.assert_problem(
            self._token({"grant_type": "password"}), 400, "grant_type_unsupported"
        )
        self.assertEqual(document["error"], "unsupported_grant_type")
        widened = {**grant, "client_secret": self.key, "scope": "tag:own"}
        self.assert_problem(self._token(widened), 400, "scope_invalid")

    def test_forged_token(self):
        sealed = token.seal(
            token.AccessClaims(9_999_999_999, ("tag:read",)),
            token.parse(self.key).prefix,
            b"x",
        )
        response = self.call("GET", "/tags", token=token.render(sealed))
        self.assert_problem(response, 401, "credential_invalid")


@tagged("post_install", "-at_install")
class TestDescription(GateCase):
    def test_openapi_is_valid_and_its_examples_too(self):
        document = self.url_open("/sync/v1/openapi.json").json()
        self.assertEqual(document["openapi"], "3.1.0")
        validate(document)
        schemas = document["components"]["schemas"]
        checked = 0
        for path, item in document["paths"].items():
            for method in item.keys() & {"post", "put", "patch"}:
                for content in item[method]["requestBody"]["content"].values():
                    schema = content["schema"]
                    if "$ref" in schema:
                        schema = schemas[schema["$ref"].rpartition("/")[2]]
                    self.assertEqual(
                        pointer.validate(schema, content["example"]), [], (method, path)
                    )
                    checked += 1
        self.assertGreater(checked, 10)

    def test_every_event_is_described(self):
        document = self.url_open("/sync/v1/openapi.json").json()
        names = set(self.env["sync.event.type"].search([]).mapped("name"))
        self.assertEqual(set(document["webhooks"]), names)
        channels = self.url_open("/sync/v1/asyncapi.json").json()["channels"]
        self.assertEqual({one["title"] for one in channels.values()}, names)

    def test_health(self):
        response = self.url_open("/sync/v1/health")
        self.assertEqual(
            (response.status_code, response.json()["status"]), (200, "pass")
        )


@tagged("post_install", "-at_install")
class TestGateAttacks(GateCase):
    def test_records_of_another_system_are_not_to_be_had(self):
        self.create_tag("T-1", "Mine")
        _credential, other = self._issue(self._make_system("gate_other"), ["tag:*"])
        for method, path, body in (
            ("GET", "/tags/T-1", None),
            ("PATCH", "/tags/T-1", {"name": "Taken"}),
            ("POST", "/tags/T-1/archive", {}),
            ("GET", f"/tags/{self.tags('Mine').id}", None),
        ):
            response = self.call(method, path, body, key="k", token=other, If_Match="*")
            self.assert_problem(response, 404, "not_found")
        self.assertEqual(self.call("GET", "/tags", token=other).json()["data"], [])
        self.assertTrue(self.tags("Mine").active)

    def test_header_and_log_injection(self):
        response = self.call("GET", "/tags/T%0d%0aX-Evil:%201")
        self.assert_problem(response, 404, "not_found")
        self.assertNotIn("X-Evil", response.headers)
        self.call("GET", "/tags/T%1b[31m")
        self.assertTrue(self.last_request().path.isprintable())

    def test_sql_and_domain_in_ids_and_filters(self):
        for path in (
            "/tags/'%20OR%201=1--",
            "/tags/[('id','!=',0)]",
            "/tags/%25",
            "/tags/..%2f..%2fweb",
        ):
            self.assertEqual(self.call("GET", path).status_code, 404, path)
        for query in (
            "order=id",
            "limit=1;drop",
            "limit=%00",
            "cursor=WzEsMV0",
            "limit=²",
        ):
            self.assertEqual(self.call("GET", f"/tags?{query}").status_code, 400, query)

    def test_session_and_odoo_key_open_nothing(self):
        self.authenticate("admin", "admin")
        response = self.url_open("/sync/v1/tags")
        self.assert_problem(response, 401, "credential_invalid")

    def test_large_and_deep_bodies(self):
        for raw in (
            b'{"a":' * 2000 + b"1" + b"}" * 2000,
            b'{"color":' + b"9" * 400 + b"}",
            b'{"color":1e400}',
        ):
            self.assert_problem(
                self.call("POST", "/tags", raw=raw, key="k"), 400, "json_invalid"
            )

    def test_sensitive_words_never_reach_the_log_of_requests(self):
        body = {"external_id": "T", "name": "x", "api_key": "s3cr3t"}
        self.call("POST", "/tags", body, key="k")
        kept = json.dumps(self.last_request().sudo().read()[0], default=str)
        self.assertNotIn("s3cr3t", kept)
