from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestIncoming(OwnershipCase):
    """Creations, updates and deletions by systems, and each type of conflict."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.crosswalks = cls.env["sync.crosswalk"]
        cls.row = cls.crosswalks._link(cls.shop, cls.partner, "S-1")
        cls.source = cls.shop._as_source("req_1")
        cls.steward.group_ids += cls.env.ref("base.group_system")

    def _decide(self, conflict, **values):
        conflict = conflict.with_user(self.steward)
        if values:
            conflict.line_ids.write(values)
        conflict.action_resolve()
        self.assertEqual(conflict.state, "resolved")

    def _create(self, external_id, values, model="res.partner"):
        return self.crosswalks._apply_creation(
            self.shop, model, external_id, values, self.source
        )

    def _update(self, external_id, values, version=None):
        return self.crosswalks._apply_update(
            self.shop, "res.partner", external_id, values, self.source, version
        )

    def _delete(self, external_id, version=None):
        return self.crosswalks._apply_deletion(
            self.shop, "res.partner", external_id, self.source, version
        )

    # -- creation ----------------------------------------------------------------------

    def test_creation_makes_links_and_agrees(self):
        policy = self._policy({"phone": self.finance}, enforcement="block")
        result = self._create("S-9", {"name": "Grace", "phone": "9", "city": "Bonn"})
        row = self.crosswalks._resolve(self.shop, "res.partner", "S-9")
        self.assertEqual((row.record.name, row.record.city), ("Grace", "Bonn"))
        self.assertFalse(row.record.phone, "somebody else's")
        self.assertEqual(row.base_json["name"], "Grace")
        self.assertEqual(result.conflict.line_ids.field_name, "phone")
        self.assertIn(("phone", "inbound", "blocked"), self._hits(policy))

    def test_creation_of_a_known_id_is_a_conflict(self):
        result = self._create("S-1", {"name": "Ada", "city": "Bonn"})
        conflict = result.conflict
        self.assertEqual(conflict.type, "insert_exists")
        self.assertEqual(result.unchanged, ["name"])
        self.assertEqual(conflict.line_ids.field_name, "city")
        self.assertIn("Ada", conflict.note)
        again = self._create("S-1", {"name": "Ada", "city": "Metz"})
        self.assertEqual(again.conflict, conflict)
        self._decide(conflict, decision="take")
        self.assertEqual(self.partner.city, "Metz")

    def test_repeated_creation_with_the_same_values_is_none(self):
        result = self._create("S-1", {"name": "Ada", "phone": "1"})
        self.assertFalse(result.conflict)
        self.assertEqual(self.row.base_json, {"name": "Ada", "phone": "1"})

    def test_creation_of_what_only_one_can_be_is_a_conflict(self):
        country = self.env["res.country"].create({"name": "Elbonia", "code": "X9"})
        result = self._create("C-1", {"name": "Elbonien", "code": "X9"}, "res.country")
        conflict = result.conflict
        self.assertEqual(
            (conflict.type, conflict.res_id), ("insert_exists", country.id)
        )
        self.assertFalse(self.crosswalks._resolve(self.shop, "res.country", "C-1"))
        self._decide(conflict, decision="keep")
        self.assertEqual(country.name, "Elbonia")
        row = self.crosswalks._resolve(self.shop, "res.country", "C-1")
        self.assertEqual(row.record, country)
        self.assertEqual(row.base_json["name"], "Elbonien")

    # -- update ------------------------------------------------------------------------

    def test_update_of_an_unknown_record_makes_it_if_the_steward_says_so(self):
        result = self._update("S-404", {"name": "Lost", "city": "Rome"})
        conflict = result.conflict
        self.assertEqual(conflict.type, "update_missing")
        self.assertEqual(conflict.external_id, "S-404")
        self.assertIn("S-404", conflict.name)
        self.assertEqual(
            self._update("S-404", {"name": "Lost"}).conflict, conflict, "asked once"
        )
        self._decide(conflict, decision="take")
        row = self.crosswalks._resolve(self.shop, "res.partner", "S-404")
        self.assertEqual((row.record.name, row.record.city), ("Lost", "Rome"))
        self.assertEqual(conflict.res_id, row.res_id)

    def test_update_of_an_unknown_record_can_be_led_to_an_existing_one(self):
        other = self.env["res.partner"].create({"name": "B", "city": "Bern"})
        conflict = self._update("S-404", {"name": "Bea", "city": "Rome"}).conflict
        conflict.with_user(self.steward).target_id = other.id
        for line in conflict.with_user(self.steward).line_ids:
            line.decision = "take" if line.field_name == "name" else "keep"
        self._decide(conflict)
        self.assertEqual((other.name, other.city), ("Bea", "Bern"))
        row = self.crosswalks._resolve(self.shop, "res.partner", "S-404")
        self.assertEqual(row.record, other)

    def test_an_id_is_led_only_to_what_the_steward_may_change(self):
        conflict = self._update("S-404", {"name": "Bea"}).conflict
        company = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["res.partner"].create({"name": "T", "company_id": company.id})
        conflict = conflict.with_user(self.steward)
        conflict.target_id = theirs.id
        conflict.line_ids.decision = "keep"
        with self.assertRaises(AccessError):
            conflict.action_resolve()

    def test_unknown_record_that_nobody_wants_stays_unknown(self):
        conflict = self._update("S-404", {"name": "Lost"}).conflict
        self._decide(conflict, decision="keep")
        self.assertFalse(self.crosswalks._resolve(self.shop, "res.partner", "S-404"))

    def test_update_of_a_deleted_record_can_bring_it_back(self):
        self._policy({"phone": self.shop})
        self.partner.unlink()
        conflict = self._update("S-1", {"name": "Ada again"}).conflict
        self.assertEqual(conflict.type, "update_recently_deleted")
        self._decide(conflict, decision="take")
        self.assertEqual(self.row.state, "active")
        self.assertEqual(self.row.record.name, "Ada again")

    def test_value_that_another_record_has(self):
        first, second = self.env["res.country"].create(
            [{"name": "Elbonia", "code": "X8"}, {"name": "Elbonien", "code": "X9"}]
        )
        row = self.crosswalks._link(self.shop, second, "C-2")
        result = row._apply_incoming({"code": "X8", "phone_code": 99}, self.source)
        conflict = result.conflict
        self.assertEqual(result.applied, {"phone_code": 99})
        self.assertEqual(conflict.type, "unique_conflict")
        self.assertIn("Elbonia", conflict.line_ids.explanation)
        self.assertNotIn("Elbonia", result.refused["code"].message, "not its record")
        conflict.with_user(self.steward).line_ids.decision = "take"
        with self.assertRaisesRegex(UserError, "only one can"):
            conflict.with_user(self.steward).action_resolve()
        self._decide(conflict, decision="custom", custom_text="X7")
        self.assertEqual((first.code, second.code), ("X8", "X7"))

    def test_values_based_on_an_old_version(self):
        self.row._apply_incoming({"phone": "1"}, self.source)
        version = self.crosswalks._version_of(self.partner)
        current = {"phone": "2", "city": "Bonn", "ref": "A-1"}
        result = self._update("S-1", {"city": "Bern"}, version)
        self.assertEqual(result.applied, {"city": "Bern"}, "nothing changed meanwhile")
        self._touch({"city": "Nice"})
        result = self._update("S-1", current, version)
        # phone: unchanged since agreed, so that the old version does not matter
        self.assertEqual(result.applied, {"phone": "2"})
        self.assertEqual(result.unchanged, ["ref"])
        conflict = result.conflict
        self.assertEqual(conflict.type, "stale_version")
        self.assertEqual(conflict.line_ids.field_name, "city")
        self._decide(conflict, decision="take")
        self.assertEqual(self.partner.city, "Bonn")

    def _touch(self, values):
        """Change the partner as if in a later transaction."""
        self.partner.write(values)
        self.env.flush_all()
        later = self.partner.write_date + timedelta(seconds=1)
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = %s WHERE id = %s",
            [later, self.partner.id],
        )
        self.partner.invalidate_recordset()

    # -- deletion ----------------------------------------------------------------------

    def test_deletion_of_what_nobody_changed(self):
        self.row._apply_incoming({"phone": "2"}, self.source)
        self.assertFalse(self._delete("S-1"))
        self.assertFalse(self.partner.exists())
        self.assertEqual(self.row.state, "retired")
        self.assertFalse(self._delete("S-1"), "a second time is nothing")
        self.assertFalse(self._delete("S-unknown"))

    def test_deletion_of_a_changed_record_is_a_conflict(self):
        self.row._apply_incoming({"phone": "2", "city": "Paris"}, self.source)
        self.partner.city = "Lyon"
        conflict = self._delete("S-1")
        self.assertEqual(conflict.type, "delete_recently_updated")
        self.assertEqual(conflict.line_ids.field_name, "city")
        self.assertFalse(conflict.line_ids.incoming_value)
        self.assertTrue(self.partner.exists())
        with self.assertRaisesRegex(UserError, "decide alike"):
            self._decide(conflict, decision="custom", custom_text="x")
        conflict.with_user(self.steward).action_keep_all()
        self.assertTrue(self.partner.exists())
        self.assertFalse(self._delete("S-1"), "agreed now")
        self.assertFalse(self.partner.exists())

    def test_deletion_confirmed_by_the_steward(self):
        self.row._apply_incoming({"city": "Paris"}, self.source)
        self.partner.city = "Lyon"
        conflict = self._delete("S-1")
        conflict.with_user(self.steward).action_take_all()
        self.assertFalse(self.partner.exists())
        self.assertEqual(self.row.state, "retired")

    def test_deletion_based_on_an_old_version(self):
        version = self.crosswalks._version_of(self.partner)
        self._touch({"city": "Lyon"})
        conflict = self._delete("S-1", version)
        self.assertEqual(conflict.line_ids.field_name, "write_date")
        conflict.with_user(self.steward).action_keep_all()
        self.assertNotIn("write_date", self.row.base_json or {})

    def test_deletion_that_only_others_may_do(self):
        self._policy({"phone": self.finance}, enforcement="block", on_delete="refuse")
        with self.assertRaisesRegex(UserError, "may delete or archive"):
            self._delete("S-1")

    # -- bad input ---------------------------------------------------------------------

    def test_unknown_field_names_are_told(self):
        with self.assertRaisesRegex(ValidationError, "Contact has no field nope, zip9"):
            self.row._apply_incoming({"zip9": 1, "nope": 2, "city": "X"}, self.source)

    def test_zero_empty_and_false_are_values(self):
        self.partner.write({"color": 5, "comment": "<p>a</p>"})
        self.row._apply_incoming({"color": 5, "active": True}, self.source)
        self.partner.write({"color": 0, "active": False})
        line = self.row._apply_incoming({"color": 7}, self.source).conflict.line_ids
        self.env.flush_all()
        line.invalidate_recordset()
        self.assertIs(type(line.current_value), int)
        self.assertTrue(line.has_base)
        self.assertEqual((line.base_display, line.current_display), ("5", "0"))
        self.env.cr.execute(
            "SELECT current_value IS NULL FROM sync_conflict_line WHERE id = %s",
            [line.id],
        )
        self.assertEqual(self.env.cr.fetchone(), (False,))
        self._decide(line.conflict_id, decision="custom", custom_text="0")
        self.assertEqual(self.partner.color, 0)
