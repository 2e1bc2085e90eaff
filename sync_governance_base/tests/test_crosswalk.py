from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools.policy import Outcome
from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestCrosswalk(OwnershipCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.crosswalks = cls.env["sync.crosswalk"]
        cls.row = cls.crosswalks._link(cls.shop, cls.partner, "S-1")

    def _apply(self, values, system=None, row=None):
        return (row or self.row)._apply_incoming(
            values, (system or self.shop)._as_source()
        )

    def test_link_is_idempotent_and_exclusive(self):
        self.assertEqual(
            self.crosswalks._link(self.shop, self.partner, "S-1"), self.row
        )
        other = self.env["res.partner"].create({"name": "B"})
        with self.assertRaisesRegex(ValidationError, "already names another record"):
            self.crosswalks._link(self.shop, other, "S-1")
        # another system may use the same id for something else
        self.assertTrue(self.crosswalks._link(self.wms, other, "S-1"))

    def test_unknown_id_resolves_to_nothing(self):
        self.assertFalse(self.crosswalks._resolve(self.shop, "res.partner", "nope"))

    def test_merge_by_core_wizard_keeps_every_id(self):
        """Three systems, three ids for each of two partners: none is lost."""
        other = self.env["res.partner"].create({"name": "Ada L."})
        expected = {}
        for system in (self.shop, self.wms, self.finance):
            for partner, mark in ((self.partner, "a"), (other, "b")):
                for number in range(3):
                    external = f"{system.code}-{mark}{number}"
                    self.crosswalks._link(system, partner, external)
                    expected[external] = system
        conflict = self.env["sync.conflict"].create(
            {"system_id": self.shop.id, "res_model": "res.partner", "res_id": other.id}
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.partner | other).ids, self.partner)
        self.assertFalse(other.exists())
        for external, system in expected.items():
            row, moved = self.crosswalks._resolve_moved(system, "res.partner", external)
            self.assertEqual(row.record, self.partner, external)
            self.assertEqual(moved, "-b" in external, external)
        self.assertEqual(conflict.res_id, self.partner.id)

    def test_id_of_a_system_unknown_to_the_survivor_stays_active(self):
        other = self.env["res.partner"].create({"name": "B"})
        row = self.crosswalks._link(self.wms, other, "W-1")
        moves = self.crosswalks._repoint(
            "res.partner", other.ids, self.partner.id, "same person"
        )
        self.assertEqual((row.state, row.res_id), ("active", self.partner.id))
        self.assertEqual(len(moves), 1)
        again = self.crosswalks._repoint(
            "res.partner", other.ids, self.partner.id, "again"
        )
        self.assertFalse(again)

    def test_unpoint_restores_what_repoint_changed(self):
        other = self.env["res.partner"].create({"name": "B"})
        row = self.crosswalks._link(self.shop, other, "S-2")
        before = row.read(["res_id", "state", "superseded_by_id", "reason", "valid_to"])
        moves = self.crosswalks._repoint(
            "res.partner", other.ids, self.partner.id, "x", "mrg_1"
        )
        self.assertEqual((row.state, row.superseded_by_id), ("superseded", self.row))
        self.assertEqual(row.reason, "x (mrg_1)")
        self.crosswalks._unpoint(moves)
        self.assertEqual(
            row.read(["res_id", "state", "superseded_by_id", "reason", "valid_to"]),
            before,
        )

    def test_superseded_in_a_circle_is_refused(self):
        second = self.crosswalks._link(self.shop, self.partner, "S-2")
        self.row.superseded_by_id = second
        with self.assertRaisesRegex(ValidationError, "superseded by itself"):
            second.superseded_by_id = self.row

    def test_deleted_record_retires_its_ids(self):
        self._policy({"phone": self.shop})
        self.partner.unlink()
        self.assertEqual(self.row.state, "retired")
        row, moved = self.crosswalks._resolve_moved(self.shop, "res.partner", "S-1")
        self.assertFalse(row)
        self.assertTrue(moved)
        new = self.env["res.partner"].create({"name": "New"})
        self.assertEqual(self.crosswalks._link(self.shop, new, "S-1"), self.row)
        self.assertEqual(self.row.record, new)

    def test_values_for_a_deleted_record_become_a_conflict(self):
        self.partner.unlink()
        result = self._apply({"phone": "2"})
        self.assertEqual(result.conflict.type, "update_recently_deleted")
        self.assertFalse(result.applied)

    @mute_logger("odoo.sql_db")
    def test_first_values_are_applied_and_agreed(self):
        result = self._apply({"phone": "2", "city": "Paris"})
        self.assertEqual(result.applied, {"phone": "2"})
        self.assertEqual(result.unchanged, ["city"])
        self.assertFalse(result.conflict)
        self.assertEqual(self.row.base_json, {"phone": "2", "city": "Paris"})

    def test_disjoint_changes_merge_by_themselves(self):
        self._apply({"phone": "1", "city": "Paris"})
        self.partner.city = "Lyon"
        result = self._apply({"phone": "2", "city": "Paris"})
        self.assertEqual(result.applied, {"phone": "2"})
        self.assertFalse(result.conflict)
        self.assertEqual((self.partner.phone, self.partner.city), ("2", "Lyon"))

    def test_both_changed_an_unowned_field(self):
        self._apply({"city": "Paris"})
        self.partner.city = "Lyon"
        result = self._apply({"city": "Nice"})
        line = result.conflict.line_ids
        self.assertEqual(
            (line.base_value, line.current_value, line.incoming_value),
            ("Paris", "Lyon", "Nice"),
        )
        self.assertEqual(self.partner.city, "Lyon")
        again = self._apply({"city": "Metz"})
        self.assertEqual(again.conflict, result.conflict)
        self.assertEqual(line.incoming_value, "Metz")

    def test_owner_wins_when_both_changed(self):
        self._policy({"city": self.shop}, enforcement="observe")
        self._apply({"city": "Paris"})
        self.partner.city = "Lyon"
        self.assertEqual(self._apply({"city": "Nice"}).applied, {"city": "Nice"})

    def test_blocked_values_become_one_conflict(self):
        policy = self._policy(
            {"phone": self.finance, "city": self.finance}, enforcement="block"
        )
        result = self._apply({"phone": "2", "city": "Nice", "ref": "N"})
        self.assertEqual(result.applied, {"ref": "N"})
        self.assertEqual(set(result.refused), {"phone", "city"})
        self.assertIs(result.refused["phone"].outcome, Outcome.BLOCKED)
        self.assertEqual(len(result.conflict.line_ids), 2)
        self.assertEqual(result.conflict.line_ids.mapped("decision"), ["keep", "keep"])
        self.assertEqual(
            sorted(self._hits(policy)),
            [("city", "inbound", "blocked"), ("phone", "inbound", "blocked")],
        )

    def test_newest_and_extreme_resolvers(self):
        policy = self._policy({"color": self.finance}, activate=False)
        policy.line_ids.resolver = "max"
        policy.action_activate()
        self._apply({"color": 1})
        self.partner.color = 5
        self.assertEqual(self._apply({"color": 3}).unchanged, ["color"])
        self.assertEqual(self._apply({"color": 9}).applied, {"color": 9})

    def test_rounding_is_no_conflict(self):
        self.partner.partner_latitude = 48.1234567
        result = self._apply({"partner_latitude": 48.12345670001})
        self.assertEqual(result.unchanged, ["partner_latitude"])

    def test_huge_texts_are_kept_whole(self):
        self._apply({"comment": "<p>a</p>"})
        self.partner.comment = "<p>b</p>"
        huge = "<p>" + "x" * 2_000_000 + "</p>"
        result = self._apply({"comment": huge})
        self.assertEqual(result.conflict.line_ids.incoming_value, huge)

    def test_archived_records_are_written_too(self):
        self.partner.active = False
        self.assertEqual(self._apply({"phone": "2"}).applied, {"phone": "2"})

    def test_health(self):
        self.assertEqual(self.row.health, "good")
        second = self.crosswalks._link(self.shop, self.partner, "S-2")
        self.row.invalidate_recordset(["health"])
        self.assertEqual((self.row | second).mapped("health"), ["shared", "shared"])
        orphan = self.crosswalks.create(
            {
                "system_id": self.wms.id,
                "res_model": "no.such.model",
                "res_id": 1,
                "external_id": "X",
            }
        )
        self.assertEqual(self.crosswalks.search([("health", "=", "orphan")]), orphan)
        self.assertNotIn(second, self.crosswalks.search([("health", "=", "good")]))
