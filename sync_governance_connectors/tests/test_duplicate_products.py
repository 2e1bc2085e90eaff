# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestDuplicateProducts(TransactionCase):
    """The shipped rule for products: the engine knows nothing of partners."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("sync_governance_connectors.sync_duplicate_rule_product")
        cls.rule.active = True
        cls.engine = cls.env["sync.duplicate.engine"]
        cls.truck = cls.env["product.template"].create(
            {
                "name": "Pallet truck Zephyr 2000 kg",
                "default_code": "ZPT-2000",
                "barcode": "4006381333931",
            }
        )

    def found(self, **values):
        self.env["sync.write.hook"]._dedup_settle()
        found = self.engine._candidates(self.rule, values)
        return [(one.record_id, one) for one in found]

    def test_barcode_and_name_find_the_product(self):
        [(record_id, one)] = self.found(
            name="Pallet-Truck ZEPHYR 2000kg", barcode="4006381333931"
        )
        self.assertEqual(record_id, self.truck.id)
        levels = {line.field: line.level for line in one.evidence}
        self.assertEqual(levels["barcode"], "equal")

    def test_reference_written_another_way(self):
        found = self.found(name="Zephyr pallet truck 2000 kg", default_code="zpt 2000")
        self.assertEqual([record_id for record_id, _one in found], [self.truck.id])

    def test_another_size_is_another_product(self):
        self.assertFalse(
            self.found(name="Pallet truck Zephyr 2500 kg", default_code="ZPT-2500")
        )

    def test_a_variant_barcode_counts_only_where_it_is_the_only_one(self):
        Key = self.env["sync.duplicate.key"]
        rows = Key._read_rows(self.rule, [("id", "=", self.truck.id)])
        self.assertEqual(rows[0]["barcode"], "4006381333931")
        self.env["product.product"].create({"product_tmpl_id": self.truck.id})
        rows = Key._read_rows(self.rule, [("id", "=", self.truck.id)])
        self.assertFalse(rows[0]["barcode"])

    def test_a_scan_groups_products(self):
        twin = self.truck.copy({"name": "Pallet Truck Zephyr, 2000 kg"})
        twin.default_code = "ZPT 2000"
        scan = self.env["sync.duplicate.scan"].create({"rule_id": self.rule.id})
        scan.state = "running"
        while scan.state == "running":
            scan._advance()
        group = self.env["sync.duplicate.group"].search(
            [("rule_id", "=", self.rule.id), ("member_ids.record_id", "=", twin.id)]
        )
        self.assertEqual(
            set(group.member_ids.mapped("record_id")), {twin.id, self.truck.id}
        )
