# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import Cursor
from odoo.tests.common import new_test_user, tagged

from ..models.sync_rate_counter import FAILURES
from ..tools import token
from .gate_common import GateCase


@tagged("post_install", "-at_install")
class TestCredential(GateCase):
    def test_only_a_hash_is_kept(self):
        secret = token.parse(self.key).secret
        self.env.cr.execute("SELECT secret_hash FROM sync_credential")
        self.assertNotIn(secret, str(self.env.cr.fetchall()))
        officer = new_test_user(
            self.env,
            "gate_officer",
            groups="sync_governance_base.group_sync_security_officer",
        )
        with self.assertRaises(AccessError):
            self.credential.with_user(officer).read(["secret_hash"])

    def test_unknown_and_wrong_are_told_apart_by_nothing(self):
        known = token.parse(self.key)
        wrong = token.render(token.Bearer("sgk", known.prefix, "a" * 52))
        unknown = token.render(token.Bearer("sgk", "aaaaaaaa", "a" * 52))
        answers = []
        with patch.object(token, "matches", wraps=token.matches) as compared:
            for key in (wrong, unknown, "garbage"):
                response = self.call("GET", "/tags", token=key)
                document = self.assert_problem(response, 401, "credential_invalid")
                document.pop("instance")
                kept = dict(response.headers)
                for volatile in ("Date", "X-Request-Id", "Content-Length"):
                    kept.pop(volatile, None)
                answers.append((document, kept))
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])
        self.assertEqual(compared.call_count, 3)

    def test_what_is_read_for_an_unknown_prefix_opens_nothing(self):
        """As much is read as for a known one, of a key that was not asked for."""
        gate = self.env["sync.gate"]
        known, _failures = gate._load_credential(self.credential.prefix, "192.0.2.1")
        other, _failures = gate._load_credential("a" * 8, "192.0.2.1")
        self.assertEqual((known["known"], other["known"]), (True, False))
        self.assertTrue(other["scopes"])
        # not even with the secret of the very key that is read
        read = self.env["sync.credential"].browse(other["credential_id"])
        secret = token.parse(self.key).secret
        read.sudo().secret_hash = token.digest(secret)
        self.env.flush_all()
        other, _failures = gate._load_credential("a" * 8, "192.0.2.1")
        bearer = token.Bearer("sgk", "a" * 8, secret)
        self.assertTrue(token.matches(secret, other["secret_hash"]))
        self.assertIsNone(gate._proven_scopes(bearer, other, 0))
        sealed = token.seal(
            token.AccessClaims(10**10, tuple(other["scopes"])),
            "a" * 8,
            other["secret_hash"].encode(),
        )
        self.assertIsNone(gate._proven_scopes(sealed, other, 0))
        response = self.call("GET", "/tags", token=token.render(bearer))
        self.assert_problem(response, 401, "credential_invalid")
        self.assertFalse(self.last_request().credential_id)

    def test_scope_escalation(self):
        _credential, reader = self._issue(self.system, ["tag:read"])
        response = self.call("POST", "/tags", {}, key="k", token=reader)
        self.assert_problem(response, 403, "scope_missing")
        self.assertIn('scope="tag:write"', response.headers["WWW-Authenticate"])
        self.assertEqual(self.call("GET", "/tags", token=reader).status_code, 200)

    def test_states_and_expiry(self):
        for values in (
            {"state": "revoked"},
            {"state": "pending"},
            {"state": "active", "expires_at": fields.Datetime.now() - timedelta(1)},
        ):
            self.credential.write(values)
            self.assert_problem(self.call("GET", "/tags"), 401, "credential_not_usable")
        self.credential.write({"expires_at": fields.Datetime.now() + timedelta(1)})
        self.system.state = "paused"
        self.assert_problem(self.call("GET", "/tags"), 403, "system_paused")

    def test_rotation_overlaps(self):
        successor, key = self.credential._rotate()
        self.assertEqual(self.credential.state, "overlapping")
        self.assertEqual(self.call("GET", "/tags").status_code, 200)
        self.assertEqual(self.call("GET", "/tags", token=key).status_code, 200)
        self.assertEqual(
            successor.scope_ids.mapped("display_name"),
            self.credential.scope_ids.mapped("display_name"),
        )
        with self.assertRaises(UserError):
            self.credential._rotate()
        self.credential.action_end_overlap()
        self.assert_problem(self.call("GET", "/tags"), 401, "credential_not_usable")

    def test_address_list(self):
        self.credential.allowed_networks = "192.0.2.0/24, 2001:db8::/32"
        self.assert_problem(self.call("GET", "/tags"), 403, "address_refused")
        self.credential.allowed_networks = "127.0.0.0/8"
        self.assertEqual(self.call("GET", "/tags").status_code, 200)
        with self.assertRaises(ValidationError):
            self.credential.allowed_networks = "nowhere"

    def test_guessing_is_slowed_and_told_once(self):
        self.stop_the_clock()
        guess = f"sgk_{self.credential.prefix}_{'a' * 52}"
        for _try in range(10):
            response = self.call("GET", "/tags", token=guess)
            self.assert_problem(response, 401, "credential_invalid")
        for token_sent in (guess, self.key):
            response = self.call("GET", "/tags", token=token_sent)
            self.assert_problem(response, 429, "abnormal_usage_detected")
            self.assertEqual(response.headers["Retry-After"], "10")
        kept = self.env["sync.request"].search_count(
            [("system_id", "=", self.system.id)]
        )
        self.assertEqual(kept, 10)
        issues = self.env["sync.issue"].search(
            [
                ("kind", "=", "security"),
                ("fingerprint", "ilike", self.credential.prefix),
            ]
        )
        self.assertEqual(len(issues), 1)

    def test_wrong_keys_of_a_neighbour_are_not_in_the_way(self):
        domain = [("error_code", "=", "credential_invalid"), ("system_id", "=", False)]
        before = self.env["sync.request"].search_count(domain)
        self.stop_the_clock()
        for _try in range(FAILURES.burst + 10):
            self.call("GET", "/tags", token="wrong")
        self.assertEqual(self.call("GET", "/tags").status_code, 200)
        kept = self.env["sync.request"].search_count(domain) - before
        self.assertLessEqual(kept, FAILURES.burst, "a flood is not kept in full")

    def test_plan_limits_rate_day_and_concurrency(self):
        self.stop_the_clock()
        self.plan.write({"per_minute": 60, "burst": 2})
        codes = [self.call("GET", "/tags").status_code for _call in range(3)]
        self.assertEqual(codes, [200, 200, 429])
        response = self.call("GET", "/tags")
        document = self.assert_problem(response, 429, "quota_exceeded")
        self.assertEqual(document["violated-policies"], ["test"])
        self.assertEqual(response.headers["Retry-After"], "1")
        self.plan.write({"per_minute": 0, "per_day": 2})
        document = self.assert_problem(self.call("GET", "/tags"), 429, "quota_exceeded")
        self.assertEqual(document["violated-policies"], ["test-daily"])

    def test_last_use_of_key_and_scope(self):
        self.call("GET", "/tags")
        self.credential.invalidate_recordset()
        self.assertTrue(self.credential.last_used_at)
        self.assertEqual(self.credential.last_ip, "127.0.0.1")
        used = self.credential.scope_ids.filtered("last_used_on")
        self.assertEqual(used.mapped("display_name"), ["tag:read"])
        self.assertEqual(self.credential.unused_scope_count, 2)

    def test_manager_asks_and_officer_activates(self):
        manager = new_test_user(
            self.env,
            "gate_manager",
            groups="sync_governance_base.group_sync_integration_manager",
        )
        officer = new_test_user(
            self.env,
            "gate_officer",
            groups="sync_governance_base.group_sync_security_officer",
        )
        wizard = (
            self.env["sync.credential.issue"]
            .with_user(manager)
            .create(
                {
                    "account_id": self.credential.account_id.id,
                    "name": "WMS key",
                    "plan_id": self.plan.id,
                    "read_domain_ids": self.domain.ids,
                }
            )
        )
        action = wizard.action_issue()
        key = action["context"]["default_key"]
        credential = self.env["sync.credential"].search([("name", "=", "WMS key")])
        self.assertEqual(credential.state, "pending")
        self.assert_problem(
            self.call("GET", "/tags", token=key), 401, "credential_not_usable"
        )
        with self.assertRaises(UserError):
            credential.with_user(manager).action_activate()
        credential.with_user(officer).action_activate()
        self.assertEqual(self.call("GET", "/tags", token=key).status_code, 200)

    def test_nobody_issues_a_key_of_another_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        system = self._make_system("gate_elsewhere")
        system.company_id = other
        account = self.env["sync.service.account"]._create_for(system, "tests")
        officer = new_test_user(
            self.env, "gate_o", "sync_governance_base.group_sync_security_officer"
        )
        wizard = self.env["sync.credential.issue"].with_user(officer)
        with self.assertRaises(AccessError):
            wizard.create(
                {
                    "account_id": account.id,
                    "name": "Theirs",
                    "plan_id": self.plan.id,
                    "read_domain_ids": self.domain.ids,
                }
            ).action_issue()

    def test_nobody_opens_a_key_past_the_buttons(self):
        """Readonly is readonly over RPC, and a key in use gets no wider."""
        groups = "sync_governance_base.group_sync_%s"
        manager = new_test_user(self.env, "gate_m", groups % "integration_manager")
        officer = new_test_user(self.env, "gate_o", groups % "security_officer")
        narrow, _key = self._issue(self.system, ["tag:read"])
        scope = {
            "credential_id": narrow.id,
            "domain_id": self.domain.id,
            "operation": "write",
        }
        with self.assertRaises(AccessError):
            self.env["sync.credential.scope"].with_user(manager).create(scope)
        narrow.action_revoke()
        other = self._make_system("gate_other")
        account = self.env["sync.service.account"]._create_for(other, "tests")
        for values in ({"state": "active"}, {"account_id": account.id}):
            with self.assertRaises(AccessError):
                narrow.with_user(officer).write(values)
        narrow.with_user(officer).write({"name": "Narrow"})

    def test_expiry_is_closed_and_announced(self):
        self.credential.expires_at = fields.Datetime.now() + timedelta(days=3)
        old, _key = self._issue(
            self.system, ["tag:read"], lifetime=timedelta(seconds=-1)
        )
        self.env["sync.credential"]._cron_expire()
        self.assertEqual(old.state, "expired")
        issues = self.env["sync.issue"].search([("kind", "=", "credential_expiry")])
        self.assertEqual(len(issues), 1)

    def test_a_reminder_ends_with_its_cause(self):
        self.credential.expires_at = fields.Datetime.now() + timedelta(days=3)
        self.env["sync.credential"]._cron_expire()
        issue = self.env["sync.issue"].search([("kind", "=", "credential_expiry")])
        self.assertEqual(issue.state, "open")
        self.credential._rotate()
        self.assertEqual(issue.state, "resolved")

    def test_a_review_that_is_due_is_an_issue(self):
        account = self.credential.account_id
        account.review_date = fields.Date.today() - timedelta(days=1)
        for _day in range(2):
            self.env["sync.credential"]._cron_expire()
        issue = self.env["sync.issue"].search(
            [("kind", "=", "credential_review"), ("res_id", "=", account.id)]
        )
        self.assertEqual(issue.state, "open")
        self.assertIn(account.name, issue.title)
        account.review_date = fields.Date.today() + timedelta(days=90)
        self.assertEqual(issue.state, "resolved")

    def test_unknown_wrong_and_revoked_cost_the_same(self):
        """The steps of a refused key say nothing about it: neither how many, nor
        which. (What they take in time is measured in benchmarks/README.md.)
        """
        revoked, _key = self._issue(self.system, ["tag:read"])
        revoked.action_revoke()
        prefixes = {
            "wrong": self.credential.prefix,
            "revoked": revoked.prefix,
            "unknown": "bbbbbbbb",
        }
        self.env.flush_all()
        self.call(
            "GET", "/tags", token=token.render(token.Bearer("sgk", "c" * 8, "a" * 52))
        )
        steps = {}  # with warm caches
        for name, prefix in prefixes.items():
            key = token.render(token.Bearer("sgk", prefix, "a" * 52))
            with (
                patch.object(token, "matches", wraps=token.matches) as compared,
                patch.object(token, "digest", wraps=token.digest) as hashed,
                patch.object(
                    Cursor, "execute", autospec=True, side_effect=Cursor.execute
                ) as executed,
            ):
                response = self.call("GET", "/tags", token=key)
            self.assert_problem(response, 401, "credential_invalid")
            asked = [
                str(call.args[1].code)[:60]
                for call in executed.mock_calls
                if hasattr(call.args[1], "code")
            ]
            steps[name] = (compared.call_count, hashed.call_count, asked)
        self.assertEqual(steps["wrong"], steps["unknown"])
        self.assertEqual(steps["revoked"], steps["unknown"])

    def test_unknown_scopes_are_refused(self):
        for scope in ("tag:own", "nothing:read", "tag"):
            with self.assertRaises(UserError):
                self._issue(self.system, [scope])
