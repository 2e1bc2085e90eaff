# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import jsonschema

from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.problem import Problem

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestResourceOrder(ResourceCase):
    def _problem(self, operation, body, external_id="SO-T1"):
        with self.assertRaises(Problem) as caught:
            self.apply(self.shop, "orders", operation, external_id, body)
        return caught.exception

    def test_create_and_read_speak_the_same(self):
        partner = self.customer()
        order = self.create(
            self.shop,
            "orders",
            self.order_body(
                customer_reference="PO 4711",
                requested_delivery_at="2030-02-03T14:00:00+02:00",
                totals={"net": "40.00", "total": "40.00"},
            ),
        ).record
        self.assertEqual(order.partner_id, partner)
        self.assertEqual(order.partner_shipping_id, partner)
        self.assertEqual(str(order.commitment_date), "2030-02-03 12:00:00")
        body = self.body(self.shop, "orders", order)
        jsonschema.validate(body, self.resource("orders", self.shop)._schema("read"))
        self.assertEqual(body["customer"]["external_id"], "C-T1")
        self.assertEqual(body["state"], "draft")
        self.assertEqual(
            body["totals"], {"net": "40.00", "tax": "0.00", "total": "40.00"}
        )
        (line,) = body["lines"]
        self.assertEqual(line["product"]["external_id"], "SKU-T1")
        self.assertEqual(
            (line["line_id"], line["quantity"], line["net"]), ("1", "4", "40.00")
        )

    def test_each_system_reads_its_own_ids(self):
        self.customer()
        order = self.create(self.shop, "orders", self.order_body()).record
        body = self.body(self.wms, "orders", order)
        self.assertIsNone(body["external_id"])
        self.assertEqual(body["lines"][0]["product"]["external_id"], "ITEM-T1")
        self.assertEqual(body["ref"], self.body(self.shop, "orders", order)["ref"])

    def test_wrong_totals_leave_nothing(self):
        self.customer()
        problem = self._problem(
            "create", self.order_body(totals={"net": "39.98", "tax": "0"})
        )
        self.assertEqual((problem.status, problem.code), (422, "totals_mismatch"))
        self.assertEqual([error.pointer for error in problem.errors], ["/totals/net"])
        self.assertFalse(
            self.resource("orders", self.shop)._find(self.shop, "SO-T1")[0]
        )

    def test_unknown_references_have_pointers(self):
        body = self.order_body(
            customer={"external_id": "nobody"},
            lines=[
                {"product": {"external_id": "SKU-T1"}, "quantity": "1"},
                {
                    "product": {"external_id": "nothing"},
                    "quantity": "1",
                    "uom": "Furlongs",
                },
            ],
        )
        problem = self._problem("create", body)
        self.assertEqual(
            [error.pointer for error in problem.errors],
            ["/customer", "/lines/1/product", "/lines/1/uom"],
        )

    def test_currency_without_price_list(self):
        self.customer()
        self.env["product.pricelist"].search([]).action_archive()
        other = "CHF" if self.currency != "CHF" else "EUR"
        self.env["res.currency"].with_context(active_test=False).search(
            [("name", "=", other)]
        ).active = True
        problem = self._problem("create", self.order_body(currency=other))
        self.assertEqual(problem.errors[0].pointer, "/currency")

    def test_delivery_address_is_made_once(self):
        partner = self.customer()
        address = {
            "name": "Lager 2",
            "street": "Kai 7",
            "city": "Hamburg",
            "country": "DE",
        }
        first = self.create(
            self.shop, "orders", self.order_body("SO-T1", delivery_address=address)
        ).record
        second = self.create(
            self.shop, "orders", self.order_body("SO-T2", delivery_address=address)
        ).record
        self.assertEqual(first.partner_shipping_id.parent_id, partner)
        self.assertEqual(first.partner_shipping_id.type, "delivery")
        self.assertEqual(first.partner_shipping_id, second.partner_shipping_id)
        body = self.body(self.shop, "orders", first)
        self.assertEqual(body["delivery_address"]["street"], "Kai 7")

    def test_lines_are_replaced_as_a_whole(self):
        self.customer()
        order = self.create(self.shop, "orders", self.order_body()).record
        result = self.apply(
            self.shop,
            "orders",
            "patch",
            "SO-T1",
            {
                "customer_reference": "PO 2",
                "lines": [{"product": {"external_id": "SKU-T1"}, "quantity": "2.5"}],
            },
        )
        self.assertEqual(order.order_line.product_uom_qty, 2.5)
        self.assertEqual(order.order_line.price_unit, 10.0, "the price list's")
        self.assertEqual(set(result.applied), {"customer_reference", "lines"})

    def test_a_body_can_be_sent_twice(self):
        self.customer()
        body = self.order_body(
            ordered_at="2030-01-31T09:15:00+01:00",
            delivery_address={"street": "Kai 7", "city": "Hamburg", "country": "DE"},
        )
        order = self.create(self.shop, "orders", body).record
        lines = order.order_line
        for operation in ("patch", "replace"):
            with self.subTest(operation):
                result = self.apply(self.shop, "orders", operation, "SO-T1", body)
                self.assertEqual((result.status, result.applied), ("unchanged", {}))
                self.assertEqual(order.order_line, lines)
        # Odoo dates it anew, which the shop cannot know.
        self.apply(self.shop, "orders", "confirm", "SO-T1", {})
        self.assertNotEqual(str(order.date_order), "2030-01-31 08:15:00")
        result = self.apply(self.shop, "orders", "patch", "SO-T1", body)
        self.assertEqual(result.status, "unchanged")
        more = self.order_body(quantity="5")
        self.assertEqual(self._problem("patch", more).code, "invalid_transition")

    def test_what_is_fixed_does_not_change(self):
        self.customer()
        self.customer("C-T2", name="Another", email="another@example.com")
        self.create(self.shop, "orders", self.order_body())
        other = "CHF" if self.currency != "CHF" else "EUR"
        self.env["res.currency"].with_context(active_test=False).search(
            [("name", "=", other)]
        ).active = True
        changed = self.order_body(customer={"external_id": "C-T2"}, currency=other)
        for operation in ("patch", "replace"):
            with self.subTest(operation):
                errors = self._problem(operation, changed).errors
                self.assertEqual(
                    [(error.pointer, error.code) for error in errors],
                    [("/customer", "not_allowed"), ("/currency", "not_allowed")],
                )

    def test_confirm_and_cancel_are_odoos_own(self):
        order = self.confirmed_order()
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.picking_ids.state, "assigned")
        again = self.apply(self.shop, "orders", "confirm", "SO-T1", {})
        self.assertEqual(again.status, "unchanged")
        self.assertEqual(
            self._problem("patch", {"customer_reference": "x"}).status, 409
        )
        self.apply(
            self.shop, "orders", "cancel", "SO-T1", {"reason": "Changed his mind"}
        )
        self.assertEqual(order.state, "cancel")
        self.assertEqual(order.picking_ids.state, "cancel")
        self.assertEqual(self._problem("confirm", {}).code, "invalid_transition")

    def test_shipped_orders_are_not_cancelled(self):
        order = self.confirmed_order()
        order.picking_ids._sync_validate()
        problem = self._problem("cancel", {})
        self.assertEqual((problem.status, problem.code), (409, "invalid_transition"))

    def test_an_order_whose_lines_are_anothers_to_say_is_not_made(self):
        self.customer()
        self._policy("sale.order", {"order_line": self.finance})
        problem = self._problem("create", self.order_body())
        self.assertEqual((problem.status, problem.code), (409, "held_by_policy"))
        self.assertEqual([error.pointer for error in problem.errors], ["/lines"])
