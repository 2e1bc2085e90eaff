# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestSuggest(DedupCase):
    def test_members_and_evidence_are_stored(self):
        a, b = self.partners("Ann Miller", "Anne Miller")
        group = self.group_of(a | b)
        self.assertEqual(group.member_ids.mapped("record_id"), [a.id, b.id])
        self.assertEqual(group.member_count, 2)
        self.assertEqual(group.state, "suggested")
        self.assertAlmostEqual(group.score, 0.97)
        self.assertEqual(group.name, "Ann Miller / Anne Miller")
        lines = group.evidence_ids
        self.assertEqual(lines.mapped("field_name"), ["name", "prior"])
        self.assertEqual((lines[0].left_value, lines[0].weight), ("Ann Miller", 9.5))

    def test_a_new_record_joins_the_group_that_waits(self):
        a, b, c = self.partners("Ann Miller", "Anne Miller", "A. Miller")
        group = self.group_of(a | b)
        again = self.Group._suggest(
            self.rule, [self.found(b | c, 0.8)], checked_ids=c.ids
        )
        self.assertEqual(again, group)
        self.assertEqual(set(group.member_ids.mapped("record_id")), {a.id, b.id, c.id})
        self.assertEqual(group.member_count, 3)
        self.assertAlmostEqual(group.score, 0.8)

    def test_two_waiting_groups_become_one(self):
        a, b, c, d = self.partners("A", "B", "C", "D")
        first, second = self.group_of(a | b), self.group_of(c | d)
        self.Group._suggest(self.rule, [self.found(b | c)])
        self.assertFalse(second.exists())
        self.assertEqual(first.member_count, 4)

    def test_a_group_is_torn_when_a_member_moves_to_another(self):
        a, b, c, d = self.partners("A", "B", "C", "D")
        group = self.group_of(a | b | c)
        made = self.Group._suggest(
            self.rule,
            [self.found(a | b), self.found(c | d)],
            checked_ids=(a | b | c | d).ids,
        )
        self.assertEqual(len(made), 2)
        self.assertEqual(set(group.member_ids.mapped("record_id")), {a.id, b.id})
        other = made - group
        self.assertEqual(set(other.member_ids.mapped("record_id")), {c.id, d.id})

    def test_a_record_that_matches_no_more_leaves(self):
        a, b = self.partners("A", "B")
        group = self.group_of(a | b)
        self.Group._suggest(self.rule, [], checked_ids=b.ids)
        self.assertFalse(group.exists())

    def test_many_groups_at_once(self):
        records = self.partners(*[f"N{number}" for number in range(400)])
        found = [self.found(records[place : place + 2]) for place in range(0, 400, 2)]
        self.Group._suggest(self.rule, found[:1])
        with self.assertQueryCount(60):
            groups = self.Group._suggest(self.rule, found[1:])
        self.assertEqual(len(groups), 199)

    def test_a_deleted_record_leaves_its_group(self):
        a, b, c = self.partners("A", "B", "C")
        group, lonely = self.group_of(a | b | c), self.partners("D", "E")
        pair = self.group_of(lonely)
        (c | lonely[0]).unlink()
        self.assertEqual(group.member_count, 2)
        self.assertFalse(pair.exists())

    def test_one_job_for_all_changes_of_a_transaction(self):
        self.env.cr.precommit.run()
        with trap_jobs() as trap:
            records = self.partners(*[f"N{number}" for number in range(20)])
            records[:5].write({"phone": "+49 30 1234"})
            records[0].write({"comment": "is not compared"})
            self.env.cr.precommit.run()
            trap.assert_jobs_count(1, only=self.rule._check_changed)
            job = trap.enqueued_jobs[0]
            self.assertEqual(job.args, (records.ids,))
            self.assertEqual(job.channel, "root.sync_dedup")

    def test_uncompared_fields_make_no_job(self):
        partner = self.partners("A")
        self.env.cr.precommit.run()
        with trap_jobs() as trap:
            partner.write({"comment": "is not compared"})
            self.env.cr.precommit.run()
            trap.assert_jobs_count(0)

    def test_job_makes_groups_and_is_repeatable(self):
        a, b = self.partners("Ann Miller", "Anne Miller")
        engine = type(self.env["sync.duplicate.engine"])
        with patch.object(
            engine, "_check", lambda engine, rule, ids: [self.found(a | b)]
        ):
            self.rule._check_changed(a.ids)
            self.rule._check_changed(b.ids)
        groups = self.Group.search([("member_ids.record_id", "in", (a | b).ids)])
        self.assertEqual(len(groups), 1)

    def test_job_of_a_vanished_record(self):
        gone = self.partners("A")
        record_ids = gone.ids
        gone.unlink()
        self.rule._check_changed(record_ids)

    def test_source_system_is_that_of_the_newest_member(self):
        a, b = self.partners("A", "B")
        self.env["sync.crosswalk"]._link(self.wms, a, "W1")
        self.env["sync.crosswalk"]._link(self.shop, b, "S1")
        self.assertEqual(self.group_of(a | b).system_id, self.shop)
