# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestDecide(DedupCase):
    def test_merge_is_decided_once(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        group.action_merge(seconds=12)
        self.assertEqual(group.state, "merged")
        self.assertEqual(group.decided_by_id, self.steward)
        self.assertEqual(group.decision_seconds, 12)
        with self.assertRaisesRegex(UserError, "already decided"):
            group.action_not_duplicate()

    def test_waits_in_the_inbox_until_it_is_decided(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        mine = [("res_model", "=", group._name), ("res_id", "=", group.id)]
        inbox = group.env["sync.inbox"]
        self.assertEqual(inbox.search(mine).title, group.display_name)
        group.action_merge()
        self.assertFalse(inbox.search(mine))

    def test_not_a_duplicate_is_remembered(self):
        a, b = self.partners("A", "B")
        self.as_steward(self.group_of(a | b)).action_not_duplicate(reason="Twins")
        denied = self.env["sync.duplicate.verdict"]._denied_pairs("res.partner", a.ids)
        self.assertEqual(denied, {(a.id, b.id)})

    def test_asked_again_only_if_a_compared_value_changed(self):
        a, b = self.partners("A", "B")
        self.as_steward(self.group_of(a | b)).action_not_duplicate()
        Verdict = self.env["sync.duplicate.verdict"]
        a.write({"comment": "Met them both", "website": "https://example.com"})
        self.env.cr.precommit.run()
        self.assertTrue(Verdict._denied_pairs("res.partner", a.ids))
        a.email = "b@example.com"
        self.env.cr.precommit.run()
        self.assertFalse(Verdict._denied_pairs("res.partner", a.ids))

    def test_same_value_written_again_is_no_change(self):
        a, b = self.partners("A", "B", phone="+49 30 1")
        self.as_steward(self.group_of(a | b)).action_not_duplicate()
        a.phone = "+49 30 1"
        self.env.cr.precommit.run()
        self.assertTrue(
            self.env["sync.duplicate.verdict"]._denied_pairs("res.partner", a.ids)
        )

    def test_denied_record_does_not_come_back_by_another_one(self):
        a, b, c = self.partners("A", "B", "C")
        group = self.as_steward(self.group_of(a | b | c))
        group.action_split(c.ids)
        self.assertEqual(set(group.member_ids.mapped("record_id")), {a.id, b.id})
        denied = self.env["sync.duplicate.verdict"]._denied_pairs("res.partner")
        self.assertTrue({(a.id, c.id), (b.id, c.id)} <= denied)
        self.assertNotIn((a.id, b.id), denied)

    def test_split_of_four(self):
        a, b, c, d = self.partners("A", "B", "C", "D")
        group = self.as_steward(self.group_of(a | b | c | d))
        group.action_split((c | d).ids)
        other = self.Group.search([("member_ids.record_id", "=", d.id)])
        self.assertEqual(set(other.member_ids.mapped("record_id")), {c.id, d.id})
        self.assertEqual(other.state, "suggested")
        self.assertEqual(len(other.evidence_ids), 2)

    def test_merge_of_a_part_leaves_the_rest_to_decide(self):
        a, b, c, d = self.partners("A", "B", "C", "D")
        group = self.as_steward(self.group_of(a | b | c | d))
        group.action_merge(record_ids=(a | b).ids, survivor_id=a.id)
        self.assertEqual((a | b).exists(), a)
        other = self.Group.search([("member_ids.record_id", "=", d.id)])
        self.assertEqual(other.state, "suggested")

    def test_deferred_comes_back(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        group.action_defer()
        self.assertEqual(group.state, "deferred")
        self.Group._wake_deferred()
        self.assertEqual(group.state, "deferred")
        group.sudo().deferred_until = fields.Date.today() - timedelta(days=1)
        self.Group._wake_deferred()
        self.assertEqual(group.state, "suggested")

    def test_a_verdict_is_taken_back(self):
        a, b, c = self.partners("A", "B", "C")
        group = self.as_steward(self.group_of(a | b | c))
        group.action_split(c.ids)
        group.action_not_duplicate(reason="Slip", seconds=3)
        group.action_reopen()
        self.assertEqual((group.state, group.decided_by_id.id), ("suggested", False))
        self.assertTrue(all(group.member_ids.mapped("is_open")))
        denied = self.env["sync.duplicate.verdict"]._denied_pairs("res.partner", a.ids)
        self.assertEqual(denied, {(a.id, c.id)}, "the split stays")
        self.assertIn("Not a Duplicate", group.sudo().message_ids[0].body)
        group.action_merge()
        with self.assertRaisesRegex(UserError, "cannot be taken back"):
            group.action_reopen()

    def test_a_deferral_is_taken_back(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        group.action_defer()
        group.action_reopen()
        self.assertEqual((group.state, group.deferred_until), ("suggested", False))

    def test_a_verdict_on_what_waits_elsewhere_stays(self):
        a, b, c = self.partners("A", "B", "C")
        group = self.as_steward(self.group_of(a | b))
        group.action_not_duplicate()
        self.group_of(b | c)
        with self.assertRaisesRegex(UserError, "another group"):
            group.action_reopen()
        self.assertEqual(group.state, "not_duplicate")
        denied = self.env["sync.duplicate.verdict"]._denied_pairs("res.partner", a.ids)
        self.assertEqual(denied, {(a.id, b.id)})

    def test_only_a_steward_takes_back(self):
        group = self.group_of(self.partners("A", "B"))
        self.as_steward(group).action_not_duplicate()
        viewer = new_test_user(
            self.env, "dedup_viewer", groups="sync_governance_base.group_sync_viewer"
        )
        with self.assertRaises(AccessError):
            group.with_user(viewer).action_reopen()

    def test_names_in_the_queue_cost_the_same_for_many_groups(self):
        for place in range(12):
            self.group_of(self.partners(f"Many {place}", f"Many {place} Ltd"))
        queue = self.env["sync.duplicate.workbench"].with_user(self.steward)

        def queries(limit):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(queue.get_queue(limit=limit)["groups"]), limit)
            return self.env.cr.sql_log_count - before

        queries(2)
        self.assertEqual(queries(12), queries(2))

    def test_a_record_is_found_in_the_queue(self):
        group = self.group_of(
            self.partners("Zirkel", "Zirkel Ltd", email="z@a.example")
        )
        self.group_of(self.partners("Lineal", "Lineal Ltd"))
        queue = self.env["sync.duplicate.workbench"].with_user(self.steward)
        for words in ("zirkel", "z@a.example"):
            found = queue.get_queue(words=words)
            self.assertEqual([row["id"] for row in found["groups"]], group.ids)
            self.assertEqual(found["total"], 1)
        self.assertEqual(queue.get_queue(words="Kurvenlineal")["groups"], [])

    def test_a_group_is_listed_first_by_its_address(self):
        groups = [self.group_of(self.partners(name, name + "s")) for name in "ABC"]
        queue = self.env["sync.duplicate.workbench"].with_user(self.steward)
        last = queue.get_queue(order="age")["groups"][-1]["id"]
        listed = queue.get_queue(order="age", limit=1, first=last)["groups"]
        self.assertEqual(listed[0]["id"], last)
        self.assertEqual(len(listed), 2)
        self.as_steward(self.Group.browse(last)).action_not_duplicate()
        listed = queue.get_queue(order="age", limit=1, first=last)["groups"]
        self.assertNotIn(last, [group["id"] for group in listed])
        self.assertIn(
            "Not a Duplicate · " + self.steward.name, queue.get_group(last)["decision"]
        )
        with self.assertRaisesRegex(UserError, "is gone"):
            queue.get_group(max(group.id for group in groups) + 1000)

    def test_changed_since_shown(self):
        a, b = self.partners("A", "B")
        group = self.as_steward(self.group_of(a | b))
        shown = (
            self.env["sync.duplicate.workbench"]
            .with_user(self.steward)
            .get_group(group.id)
        )
        seen = {
            member["record_id"]: member["fingerprint"] for member in shown["members"]
        }
        b.email = "other@example.com"
        with self.assertRaisesRegex(UserError, "changed after"):
            group.action_merge(seen=seen)
        self.assertTrue(b.exists())

    def test_deleted_since_suggested(self):
        a, b = self.partners("A", "B")
        group = self.group_of(a | b)
        self.env.cr.execute("DELETE FROM res_partner WHERE id = %s", [b.id])
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "gone or merged"):
            self.as_steward(group).action_merge()

    def test_assign_asks_a_colleague(self):
        group = self.as_steward(self.group_of(self.partners("A", "B")))
        group.action_assign(self.steward.id)
        self.assertEqual(group.steward_id, self.steward)
        self.assertTrue(group.sudo().activity_ids)
        with self.assertRaisesRegex(UserError, "not a steward"):
            group.action_assign(self.env.ref("base.public_user").id)

    def test_rule_merges_its_band_only_when_earned(self):
        a, b = self.partners("A", "B")
        self.rule.auto_merge = True
        self.env["sync.duplicate.verdict"].search([]).unlink()
        group = self.group_of(a | b, 0.9999)
        group._merge_safe_band()
        self.assertEqual(group.state, "suggested")
        self.env["sync.duplicate.verdict"].create(
            [
                {
                    "rule_id": self.rule.id,
                    "model_name": "res.partner",
                    "left_id": number,
                    "right_id": number + 1,
                    "is_duplicate": True,
                    "probability": 0.999,
                }
                for number in range(200)
            ]
        )
        self.rule.invalidate_recordset()
        group._merge_safe_band()
        self.assertEqual(group.state, "merged")
        self.assertTrue(group.journal_ids.is_automatic)
        self.assertEqual(self.rule.verdict_count, 200, "a rule does not confirm itself")

    def test_two_living_ids_of_a_system_are_not_safe(self):
        a, b = self.partners("A", "B")
        self.env["sync.crosswalk"]._link(self.shop, a, "1")
        self.env["sync.crosswalk"]._link(self.shop, b, "2")
        self.assertFalse(self.group_of(a | b, 0.9999)._is_safe())
