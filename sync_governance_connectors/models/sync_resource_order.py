# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from decimal import Decimal

from odoo import models
from odoo.fields import Command

from ..tools import money
from ..tools.call import ResourceResult
from ..tools.canonical import Kind, Member
from ..tools.problem import FieldError, Problem
from ..tools.vocabulary import UPDATED_AT, address, naming, reference, shown

DELIVERY = "partner_shipping_id."
TOTALS = {"net": "amount_untaxed", "tax": "amount_tax", "total": "amount_total"}
LINE = (
    Member(
        "line_id",
        Kind.IDENTIFIER,
        "sync_line_id",
        note="The caller's own id.",
        example="1",
    ),
    reference(
        "product", "product_id", "product.product", example="SKU-1001", required=True
    ),
    Member("description", field="name", limit=2000, example="Folding crate, 45 l"),
    Member("quantity", Kind.QUANTITY, "product_uom_qty", required=True, example="4"),
    Member("uom", Kind.LABEL, "product_uom_id", model="uom.uom", example="Units"),
    Member(
        "unit_price",
        Kind.AMOUNT,
        "price_unit",
        note="Left out: Odoo's price list decides.",
        example="24.90",
    ),
    Member("discount_percent", Kind.QUANTITY, "discount", example="0"),
    shown("net", Kind.AMOUNT, "price_subtotal", example="99.60"),
    shown("tax", Kind.AMOUNT, "price_tax", example="0.00"),
    shown("total", Kind.AMOUNT, "price_total", example="99.60"),
)
MEMBERS = (
    *naming("SO-2026-0001", "ord"),
    shown("number", field="name", example="S00042"),
    shown(
        "state",
        Kind.CHOICE,
        "state",
        choices=(
            ("draft", "draft"),
            ("draft", "sent"),
            ("confirmed", "sale"),
            ("cancelled", "cancel"),
        ),
        example="draft",
    ),
    reference(
        "customer",
        "partner_id",
        "res.partner",
        example="C-1001",
        required=True,
        fixed=True,
    ),
    Member("customer_reference", field="client_order_ref", example="PO 4711"),
    Member(
        "ordered_at",
        Kind.MOMENT,
        "date_order",
        fixed=True,
        example="2026-01-31T08:15:00Z",
    ),
    Member(
        "requested_delivery_at",
        Kind.MOMENT,
        "commitment_date",
        example="2026-02-03T12:00:00Z",
    ),
    Member(
        "currency",
        Kind.CURRENCY,
        "currency_id",
        required=True,
        fixed=True,
        example="USD",
    ),
    Member(
        "delivery_address.name",
        field=f"{DELIVERY}name",
        note="Left out: the customer's own address.",
        example="Nordwind, Lager 2",
    ),
    *address("delivery_address", "partner_shipping_id"),
    Member(
        "delivery_address.phone",
        field=f"{DELIVERY}phone",
        limit=64,
        example="+49 40 7654321",
    ),
    Member(
        "lines",
        Kind.LIST,
        "order_line",
        required=True,
        items=LINE,
        note="Replaced as a whole.",
    ),
    *(
        Member(
            f"totals.{name}",
            Kind.AMOUNT,
            field,
            note="When sent, it must agree with Odoo's own sum.",
            example="99.60" if name == "net" else None,
        )
        for name, field in TOTALS.items()
    ),
    UPDATED_AT,
)
CANCEL = (Member("reason", limit=500, example="Customer changed his mind"),)


