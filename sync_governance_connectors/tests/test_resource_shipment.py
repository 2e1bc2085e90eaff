# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import jsonschema

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.problem import Problem

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestResourceShipment(ResourceCase):
    def setUp(self):
        super().setUp()
        self.order = self.confirmed_order()
        self.picking = self.order.picking_ids
        self._link(self.wms, self.picking, "SHP-T1")

    def report(self, milestone, at="2030-01-01T10:00:00Z", **values):
        body = {"milestone": milestone, "occurred_at": at, **values}
        return self.apply(self.wms, "shipments", "milestones", "SHP-T1", body)

    def test_read(self):
        body = self.body(self.wms, "shipments", self.picking)
        jsonschema.validate(body, self.resource("shipments", self.wms)._schema("read"))
        self.assertEqual(body["state"], "ready")
        self.assertEqual(body["warehouse"], self.warehouse.code)
        self.assertEqual(body["lines"][0]["order_line_id"], "1")
        self.assertEqual(body["lines"][0]["product"]["external_id"], "ITEM-T1")
        ref = self.body(self.shop, "orders", self.order)["ref"]
        self.assertEqual(body["order"]["ref"], ref)

    def test_dispatched_validates_the_transfer(self):
        result = self.report("dispatched", tracking_number="0034", carrier="DHL")
        self.assertEqual(result.status, "transitioned")
        self.assertEqual(self.picking.state, "done")
        self.assertEqual(self.picking.sync_milestone, "dispatched")
        self.assertEqual(str(self.picking.sync_milestone_at), "2030-01-01 10:00:00")
        self.assertEqual(self.picking.sync_tracking_number, "0034")
        self.assertEqual(self.order.order_line.qty_delivered, 4)

    def test_partial_dispatch_leaves_a_backorder(self):
        self.report(
            "dispatched",
            lines=[{"product": {"external_id": "ITEM-T1"}, "quantity": "3"}],
        )
        self.assertEqual(self.picking.state, "done")
        self.assertEqual(self.order.order_line.qty_delivered, 3)
        backorder = self.order.picking_ids - self.picking
        self.assertEqual(backorder.move_ids.product_uom_qty, 1)
        self.assertFalse(backorder.sync_milestone)

    def test_more_than_ordered_is_refused(self):
        with self.assertRaises(Problem) as caught:
            self.report(
                "dispatched",
                lines=[{"product": {"external_id": "ITEM-T1"}, "quantity": "9"}],
            )
        self.assertEqual(caught.exception.errors[0].pointer, "/lines/0/quantity")
        self.assertEqual(self.picking.state, "assigned")

    def test_overtaking_messages(self):
        self.report("delivered", at="2030-01-03T10:00:00Z")
        self.assertEqual(self.picking.state, "done", "what was delivered has left")
        late = self.report("in_transit", at="2030-01-02T10:00:00Z")
        self.assertEqual(late.status, "unchanged")
        self.assertEqual(self.picking.sync_milestone, "delivered")

    def test_repeated_message_changes_nothing(self):
        self.report("dispatched")
        self.assertEqual(self.report("dispatched").status, "unchanged")

    def test_exception_and_recovery(self):
        self.report("dispatched", at="2030-01-01T10:00:00Z")
        self.report("exception", at="2030-01-02T10:00:00Z", note="Address unknown")
        self.assertEqual(self.picking.sync_milestone, "exception")
        self.assertEqual(self.picking.sync_milestone_note, "Address unknown")
        stale = self.report("exception", at="2030-01-01T09:00:00Z")
        self.assertEqual(stale.status, "unchanged")
        self.report("delivered", at="2030-01-03T10:00:00Z")
        self.assertEqual(self.picking.sync_milestone, "delivered")

    def test_exception_before_dispatch_leaves_the_goods(self):
        self.report("exception", note="Pallet broken")
        self.assertEqual(self.picking.state, "assigned")
        self.report("dispatched", at="2030-01-02T10:00:00Z")
        self.assertEqual(self.picking.state, "done")

    def test_unreserved_goods_cannot_leave(self):
        self.picking.do_unreserve()
        with self.assertRaises(UserError):
            self.report("dispatched")
        self.assertFalse(self.picking.sync_milestone)

    def test_cancelled_delivery(self):
        self.order.action_cancel()
        with self.assertRaises(Problem) as caught:
            self.report("dispatched")
        self.assertEqual(caught.exception.code, "invalid_transition")

    def test_person_validates_like_a_system(self):
        self.picking.button_validate()
        self.assertEqual(self.picking.sync_milestone, "dispatched")
        self.assertTrue(self.picking.sync_milestone_at)

    def test_receipts_are_no_shipments(self):
        receipt = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.in_type_id.id,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.warehouse.lot_stock_id.id,
            }
        )
        self._link(self.wms, receipt, "IN-T1")
        self.assertFalse(
            self.resource("shipments", self.wms)._find(self.wms, "IN-T1")[0]
        )

    def test_tracking_is_patched(self):
        self.apply(
            self.wms,
            "shipments",
            "patch",
            "SHP-T1",
            {"carrier": "DHL", "tracking_number": "1Z"},
        )
        self.assertEqual(self.picking.sync_tracking_number, "1Z")

    def test_stock_level_is_a_warehouses(self):
        resource = self.resource("stock", self.wms)
        level, _moved = resource._find(self.wms, f"ITEM-T1@{self.warehouse.code}")
        body = self.body(self.wms, "stock", level)
        jsonschema.validate(body, resource._schema("read"))
        self.assertEqual(
            (body["on_hand"], body["reserved"], body["available"]), ("100", "4", "96")
        )
        self.assertEqual(body["external_id"], f"ITEM-T1@{self.warehouse.code}")
        self.assertFalse(resource._find(self.wms, "ITEM-T1@NOPE")[0])
        self.assertFalse(resource._find(self.wms, "ITEM-T1")[0])
