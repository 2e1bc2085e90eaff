# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.fields import Command
from odoo.tests import tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestProduct(DedupCase):
    """A second model, with nothing but a rule:
    the engine, the merge and the undo are general."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "product.template" not in cls.env:
            cls.skipTest(cls, "product is not installed")
        field = cls.env["ir.model.fields"]._get
        cls.product_rule = cls.env["sync.duplicate.rule"].create(
            {
                "name": "Products",
                "model_id": cls.env["ir.model"]._get_id("product.template"),
                "field_ids": [
                    Command.create(
                        {"field_id": field("product.template", name).id, "kind": kind}
                    )
                    for name, kind in (("default_code", "code"), ("name", "name"))
                ],
            }
        )
        cls.products = cls.env["product.template"].create(
            [
                {
                    "name": "Pallet truck 2000 kg",
                    "default_code": "PT-2000",
                    "list_price": 300,
                },
                {
                    "name": "Pallet Truck 2000kg",
                    "default_code": "PT-2000",
                    "list_price": 310,
                },
            ]
        )

    def test_rule_hooks_its_model(self):
        hooked = self.env["sync.write.hook"]._sync_hooked_models()
        self.assertLessEqual({"create", "write", "unlink"}, hooked["product.template"])

    def test_merge_folds_the_variants_and_is_undone(self):
        a, b = self.products
        kept, dropped = a.product_variant_id, b.product_variant_id
        packaging = self.env["product.supplierinfo"].create(
            {
                "partner_id": self.partners("V").id,
                "product_id": dropped.id,
                "product_tmpl_id": b.id,
            }
        )
        group = self.Group._suggest(self.product_rule, [self.found(a | b)])
        journal = self.env["sync.merge.service"]._merge(a | b, a, group=group)
        self.assertEqual((a | b).exists(), a)
        self.assertFalse(dropped.exists())
        self.assertEqual((packaging.product_tmpl_id, packaging.product_id), (a, kept))
        self.env["sync.merge.service"]._undo(journal, "Wrong")
        self.assertEqual(b.exists().product_variant_id, dropped)
        self.assertEqual(
            (packaging.product_tmpl_id, packaging.product_id), (b, dropped)
        )
        self.assertEqual(b.list_price, 310)
