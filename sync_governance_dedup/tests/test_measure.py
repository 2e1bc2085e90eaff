# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestMeasure(DedupCase):
    """What was found, decided, undone and prevented, and what it took."""

    def figures(self, *aggregates, user=None, **conditions):
        self.env.flush_all()
        domain = [(name, "=", value) for name, value in conditions.items()]
        return dict(
            (row[0], row[1:])
            for row in self.env["sync.duplicate.measure"]
            .with_user(user or self.steward)
            ._read_group(
                domain + [("rule_id", "in", [self.rule.id, False])],
                ["fact"],
                aggregates or ["__count"],
            )
        )

    def decided(self):
        one, other, third = [
            self.as_steward(self.group_of(self.partners(*names)))
            for names in (("A1", "A2"), ("B1", "B2"), ("C1", "C2"))
        ]
        one.action_merge(seconds=4)
        other.action_merge(seconds=8)
        third.action_not_duplicate(seconds=6)
        return one, other, third

    def test_facts(self):
        before = self.figures()
        one, _other, third = self.decided()
        self.env["sync.merge.service"]._undo(one.journal_ids, "Wrong")
        one.journal_ids._close_group("Wrong", True)
        Door = self.env["sync.duplicate.prevention"].with_user(self.steward)
        record_id = third.member_ids[0].record_id
        Door.note_choice("res.partner", record_id, 0.9, "used")
        Door.note_choice("res.partner", record_id, 0.9, "created", "Another one")
        after = self.figures()
        grown = {
            fact: after[fact][0] - before.get(fact, (0,))[0]
            for fact in (
                "found",
                "merged",
                "different",
                "undone",
                "prevented",
                "anyway",
            )
        }
        self.assertEqual(
            grown,
            {
                "found": 3,
                "merged": 2,
                "different": 1,
                "undone": 1,
                "prevented": 1,
                "anyway": 1,
            },
        )

    def test_time_and_precision_of_decisions(self):
        self.env["sync.duplicate.group"].search([]).unlink()
        self.decided()
        self.env.flush_all()
        [(seconds, precision)] = self.env["sync.duplicate.measure"]._read_group(
            [("rule_id", "=", self.rule.id)],
            [],
            ["decision_seconds:avg", "precision:avg"],
        )
        self.assertEqual((seconds, round(precision, 3)), (6, 0.667))

    def test_a_rules_own_merges_say_nothing_of_its_precision(self):
        group = self.group_of(self.partners("A", "B"), 0.9999)
        records = self.Partner.browse(group.member_ids.mapped("record_id"))
        group._merge_records(records, None, None, "Safe band", automatic=True)
        self.env.flush_all()
        row = self.env["sync.duplicate.measure"].search(
            [("fact", "=", "merged")], limit=1
        )
        self.assertTrue(row)
        [(precision,)] = self.env["sync.duplicate.measure"]._read_group(
            [("id", "=", row.id)], [], ["precision:avg"]
        )
        self.assertFalse(precision)

    def test_nothing_of_other_companies(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        before = self.figures(fact="found")
        self.group_of(self.partners("A", "B", company_id=company.id))
        self.group_of(
            self.partners("C", company_id=company.id)
            | self.partners("D", company_id=self.env.company.id)
        )
        self.assertEqual(self.figures(fact="found"), before)

    def test_rate_of_a_system(self):
        a, b, c, d = self.partners("A", "B", "C", "D")
        for number, record in enumerate((a, b, c, d)):
            self.env["sync.crosswalk"]._link(self.shop, record, f"S-{number}")
        self.env["sync.crosswalk"]._link(self.wms, d, "W-1")
        self.as_steward(self.group_of(a | b)).action_merge()
        self.as_steward(self.group_of(c | d)).action_not_duplicate()
        self.env.flush_all()
        rates = {
            rate.system_id: (rate.known_count, rate.duplicate_count, rate.rate)
            for rate in self.env["sync.duplicate.rate"]
            .with_user(self.steward)
            .search([])
        }
        self.assertEqual(rates[self.shop], (4, 2, 0.5))
        self.assertEqual(rates[self.wms], (1, 0, 0.0))
