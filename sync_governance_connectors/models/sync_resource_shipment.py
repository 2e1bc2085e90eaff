# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools import canonical, money
from ..tools.call import ResourceResult
from ..tools.canonical import Kind, Member
from ..tools.problem import Problem
from ..tools.vocabulary import UPDATED_AT, address, naming, reference, shown

MILESTONES = tuple(
    (word, word) for word in ("dispatched", "in_transit", "delivered", "exception")
)
LINE = (
    Member("order_line_id", Kind.IDENTIFIER, "sale_line_id.sync_line_id", example="1"),
    reference(
        "product", "product_id", "product.product", example="SKU-1001", required=True
    ),
    Member(
        "quantity_ordered", Kind.QUANTITY, "product_uom_qty", required=True, example="4"
    ),
    Member("quantity", Kind.QUANTITY, "quantity", required=True, example="4"),
    Member("uom", Kind.LABEL, "product_uom", model="uom.uom", example="Units"),
)
MEMBERS = (
    *naming("DHL-00340434161094", "shp"),
    shown("number", field="name", example="WH/OUT/00042"),
    shown(
        "state",
        Kind.CHOICE,
        "state",
        choices=(
            ("draft", "draft"),
            ("waiting", "waiting"),
            ("waiting", "confirmed"),
            ("ready", "assigned"),
            ("done", "done"),
            ("cancelled", "cancel"),
        ),
        example="ready",
    ),
    Member(
        "milestone", Kind.CHOICE, "sync_milestone", readonly=True, choices=MILESTONES
    ),
    Member("milestone_at", Kind.MOMENT, "sync_milestone_at", readonly=True),
    Member("milestone_note", field="sync_milestone_note", readonly=True),
    reference("order", "sale_id", "sale.order", readonly=True),
    Member(
        "warehouse",
        field="picking_type_id.warehouse_id.code",
        readonly=True,
        example="WH",
    ),
    Member("scheduled_at", Kind.MOMENT, "scheduled_date", readonly=True),
    Member("done_at", Kind.MOMENT, "date_done", readonly=True),
    Member("carrier", field="sync_carrier_name", example="DHL"),
    Member(
        "tracking_number",
        field="sync_tracking_number",
        limit=64,
        example="00340434161094",
    ),
    Member("delivery_address.name", field="partner_id.name", readonly=True),
    *address("delivery_address", "partner_id", readonly=True),
    Member("delivery_address.phone", field="partner_id.phone", readonly=True),
    Member("lines", Kind.LIST, "move_ids", readonly=True, items=LINE),
    UPDATED_AT,
)
PICKED = (
    reference(
        "product", "product_id", "product.product", example="SKU-1001", required=True
    ),
    Member("quantity", Kind.QUANTITY, "quantity", required=True, example="4"),
)
MILESTONE = (
    Member(
        "milestone",
        Kind.CHOICE,
        required=True,
        choices=MILESTONES,
        example="dispatched",
    ),
    Member("occurred_at", Kind.MOMENT, required=True, example="2026-02-01T16:20:00Z"),
    Member("note", limit=255, example="Handed over at gate 3"),
    Member("carrier", field="sync_carrier_name", example="DHL"),
    Member(
        "tracking_number",
        field="sync_tracking_number",
        limit=64,
        example="00340434161094",
    ),
    Member(
        "number",
        limit=64,
        note="Delivery number; a first message introduces the caller's id by it.",
        example="WH/OUT/00042",
    ),
    Member(
        "lines",
        Kind.LIST,
        items=PICKED,
        note="What really left; the rest becomes a backorder. Left out: everything.",
    ),
)


class SyncResourceShipment(models.AbstractModel):
    _name = "sync.resource.shipment"
    _inherit = "sync.resource.table"
    _description = "API resource: shipments"

    _resource_name = "shipments"
    _resource_model = "stock.picking"
    _domain_code = "shipment"
    _resource_operations = frozenset({"read", "patch", "list"})
    _ref_prefix = "shp"

    def _members(self):
        return MEMBERS

    def _resource_transitions(self):
        return {
            "milestones": self.env._(
                "Report a milestone: dispatched validates the delivery in Odoo."
            )
        }

    def _transition_members(self):
        return {"milestones": MILESTONE}

    def _served_domain(self):
        return super()._served_domain() & Domain("picking_type_code", "=", "outgoing")

    def _served(self, records):
        return (
            super()
            ._served(records)
            .filtered(lambda picking: picking.picking_type_code == "outgoing")
        )

    def _hook_operations(self):
        return {"shipment.milestone": "milestones"}

    def _introduce(self, external_id, body, call):
        """A carrier's first message names the delivery number beside its own id."""
        pickings = self._business_model()
        if not body.get("number"):
            return pickings
        meant = pickings._sync_number_domain(body["number"], call.system)
        picking = pickings.search(meant, limit=1)
        if picking:
            self.env["sync.crosswalk"].sudo()._link(call.system, picking, external_id)
        return picking

    # -- milestones ------------------------------------------------------------------

    def _transition(self, record, name, body, call):
        values = self._decode(MILESTONE, body, call)
        if record.state == "cancel":
            raise Problem(
                409,
                "invalid_transition",
                self.env._("Delivery %s is cancelled.", record.name),
            )
        self._take_picked(record, values.get("lines"))
        changed = record._sync_reach_milestone(
            values["milestone"], values["occurred_at"], values.get("note")
        )
        if not changed:
            return ResourceResult(record, "unchanged")
        record.write(
            {
                name: values[name]
                for name in ("sync_carrier_name", "sync_tracking_number")
                if values.get(name)
            }
        )
        applied = {
            member.path: value for member, value in canonical.walk(MILESTONE, body)
        }
        applied.pop("number", None)
        return ResourceResult(record, "transitioned", applied)

    def _take_picked(self, picking, lines):
        """Sets the picked quantities that the warehouse reports, before validation."""
        if not lines or picking.state == "done":
            return
        faults = []
        picking.move_ids.quantity = 0
        for index, line in enumerate(lines):
            left = self._spread(picking, line["product_id"], line["quantity"])
            if left:
                faults.append(
                    (
                        f"/lines/{index}/quantity",
                        self.env._(
                            "%s more than was ordered.", money.to_plain_text(left)
                        ),
                        "invalid_value",
                    )
                )
        if faults:
            raise Problem.invalid(faults)

    def _spread(self, picking, product_id, quantity):
        """Books a quantity on the product's moves, first come first served.

        :return: what no move had room for
        """
        for move in picking.move_ids.filtered(lambda m: m.product_id.id == product_id):
            taken = min(quantity, move.product_uom_qty - move.quantity)
            move.quantity += taken
            move.picked = True
            quantity -= taken
        return max(quantity, 0.0)
