import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, TransactionCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestIssue(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sync.route"].search([]).active = False
        cls.operator = new_test_user(
            cls.env, "issue.operator", groups="sync_governance_base.group_sync_operator"
        )
        cls.other = new_test_user(
            cls.env, "issue.other", groups="sync_governance_base.group_sync_operator"
        )
        cls.viewer = new_test_user(
            cls.env, "issue.viewer", groups="sync_governance_base.group_sync_viewer"
        )
        cls.team = cls.env["sync.team"].create(
            {"name": "Desk", "member_ids": [(6, 0, (cls.operator | cls.other).ids)]}
        )
        cls.wms = cls.env["sync.system"].create(
            {"name": "WMS", "code": "issue_wms", "kind": "wms"}
        )

    def _raise(self, fingerprint="dead:1", **values):
        defaults = {
            "title": "Orders are rejected",
            "kind": "delivery.dead",
            "system": self.wms,
        }
        return self.env["sync.issue"]._raise(fingerprint, **{**defaults, **values})

    def _route(self, **values):
        return self.env["sync.route"].create({"team_id": self.team.id, **values})

    def test_many_strikes_are_one_issue_and_one_activity(self):
        self._route()
        issues = self.env["sync.issue"].browse()
        for number in range(500):
            issues |= self._raise(value_at_risk=100.0 + number)
        self.assertEqual(len(issues), 1)
        self.assertEqual(issues.occurrences, 500)
        self.assertEqual(issues.value_at_risk, 599.0)
        self.assertEqual(len(issues.activity_ids), 1)
        self.assertEqual(issues.activity_ids.user_id, self.operator)
        self.assertIn("WMS: Orders are rejected, 500 times", issues.headline)

    def test_highest_severity_stays(self):
        issue = self._raise(severity="error")
        self._raise(severity="warning")
        self.assertEqual(issue.severity, "error")
        self._raise(severity="critical")
        self.assertEqual(issue.severity, "critical")

    def test_recovery_closes_issue_and_activity(self):
        self._route()
        issue = self._raise()
        self.assertEqual(self.env["sync.issue"]._recover("dead:1", "200 again"), issue)
        self.assertEqual((issue.state, issue.recovered), ("resolved", True))
        self.assertEqual(issue.resolution, "200 again")
        self.assertFalse(issue.activity_ids)
        self.assertFalse(self.env["sync.issue"]._recover("dead:1", "again"))
        again = self._raise()
        self.assertNotEqual(again, issue)
        self.assertEqual(again.past_ids, issue)

    def test_routes_are_tried_in_order(self):
        second = self.env["sync.team"].create(
            {"name": "Second", "leader_id": self.viewer.id}
        )
        self._route(sequence=1, kind="access")
        self._route(sequence=2, min_severity="error")
        self._route(
            sequence=3, kind="delivery", system_id=self.wms.id, team_id=second.id
        )
        self.assertEqual(self._raise("a").team_id, second)
        self.assertEqual(self._raise("a").user_id, self.viewer)
        self.assertEqual(self._raise("b", severity="error").team_id, self.team)
        self.assertFalse(self._raise("c", kind="deliveryman", system=None).team_id)

    def test_the_member_with_the_fewest_open_issues_is_next(self):
        self._route()
        users = [self._raise(f"f{number}").user_id for number in range(4)]
        self.assertEqual(users, [self.operator, self.other] * 2)

    def test_domain_team_without_a_route(self):
        partner_model = self.env["ir.model"]._get("res.partner")
        domain = self.env["sync.domain"].create(
            {
                "name": "Issue customers",
                "code": "issue_customers",
                "criticality": "a",
                "team_id": self.team.id,
                "model_ids": [(6, 0, partner_model.ids)],
            }
        )
        issue = self._raise(record=self.env.user.partner_id)
        self.assertEqual(issue.domain_id, domain)
        self.assertEqual(issue.team_id, self.team)

    def test_an_operator_works_on_it(self):
        self._route()
        issue = self._raise().with_user(self.other)
        issue.action_acknowledge()
        self.assertEqual((issue.state, issue.user_id), ("acknowledged", self.other))
        self.assertEqual(issue.activity_ids.user_id, self.other)
        self._decide(issue, "snooze", until=fields.Datetime.now() + timedelta(hours=1))
        self.assertEqual(issue.state, "snoozed")
        self.env["sync.issue"]._cron_wake()
        self.assertEqual(issue.state, "snoozed")
        issue.sudo().snoozed_until = fields.Datetime.now()
        self.env["sync.issue"]._cron_wake()
        self.assertEqual(issue.state, "open")
        self._decide(issue, "resolve")
        self.assertEqual((issue.state, issue.recovered), ("resolved", False))
        with self.assertRaises(UserError):
            issue.action_acknowledge()

    def _decide(self, issue, decision, **values):
        action = (
            issue.action_snooze() if decision == "snooze" else issue.action_resolve()
        )
        wizard = self.env["sync.issue.decide"].with_user(issue.env.user)
        wizard.with_context(**action["context"]).create(
            {"reason": "Because", **values}
        ).action_confirm()

    def test_a_viewer_only_looks(self):
        issue = self._raise().with_user(self.viewer)
        self.assertTrue(issue.headline)
        with self.assertRaises(AccessError):
            issue.action_acknowledge()
        with self.assertRaises(AccessError):
            self.env["sync.issue.decide"].with_user(self.viewer).create(
                {"issue_ids": issue.ids, "decision": "resolve", "reason": "x"}
            )

    def test_companies_do_not_mix(self):
        other = self.env["res.company"].create({"name": "Other"})
        here, there = self._raise(), None
        there = (
            self.env["sync.issue"]
            .with_company(other)
            ._raise("dead:1", "Orders are rejected", "delivery.dead")
        )
        self.assertNotEqual(here, there)
        self.assertEqual(
            self.env["sync.issue"].with_user(self.viewer).search([]) & (here | there),
            here,
        )


@tagged("post_install", "-at_install")
class TestIssueRace(BaseCase):
    """Real connections that really commit; the issue is deleted at the end."""

    FINGERPRINT = "race:test_issue"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.addClassCleanup(cls._remove)

    @classmethod
    def _remove(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["sync.issue"].search([("fingerprint", "=", cls.FINGERPRINT)]).unlink()

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_eight_workers_one_issue_exact_count(self):
        start = threading.Barrier(8)
        failures = []

        def strike():
            start.wait(30)
            for _number in range(5):
                try:
                    with self.registry.cursor() as cr:
                        env = api.Environment(cr, SUPERUSER_ID, {})
                        retrying(
                            lambda env=env: env["sync.issue"]._raise(
                                self.FINGERPRINT, "Raced", "test.race"
                            ),
                            env,
                        )
                except Exception as error:
                    failures.append(error)

        threads = [threading.Thread(target=strike) for _number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            issue = env["sync.issue"].search([("fingerprint", "=", self.FINGERPRINT)])
            self.assertEqual(len(issue), 1)
            self.assertLessEqual(len(issue.activity_ids), 1)
            # who gives up after five retries is reported, never counted half
            self.assertEqual(issue.occurrences + len(failures), 40)
