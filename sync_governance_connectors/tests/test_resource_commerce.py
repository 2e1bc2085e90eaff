# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import jsonschema

from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.problem import Problem

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestResourceCommerce(ResourceCase):
    """Products, prices, invoices and payments."""

    def _valid(self, system, name, record):
        body = self.body(system, name, record)
        jsonschema.validate(body, self.resource(name, system)._schema("read"))
        return body

    def test_product_round_trip(self):
        unit = self.env["uom.uom"].create(
            {
                "name": "Test pack of 6",
                "relative_factor": 6,
                "relative_uom_id": self.env.ref("uom.product_uom_unit").id,
            }
        )
        product = self.create(
            self.shop,
            "products",
            {
                "external_id": "SKU-T2",
                "name": "Label roll",
                "sku": "LBL",
                "stocked": True,
                "uom": "TEST pack of 6",
                "list_price": "12.50",
                "weight_kg": "0.8",
            },
        ).record
        self.assertTrue(product.is_storable)
        self.assertEqual(product.uom_id, unit)
        body = self._valid(self.shop, "products", product)
        self.assertEqual(body["list_price"], "12.50")
        self.assertEqual(body["weight_kg"], "0.8")
        self.apply(self.shop, "products", "patch", "SKU-T2", {"list_price": "13"})
        self.assertEqual(product.lst_price, 13.0)

    def test_a_taken_barcode_is_refused_without_a_name(self):
        self._product("Secret prototype", "SKU-T8", 1.0, 1).barcode = "4006381333948"
        body = {
            "external_id": "SKU-T9",
            "name": "Label roll",
            "barcode": "4006381333948",
        }
        with self.assertRaises(Problem) as refused:
            self.create(self.wms, "products", body)
        del body["barcode"]
        self.create(self.wms, "products", body)
        change = {"barcode": "4006381333948"}
        with self.assertRaises(Problem) as refused_later:
            self.apply(self.wms, "products", "patch", "SKU-T9", change)
        for problem in (refused.exception, refused_later.exception):
            self.assertEqual((problem.status, problem.code), (409, "exists"))
            self.assertNotIn("Secret", problem.detail)

    def test_price_round_trip(self):
        pricelist = self.env["product.pricelist"].create({"name": "Test retail"})
        item = self.create(
            self.shop,
            "prices",
            {
                "external_id": "PRC-1",
                "product": {"external_id": "SKU-T1"},
                "pricelist": "Test retail",
                "price": "8.40",
                "min_quantity": "10",
                "valid_until": "2030-12-31T23:59:59Z",
            },
        ).record
        self.assertEqual(pricelist._get_product_price(self.product, 10), 8.4)
        self.assertEqual(pricelist._get_product_price(self.product, 1), 10.0)
        body = self._valid(self.shop, "prices", item)
        self.assertEqual((body["price"], body["min_quantity"]), ("8.40", "10"))
        self.assertEqual(body["valid_until"], "2030-12-31T23:59:59Z")
        self.apply(self.shop, "prices", "patch", "PRC-1", {"price": "8.00"})
        self.assertEqual(item.fixed_price, 8.0)

    def test_a_price_whose_product_is_anothers_to_say_is_not_made(self):
        self._policy(
            "product.pricelist.item",
            {"product_id": self.finance, "fixed_price": self.finance},
        )
        self.env["product.pricelist"].create({"name": "Test retail"})
        body = {
            "external_id": "PRC-1",
            "product": {"external_id": "SKU-T1"},
            "pricelist": "Test retail",
            "price": "8.40",
        }
        count = self.env["product.pricelist.item"].search_count([])
        with self.assertRaises(Problem) as caught:
            self.create(self.shop, "prices", body)
        problem = caught.exception
        self.assertEqual((problem.status, problem.code), (409, "held_by_policy"))
        self.assertEqual(
            [error.pointer for error in problem.errors], ["/product", "/price"]
        )
        self.assertIn("test_finance", problem.detail)
        self.assertEqual(self.env["product.pricelist.item"].search_count([]), count)
        self.assertFalse(
            self.env["sync.crosswalk"]._resolve(
                self.shop, "product.pricelist.item", "PRC-1"
            )
        )
        self._link(self.finance, self.product, "ART-1")
        owners = self.create(
            self.finance, "prices", {**body, "product": {"external_id": "ART-1"}}
        )
        self.assertEqual(owners.status, "created")

    def _invoice(self):
        order = self.confirmed_order()
        order.picking_ids._sync_validate()
        self._link(self.finance, order, "SO-F1")
        return self.create(
            self.finance,
            "invoices",
            {
                "external_id": "INV-1",
                "order": {"external_id": "SO-F1"},
                "reference": "RF18",
            },
        ).record

    def _pay(self, external_id="PAY-1", amount="40.00"):
        return self.create(
            self.finance,
            "payments",
            {
                "external_id": external_id,
                "invoice": {"external_id": "INV-1"},
                "amount": amount,
                "currency": self.currency,
                "date": "2030-02-20",
            },
        ).record

    def test_invoice_of_an_order(self):
        invoice = self._invoice()
        self.assertEqual(invoice.state, "draft")
        self.apply(self.finance, "invoices", "post", "INV-1", {})
        self.assertEqual(invoice.state, "posted")
        body = self._valid(self.finance, "invoices", invoice)
        self.assertEqual(body["type"], "invoice")
        self.assertEqual(body["order"]["external_id"], "SO-F1")
        self.assertEqual(body["totals"]["due"], "40.00")
        self.assertEqual(body["lines"][0]["order_line_id"], "1")
        self.assertEqual(body["reference"], "RF18")
        again = self.apply(self.finance, "invoices", "post", "INV-1", {})
        self.assertEqual(again.status, "unchanged")
        with self.assertRaises(Problem) as caught:
            self.apply(self.finance, "invoices", "patch", "INV-1", {"reference": "x"})
        self.assertEqual(caught.exception.status, 409)

    def test_payment_reconciles_its_invoice(self):
        invoice = self._invoice()
        invoice.action_post()
        payment = self._pay(amount="15.00")
        self.assertEqual(payment.amount, 15.0)
        self.assertEqual(invoice.amount_residual, 25.0)
        self._pay("PAY-2", "25.00")
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))
        body = self._valid(self.finance, "payments", payment)
        self.assertEqual(body["invoice"]["external_id"], "INV-1")
        self.assertEqual((body["direction"], body["amount"]), ("received", "15.00"))
        with self.assertRaises(Problem) as caught:
            self._pay("PAY-3", "1.00")
        self.assertEqual(caught.exception.code, "invalid_transition")

    def test_draft_invoices_are_not_paid(self):
        self._invoice()
        with self.assertRaises(Problem):
            self._pay()

    def test_vendor_bills_are_no_invoices(self):
        bill = self.env["account.move"].create({"move_type": "in_invoice"})
        self._link(self.finance, bill, "BILL-1")
        self.assertFalse(
            self.resource("invoices", self.finance)._find(self.finance, "BILL-1")[0]
        )
