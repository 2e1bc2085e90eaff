# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.tests import tagged
from odoo.tools import SQL

from .common import EventCase


@tagged("post_install", "-at_install")
class TestEvents(EventCase):
    """Odoo's own flows, whoever drives them, tell what happened: once, and rightly."""

    def test_customers(self):
        partner = self.customer()
        (event,) = self.assertTold(["customer.created"], "customer")
        self.assertEqual(event.source_system_id, self.shop)
        self.assertEqual(event.request_ref, "req_test")
        self.assertEqual(self.payload(event)["address"]["city"], "Hamburg")
        self.commit()
        partner.write({"phone": "+49 30 1", "comment": "not in the contract"})
        (event,) = self.assertTold(["customer.updated"], "customer")
        self.assertFalse(event.source_system_id)
        self.commit()
        partner.comment = "still not in the contract"
        self.assertTold([], "customer")
        partner.child_ids = [(0, 0, {"name": "Lager 2", "type": "delivery"})]
        self.assertTold([], "customer")
        partner.active = False
        self.assertTold(["customer.archived"], "customer")

    def test_order_to_shipment(self):
        self.customer()
        self.commit()
        order = self.created(self.shop, "orders", self.order_body())
        self.assertTold(["order.created"], "order")
        self.commit()
        order.action_confirm()
        (event,) = self.assertTold(["order.confirmed"], "order")
        self.assertEqual(self.payload(event)["state"], "confirmed")
        (stock,) = self.told("stock")
        self.assertEqual(self.payload(stock)["available"], "96")
        self.commit()
        order.picking_ids.button_validate()
        (shipment,) = self.assertTold(["shipment.dispatched"], "shipment", "order")
        self.assertEqual(self.payload(shipment)["state"], "done")
        levels = [self.payload(e)["on_hand"] for e in self.told("stock")]
        self.assertEqual(levels, ["96"])

    def test_cancel(self):
        order = self.confirmed_order()
        self.commit()
        order.action_cancel()
        self.assertTold(["order.cancelled"], "order", "shipment")

    def test_backorder(self):
        order = self.confirmed_order()
        self.commit()
        order.picking_ids.move_ids.quantity = 3
        order.picking_ids.with_context(skip_backorder=True).button_validate()
        (event,) = self.assertTold(["shipment.dispatched"], "shipment")
        self.assertEqual(self.payload(event)["lines"][0]["quantity"], "3")
        backorder = order.picking_ids.filtered(lambda picking: picking.state != "done")
        self.commit()
        backorder.button_validate()
        (event,) = self.assertTold(["shipment.dispatched"], "shipment")
        self.assertEqual(event.res_id, backorder.id)

    def test_return(self):
        order = self.confirmed_order()
        picking = order.picking_ids
        picking.button_validate()
        self.commit()
        wizard = (
            self.env["stock.return.picking"]
            .with_context(
                active_id=picking.id, active_ids=picking.ids, active_model=picking._name
            )
            .create({})
        )
        wizard.product_return_moves.quantity = 4
        returned = self.env["stock.picking"].browse(
            wizard.action_create_returns()["res_id"]
        )
        returned.move_ids.picked = True
        returned.button_validate()
        self.assertEqual(returned.state, "done")
        self.assertTold([], "shipment")
        self.assertEqual(self.payload(self.told("stock")[-1])["on_hand"], "100")

    def test_milestones(self):
        order = self.confirmed_order()
        self._link(self.wms, order.picking_ids, "SHP-T1")
        self.commit()
        for milestone, at, name in (
            ("dispatched", "2030-01-01T10:00:00Z", "shipment.dispatched"),
            ("exception", "2030-01-02T10:00:00Z", "shipment.exception"),
            ("delivered", "2030-01-03T10:00:00Z", "shipment.delivered"),
        ):
            self.apply(
                self.wms,
                "shipments",
                "milestones",
                "SHP-T1",
                {"milestone": milestone, "occurred_at": at},
            )
            (event,) = self.assertTold([name], "shipment")
            self.assertEqual(event.source_system_id, self.wms)
            self.commit()

    def test_invoice_payment_and_refund(self):
        order = self.confirmed_order()
        order.picking_ids.button_validate()
        self.commit()
        invoice = order._create_invoices()
        self.assertTold([], "invoice")
        invoice.action_post()
        (event,) = self.assertTold(["invoice.posted"], "invoice")
        self.assertEqual(self.payload(event)["totals"]["total"], "40.00")
        self.commit()
        self._pay(invoice)
        (event,) = self.assertTold(["payment.posted"], "payment", "invoice")
        self.assertEqual(self.payload(event)["direction"], "received")
        self.commit()
        refund = invoice._reverse_moves(cancel=False)
        refund.action_post()
        (event,) = self.assertTold(["invoice.posted"], "invoice")
        self.assertEqual(self.payload(event)["type"], "credit_note")
        self.commit()
        self._pay(refund)
        (event,) = self.assertTold(["payment.posted"], "payment")
        self.assertEqual(self.payload(event)["direction"], "refunded")

    def _pay(self, move):
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({})
        )
        return wizard._create_payments()

    def _age_product(self):
        """As if the product came of an earlier transaction."""
        self.env.flush_all()
        for table in ("product_product", "product_template"):
            self.env.cr.execute(
                SQL("UPDATE %s SET write_date = '2020-01-01'", SQL.identifier(table))
            )
        self.env.invalidate_all()

    def test_products_and_prices(self):
        self._age_product()
        self.product.product_tmpl_id.name = "Renamed crate"
        (event,) = self.assertTold(["product.updated"], "product")
        self.assertEqual(self.payload(event)["name"], "Renamed crate")
        item = self.created(
            self.shop,
            "prices",
            {
                "external_id": "PRC-1",
                "product": {"external_id": "SKU-T1"},
                "pricelist": self.env["product.pricelist"]
                .create({"name": "Test"})
                .name,
                "price": "8.40",
            },
        )
        self.commit()
        item.fixed_price = 8.0
        (event,) = self.assertTold(["price.updated"], "price")
        self.assertEqual(self.payload(event)["price"], "8.00")

    def test_each_receiver_reads_its_own_ids(self):
        order = self.confirmed_order()
        event = self.env["sync.event"].search(
            [("res_model", "=", "sale.order"), ("res_id", "=", order.id)], limit=1
        )
        types = self.env["sync.event.type"]
        told_wms = types._localise_payload(self.payload(event), self.wms)
        told_shop = types._localise_payload(self.payload(event), self.shop)
        self.assertIsNone(told_wms["external_id"])
        self.assertEqual(told_wms["lines"][0]["product"]["external_id"], "ITEM-T1")
        self.assertEqual(told_shop["external_id"], "SO-T1")
        self.assertEqual(told_shop["customer"]["external_id"], "C-T1")
        self.assertEqual(told_wms["ref"], told_shop["ref"])