class SyncResourceOrder(models.AbstractModel):
    _name = "sync.resource.order"
    _inherit = "sync.resource.table"
    _description = "API resource: sales orders"

    _resource_name = "orders"
    _resource_model = "sale.order"
    _domain_code = "order"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )
    _ref_prefix = "ord"

    def _members(self):
        return MEMBERS

    def _resource_transitions(self):
        return {
            "confirm": self.env._(
                "Confirm the order: it becomes binding and is picked."
            ),
            "cancel": self.env._("Cancel the order and its open deliveries."),
        }

    def _transition_members(self):
        return {"confirm": (), "cancel": CANCEL}

    # -- writing ---------------------------------------------------------------------

    def _insert(self, values_list, call):
        orders = super()._insert(
            [self._prepare(values) for values in values_list], call
        )
        for order, values in zip(orders, values_list, strict=True):
            self._check_totals(order, values)
        return orders

    def _prepare(self, values):
        """Values of a new order: own fields, lines, price list and delivery address."""
        customer = self.env["res.partner"].sudo().browse(values["partner_id"])
        return {
            **self._governed(values),
            "company_id": self.env.company.id,
            "pricelist_id": self._pricelist(customer, values["currency_id"]).id,
            "partner_shipping_id": self._delivery_address(customer, values).id,
            "order_line": [Command.create(line) for line in values["order_line"]],
        }

    def _governed(self, values):
        derived = {*TOTALS.values(), "currency_id"}
        return {
            name: value
            for name, value in super()._governed(values).items()
            if name not in derived
        }

    def _pricelist(self, customer, currency_id):
        """A price list in the order's currency, the customer's own if it is one."""
        pricelist = customer.property_product_pricelist
        if pricelist.currency_id.id == currency_id:
            return pricelist
        if not pricelist and self.env.company.currency_id.id == currency_id:
            return pricelist
        pricelist = pricelist.search(
            [
                ("currency_id", "=", currency_id),
                ("company_id", "in", [False, self.env.company.id]),
            ],
            limit=1,
        )
        if not pricelist:
            currency = self.env["res.currency"].browse(currency_id)
            raise Problem.invalid(
                [
                    (
                        "/currency",
                        self.env._("No price list is in %s.", currency.name),
                        "unknown_reference",
                    )
                ]
            )
        return pricelist

    def _delivery_address(self, customer, values):
        """The customer's address with these values, made when he has none."""
        wanted = {
            name.removeprefix(DELIVERY): value
            for name, value in values.items()
            if name.startswith(DELIVERY)
        }
        if not any(wanted.values()):
            return customer.browse(customer.address_get(["delivery"])["delivery"])
        for address_ in customer | customer.child_ids:
            if all(self._same(address_[name], value) for name, value in wanted.items()):
                return address_
        return customer.create({**wanted, "type": "delivery", "parent_id": customer.id})

    def _same(self, current, wanted):
        if isinstance(current, models.BaseModel):
            current = current.id
        return (current or False) == (wanted or False)

    def _check_totals(self, order, values):
        """Refuses an order whose declared totals are not Odoo's.

        :raise Problem: 422, a pointer for each total that differs
        """
        digits = order.currency_id.decimal_places
        declared, computed = {}, {}
        for name, field in TOTALS.items():
            if values.get(field) not in (None, False):
                declared[name] = money.to_text(values[field], digits)
                computed[name] = money.to_text(order[field], digits)
        tolerance = Decimal(str(order.currency_id.rounding)) / 2
        mismatches = money.compare_totals(declared, computed, tolerance)
        if mismatches:
            raise Problem(
                422,
                "totals_mismatch",
                self.env._("The totals are not those of the lines."),
                errors=[
                    FieldError(
                        f"/totals/{mismatch.name}",
                        self.env._(
                            "%(declared)s was sent, the lines come to %(computed)s.",
                            declared=mismatch.declared,
                            computed=mismatch.computed,
                        ),
                        "totals_mismatch",
                    )
                    for mismatch in mismatches
                ],
            )

    def _update(self, record, body, call, partial):
        if record.state in ("draft", "sent"):
            return super()._update(record, body, call, partial)
        # A shop tells of an order again at every step; that is no wish to change it.
        self._check_fixed(record, body, call)
        if self._differs(record, body, call, partial):
            raise self._not_now(record)
        return ResourceResult(record, "unchanged")

    def _differs(self, record, body, call, partial):
        """Whether a body would change the order."""
        values = self._decode(self._updatable_members(), body, call)
        if not partial:
            values = {
                **self._left_out(self._own_crosswalk(record, call), values),
                **values,
            }
        self._check_totals(record, values)
        return bool(self._changed_parts(record, values)) or not all(
            self._is_same(record, name, value)
            for name, value in self._governed(values).items()
        )

    def _write_parts(self, record, values, call):
        parts = self._changed_parts(record, values)
        if parts:
            record.write(parts)
        self._check_totals(record, values)
        shown = {"partner_shipping_id": DELIVERY, "order_line": "order_line"}
        return {
            member.path
            for member in self._updatable_members()
            for name in parts
            if member.field.startswith(shown[name])
        }

    def _changed_parts(self, record, values):
        """What is to be written of the delivery address and the lines."""
        parts = {}
        if any(name.startswith(DELIVERY) for name in values):
            address_ = self._delivery_address(record.partner_id, values)
            if address_ != record.partner_shipping_id:
                parts["partner_shipping_id"] = address_.id
        if "order_line" in values and not self._has_lines(record, values["order_line"]):
            parts["order_line"] = [
                Command.clear(),
                *(Command.create(line) for line in values["order_line"]),
            ]
        return parts

    def _has_lines(self, order, wanted):
        """Whether the order's lines are these, as far as these say."""
        lines = self._lines(order)
        return len(lines) == len(wanted) and all(
            self._is_same(line, name, value)
            for line, values in zip(lines, wanted, strict=True)
            for name, value in values.items()
        )

    def _lines(self, order):
        # Sections and notes are typography of the printed order, not lines of it.
        return order.order_line.filtered(lambda line: not line.display_type)

    # -- transitions -----------------------------------------------------------------

    def _transition(self, record, name, body, call):
        reached = {"confirm": "sale", "cancel": "cancel"}[name]
        if record.state == reached:
            return ResourceResult(record, "unchanged")
        getattr(self, f"_transition_{name}")(record, body)
        return ResourceResult(record, "transitioned", {"state": reached})

    def _transition_confirm(self, order, body):
        if order.state not in ("draft", "sent"):
            raise self._not_now(order)
        order.action_confirm()

    def _transition_cancel(self, order, body):
        if order.picking_ids.filtered(lambda picking: picking.state == "done"):
            raise Problem(
                409,
                "invalid_transition",
                self.env._(
                    "Order %s was shipped: ask for a return instead.", order.name
                ),
            )
        if body.get("reason"):
            order.message_post(body=self.env._("Cancelled: %s", body["reason"]))
        order.action_cancel()

    def _not_now(self, order):
        states = dict(order._fields["state"]._description_selection(self.env))
        return Problem(
            409,
            "invalid_transition",
            self.env._(
                "Order %(number)s is in state %(state)s, which does not allow it.",
                number=order.name,
                state=states[order.state],
            ),
        )

    # -- reading ---------------------------------------------------------------------

    def _encode_value(self, member, record, names):
        if member.path == "lines":
            return [
                self._encode_object(member.items, line, names)
                for line in self._lines(record)
            ]
        return super()._encode_value(member, record, names)
