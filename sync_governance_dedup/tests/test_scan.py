# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestScan(DedupCase):
    """A scan as its manager starts it, run by its own jobs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            login="dedup_manager",
            groups="base.group_user,sync_governance_base.group_sync_integration_manager",
        )

    def _twins(self):
        address = {
            "street": "Hauptstraße 5",
            "zip": "10115",
            "city": "Berlin",
            "country_id": self.env.ref("base.de").id,
        }
        one = self.Partner.create(
            {
                "name": "Quandt & Söhne GmbH",
                "is_company": True,
                "phone": "+49 30 901827",
                **address,
            }
        )
        other = self.Partner.create(
            {
                "name": "Quant und Soehne",
                "is_company": True,
                "phone": "030/901827",
                **address,
                "street": "Hauptstr. 5",
            }
        )
        return one | other

    def _scan(self):
        self.env["sync.duplicate.scan"].search([]).unlink()
        with trap_jobs() as trap:
            self.rule.with_user(self.manager).action_scan()
            while trap.enqueued_jobs:
                jobs = list(trap.enqueued_jobs)
                trap.enqueued_jobs.clear()
                for job in jobs:
                    job.perform()
        return self.env["sync.duplicate.scan"].search([("rule_id", "=", self.rule.id)])

    def test_a_manager_starts_a_scan_that_finds_the_twins(self):
        twins = self._twins()
        scan = self._scan()
        self.assertEqual(scan.state, "done")
        self.assertGreaterEqual(scan.total, 2)
        group = self.Group.search([("member_ids.record_id", "in", twins.ids)])
        self.assertEqual(set(group.member_ids.mapped("record_id")), set(twins.ids))
        self.assertGreaterEqual(group.score, 0.9)
        self.assertTrue(group.evidence_ids)

    def test_a_failed_job_shows_on_the_scan(self):
        scan = self.env["sync.duplicate.scan"].create({"rule_id": self.rule.id})
        with trap_jobs() as trap:
            scan._start()
            (job,) = trap.enqueued_jobs
        job.on_fail({"exc_message": "No space left", "exc_name": "OSError"})
        self.assertEqual(scan.state, "failed")
        self.assertEqual(scan.error, "No space left")

    def test_records_of_before_the_rule_are_compared_with_new_ones(self):
        one, other = self._twins()
        self.env["sync.duplicate.key"].search([]).unlink()
        self._scan()
        found = self.rule._find_candidates(self.rule.model_name, other)
        self.assertIn(one.id, [candidate.record_id for candidate in found])
