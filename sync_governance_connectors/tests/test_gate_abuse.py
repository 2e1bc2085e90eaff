# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import secrets
from contextlib import closing
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests.common import tagged
from odoo.tools import config, mute_logger

from ..models.sync_gate_plan import MAX_SLOTS, SLOT_SPACES
from ..models.sync_rate_counter import FAILURES
from ..tools import token
from ..tools.caller import Allowance
from ..tools.problem import Problem
from ..tools.ratelimit import Limit
from .gate_common import GateCase


@tagged("post_install", "-at_install")
class TestGateAbuse(GateCase):
    """What somebody sends who wants to fill the database, or to learn something."""

    def setUp(self):
        super().setUp()
        self.env["sync.rate.counter"].search([]).unlink()
        self.stop_the_clock()

    def kept(self):
        return self.env["sync.request"].search_count([])

    def flood(self, *call, **options):
        """Requests kept of more failures than an address may have."""
        before = self.kept()
        for _try in range(FAILURES.burst + 10):
            response = self.call(*call, **options)
        self.assertGreaterEqual(response.status_code, 400)
        return self.kept() - before

    def test_a_stranger_fills_no_table(self):
        most = FAILURES.burst
        self.assertEqual(self.flood("GET", "/tags", Accept="text/html"), most)
        self.env["sync.rate.counter"].search([]).unlink()
        self.assertEqual(self.flood("POST", "/oauth/token", raw=b"x"), most)

    def test_a_revoked_key_fills_no_table(self):
        self.credential.action_revoke()
        self.assertEqual(self.flood("GET", "/tags"), FAILURES.burst)

    def test_made_up_prefixes_leave_no_counters(self):
        for _try in range(FAILURES.burst + 20):
            guess = token.render(token.generate(secrets.token_bytes))
            self.call("GET", "/tags", token=guess)
        counters = self.env["sync.rate.counter"].search_count([])
        # one of the address, and one for each prefix that was looked at
        self.assertEqual(counters, FAILURES.burst + 1)

    def test_a_forged_token_is_no_oracle(self):
        """Sealed with what stands in for the digest of keys that are not there."""
        answers = set()
        for prefix in (self.credential.prefix, "bbbbbbbb"):
            body = token._base64(b"no json")
            signature = token._signature(body, prefix, token.NO_DIGEST.encode())
            forged = f"sgt_{prefix}_{body}.{signature}"
            response = self.call("GET", "/tags", token=forged)
            document = self.assert_problem(response, 401, "credential_invalid")
            answers.add(document["detail"])
        self.assertEqual(len(answers), 1)

    def test_what_is_refused_counts_against_the_plan(self):
        self.plan.write({"per_minute": 1, "burst": 2})
        calls = [
            self.call("GET", "/nothing"),
            self.call("DELETE", "/tags"),
            self.call("GET", "/tags"),
        ]
        self.assertEqual([one.status_code for one in calls], [404, 405, 429])

    def test_tokens_count_against_the_plan(self):
        self.plan.write({"per_minute": 1, "burst": 1})
        form = f"grant_type=client_credentials&client_secret={self.key}"
        codes = [
            self.call(
                "POST",
                "/oauth/token",
                raw=form.encode(),
                Content_Type="application/x-www-form-urlencoded",
            ).status_code
            for _call in range(2)
        ]
        self.assertEqual(codes, [200, 429])
        request = self.last_request()
        self.assertNotIn(self.key, request.sudo().request_body or "")

    def test_the_last_slot_costs_no_more_than_the_first(self):
        allowance = Allowance("credential", 10**6, "test", Limit(), 50, 1024)
        first = SLOT_SPACES["credential"] + allowance.holder_id * MAX_SLOTS
        gate, taken = self.env["sync.gate"], range(first, first + 50)
        with closing(db_connect(self.cr.dbname).cursor()) as other:
            for slot in taken:
                other.execute("SELECT pg_advisory_xact_lock(%s)", [slot])
            before = self.cr.sql_log_count
            try:
                gate._take_slot(allowance)
                status = None
            except Problem as refused:
                status = refused.status
            self.assertEqual((status, self.cr.sql_log_count - before), (429, 1))
        gate._take_slot(allowance)

    def test_an_impossible_value_is_no_twin(self):
        with (
            self.assertRaises(Problem) as refused,
            mute_logger("odoo.sql_db"),
            self.env["sync.gate"]._business("req_test"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute("UPDATE sync_plan SET burst = 0")
        self.assertEqual(refused.exception.status, 422)

    def test_nobody_speaks_for_the_proxy(self):
        """Behind a proxy the last address counts, which the proxy itself has added."""
        self.credential.allowed_networks = "192.0.2.0/24"
        inside = {"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Host": "odoo"}
        chain = {**inside, "X_Forwarded_For": "192.0.2.1, 198.51.100.7"}
        self.assert_problem(self.call("GET", "/tags", **inside), 403, "address_refused")
        with patch.dict(config.options, {"proxy_mode": True}):
            self.assert_problem(
                self.call("GET", "/tags", **chain), 403, "address_refused"
            )
            self.assertEqual(self.call("GET", "/tags", **inside).status_code, 200)
        self.assertIn(
            "198.51.100.7", self.env["sync.request"].search([]).mapped("remote_addr")
        )
