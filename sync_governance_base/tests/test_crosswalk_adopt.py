from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestCrosswalkAdopt(OwnershipCase):
    """Records that a system has just made, noted all together."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.crosswalks = cls.env["sync.crosswalk"]

    def _adopt(self, values_list, external_ids, held=frozenset()):
        records = self.env["res.partner"].create(
            [
                {name: value for name, value in values.items() if name not in held}
                for values in values_list
            ]
        )
        return records, self.crosswalks._adopt(
            self.shop,
            records,
            external_ids,
            values_list,
            self.shop._as_source(request_ref="req_adopt"),
            held,
        )

    def test_ids_and_agreed_values_are_written_in_one_statement(self):
        values = [{"name": f"P{number}", "city": "Lyon"} for number in range(5)]
        names = [f"N-{number}" for number in range(5)]
        self._adopt(values[:1], ["warm"])
        records = self.env["res.partner"].create(values)
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.crosswalks._adopt(
                self.shop, records, names, values, self.shop._as_source()
            )
        for record, name, sent in zip(records, names, values, strict=True):
            row = self.crosswalks._resolve(self.shop, "res.partner", name)
            self.assertEqual(row.record, record)
            self.assertEqual(row.base_json, sent)
            self.assertEqual(set(row.stamps_json), set(sent))
            self.assertTrue(row.last_seen)

    def test_the_agreed_values_are_those_of_link_and_apply(self):
        values = {"name": "Ida", "color": 0, "phone": False}
        (record,), [outcome] = self._adopt([values], ["I-1"])
        self.assertEqual(outcome.applied, values)
        adopted = self.crosswalks._resolve(self.shop, "res.partner", "I-1")
        linked = self.crosswalks._link(self.wms, record, "I-1")
        linked._apply_incoming(values, self.wms._as_source())
        self.assertEqual(adopted.base_json, linked.base_json)

    def test_what_was_held_back_becomes_one_conflict_of_its_record(self):
        self._policy({"city": self.finance}, enforcement="block")
        values = [{"name": "A", "city": "Rome"}, {"name": "B"}]
        records, outcomes = self._adopt(values, ["H-1", "H-2"], held={"city"})
        self.assertEqual(set(outcomes[0].refused), {"city"})
        self.assertEqual(outcomes[0].conflict.res_id, records[0].id)
        self.assertEqual(outcomes[0].conflict.request_ref, "req_adopt")
        self.assertFalse(records[0].city)
        self.assertFalse(outcomes[1].refused or outcomes[1].conflict)
        row = self.crosswalks._resolve(self.shop, "res.partner", "H-1")
        self.assertEqual(row.base_json, {"name": "A"})

    def test_an_id_in_use_is_refused(self):
        self.crosswalks._link(self.shop, self.partner, "U-1")
        with self.assertRaisesRegex(ValidationError, "already names another record"):
            self._adopt([{"name": "A"}, {"name": "B"}], ["U-0", "U-1"])

    def test_a_retired_id_is_taken_up_again(self):
        gone = self.env["res.partner"].create({"name": "Gone"})
        row = self.crosswalks._link(self.shop, gone, "R-1")
        row._retire_rows("gone")
        (record, _other), _outcomes = self._adopt(
            [{"name": "Back"}, {"name": "New"}], ["R-1", "R-2"]
        )
        self.assertEqual((row.state, row.record), ("active", record))
        self.assertEqual(row.base_json, {"name": "Back"})
