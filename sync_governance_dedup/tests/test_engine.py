# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestEngine(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = cls.env["sync.duplicate.engine"]
        germany = cls.env.ref("base.de")
        cls.address = {
            "street": "Hauptstraße 5",
            "zip": "10115",
            "city": "Berlin",
            "country_id": germany.id,
        }
        cls.hoffmann = cls.Partner.create(
            dict(
                cls.address,
                name="Hoffmann & Söhne GmbH",
                is_company=True,
                phone="+49 30 901820",
            )
        )
        cls.incoming = dict(
            cls.address,
            name="Hofmann und Soehne",
            phone="030/901820",
            street="Hauptstr. 5",
        )

    def candidates(self, values):
        self.env["sync.write.hook"]._dedup_settle()
        return self.engine._candidates(self.rule, values)

    def test_incoming_twin_is_found_with_evidence(self):
        [found] = self.candidates(self.incoming)
        self.assertEqual(found.record_id, self.hoffmann.id)
        self.assertGreaterEqual(found.probability, 0.9)
        levels = {line.field: line.level for line in found.evidence}
        self.assertEqual(
            (levels["name"], levels["phone"], levels["address"]),
            ("typo", "equal", "equal"),
        )

    def test_household_branch_and_colleague_are_not(self):
        branch = dict(
            self.incoming,
            street="Ring 9",
            zip="80331",
            city="München",
            phone="089/4711",
        )
        colleague = dict(self.incoming, name="Petra Krause", is_company=False)
        sister = dict(self.incoming, name="Krause Immobilien GmbH", is_company=True)
        for values in (branch, colleague, sister):
            self.assertFalse(self.candidates(values), values["name"])

    def test_a_record_is_not_its_own_candidate(self):
        self.assertFalse(self.candidates(dict(self.incoming, id=self.hoffmann.id)))

    def test_a_changed_record_is_checked_against_the_base(self):
        twin = self.Partner.create(self.incoming)
        self.env["sync.write.hook"]._dedup_settle()
        [group] = self.engine._check(self.rule, twin.ids)
        self.assertEqual(group.record_ids, (self.hoffmann.id, twin.id))
        twin.write({"name": "Petra Krause", "phone": "040 123456"})
        self.env["sync.write.hook"]._dedup_settle()
        self.assertFalse(self.engine._check(self.rule, twin.ids))

    def test_keys_follow_the_record(self):
        Key = self.env["sync.duplicate.key"]
        self.env["sync.write.hook"]._dedup_settle()
        domain = [("rule_id", "=", self.rule.id), ("res_id", "=", self.hoffmann.id)]
        self.assertTrue(Key.search_count(domain))
        self.hoffmann.active = False
        self.env["sync.write.hook"]._dedup_settle()
        self.assertFalse(Key.search_count(domain))

    def test_a_value_that_many_share_neither_explodes_nor_proves(self):
        self.Partner.create(
            [
                {"name": f"Kunde {chr(65 + n % 26)}{n} Laden", "email": "info@none.de"}
                for n in range(150)
            ]
        )
        found = self.candidates({"name": "Zeta Werk", "email": "info@none.de"})
        self.assertFalse(found)

    def test_a_scan_runs_through_its_phases_and_makes_groups(self):
        twin = self.Partner.create(self.incoming)
        scan = self.env["sync.duplicate.scan"].create({"rule_id": self.rule.id})
        scan._start()
        phases = []
        while scan.state == "running":
            phases.append(scan.phase)
            scan._advance()
        self.assertEqual(scan.state, "done")
        self.assertEqual(phases, ["keys", "compare", "group"])
        self.assertEqual(scan.progress, 100)
        group = self.Group.search([("rule_id", "=", self.rule.id)]).filtered(
            lambda each: twin.id in each.member_ids.mapped("record_id")
        )
        self.assertIn(self.hoffmann.id, group.member_ids.mapped("record_id"))
        self.assertTrue(sum(count for _low, count in self.engine._histogram(self.rule)))
        self.assertGreater(self.engine._scan_weights(self.rule)["rate"], 0)

    def test_a_paused_scan_does_nothing_and_a_cancelled_one_stays_so(self):
        scan = self.env["sync.duplicate.scan"].create({"rule_id": self.rule.id})
        scan._start()
        scan.action_pause()
        scan._run()
        self.assertEqual((scan.state, scan.phase), ("paused", "keys"))
        scan.action_resume()
        self.assertEqual(scan.state, "running")
        scan.action_cancel()
        with self.assertRaises(UserError):
            scan.action_resume()

    def test_a_denied_pair_never_shares_a_group(self):
        twin = self.Partner.create(self.incoming)
        self.env["sync.write.hook"]._dedup_settle()
        groups = self.engine._check(self.rule, twin.ids)
        group = self.Group._suggest(self.rule, groups)
        self.as_steward(group).action_not_duplicate()
        self.assertFalse(self.engine._check(self.rule, twin.ids))

    def test_decisions_propose_weights_and_store_nothing(self):
        twin = self.Partner.create(self.incoming)
        self.env["sync.write.hook"]._dedup_settle()
        before = self.rule.weights
        proposal = self.engine._train(
            self.rule, [(self.hoffmann.id, twin.id, False)] * 30
        )
        self.assertTrue(proposal["changes"])
        self.assertEqual(self.rule.weights, before)
