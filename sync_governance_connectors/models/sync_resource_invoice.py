# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.call import ResourceResult
from ..tools.canonical import Kind, Member
from ..tools.problem import Problem
from ..tools.vocabulary import UPDATED_AT, naming, reference, shown

TYPES = (("invoice", "out_invoice"), ("credit_note", "out_refund"))
LINE = (
    Member("order_line_id", Kind.IDENTIFIER, readonly=True, example="1"),
    reference("product", "product_id", "product.product", readonly=True),
    Member("description", field="name", readonly=True, example="Folding crate, 45 l"),
    shown("quantity", Kind.QUANTITY, "quantity", example="4"),
    Member("uom", Kind.LABEL, "product_uom_id", readonly=True, example="Units"),
    shown("unit_price", Kind.AMOUNT, "price_unit", example="24.90"),
    shown("net", Kind.AMOUNT, "price_subtotal", example="99.60"),
    shown("total", Kind.AMOUNT, "price_total", example="114.54"),
)
TOTALS = (
    ("net", "amount_untaxed", "99.60"),
    ("tax", "amount_tax", "14.94"),
    ("total", "amount_total", "114.54"),
    ("due", "amount_residual", "114.54"),
)
MEMBERS = (
    *naming("INV-2026-0001", "inv"),
    Member(
        "order",
        Kind.REFERENCE,
        required=True,
        fixed=True,
        model="sale.order",
        note="What is invoiced: everything of the order that can be invoiced now.",
        example={"external_id": "SO-2026-0001"},
    ),
    Member("number", field="name", readonly=True, example="INV/2026/00042"),
    shown("type", Kind.CHOICE, "move_type", choices=TYPES, example="invoice"),
    shown(
        "state",
        Kind.CHOICE,
        "state",
        choices=(("draft", "draft"), ("posted", "posted"), ("cancelled", "cancel")),
        example="posted",
    ),
    Member(
        "payment_state",
        Kind.CHOICE,
        "payment_state",
        readonly=True,
        choices=(
            ("not_paid", "not_paid"),
            ("in_payment", "in_payment"),
            ("paid", "paid"),
            ("partial", "partial"),
            ("reversed", "reversed"),
            ("blocked", "blocked"),
        ),
        example="not_paid",
    ),
    reference(
        "customer",
        "commercial_partner_id",
        "res.partner",
        example="C-1001",
        readonly=True,
    ),
    Member("invoice_date", Kind.DAY, "invoice_date", example="2026-02-01"),
    Member(
        "due_date", Kind.DAY, "invoice_date_due", readonly=True, example="2026-03-03"
    ),
    Member("reference", field="payment_reference", example="RF18 5390 0754 7034"),
    shown("currency", Kind.CURRENCY, "currency_id", example="USD"),
    Member("lines", Kind.LIST, "invoice_line_ids", readonly=True, items=LINE),
    *(
        shown(f"totals.{name}", Kind.AMOUNT, field, example=example)
        for name, field, example in TOTALS
    ),
    UPDATED_AT,
)


class SyncResourceInvoice(models.AbstractModel):
    _name = "sync.resource.invoice"
    _inherit = "sync.resource.table"
    _description = "API resource: customer invoices"

    _resource_name = "invoices"
    _resource_model = "account.move"
    _domain_code = "invoice"
    _resource_operations = frozenset({"create", "read", "patch", "list"})
    _ref_prefix = "inv"

    def _members(self):
        return MEMBERS

    def _resource_transitions(self):
        return {"post": self.env._("Post the invoice: it gets its number and is due.")}

    def _transition_members(self):
        return {"post": ()}

    def _served_domain(self):
        return super()._served_domain() & Domain(
            "move_type", "in", [odoo for _word, odoo in TYPES]
        )

    def _served(self, records):
        types = [odoo for _word, odoo in TYPES]
        return super()._served(records).filtered(lambda move: move.move_type in types)

    # -- writing ---------------------------------------------------------------------

    def _insert(self, values_list, call):
        invoices = self._business_model()
        for values in values_list:
            order = self.env["sale.order"].sudo().browse(values["order"])
            invoice = order._create_invoices()
            invoice.write(self._governed(values))
            invoices |= invoice
        return invoices

    def _update(self, record, body, call, partial):
        if record.state != "draft":
            raise self._not_now(record)
        return super()._update(record, body, call, partial)

    def _transition(self, record, name, body, call):
        if record.state == "posted":
            return ResourceResult(record, "unchanged")
        if record.state != "draft":
            raise self._not_now(record)
        record.action_post()
        return ResourceResult(record, "transitioned", {"state": "posted"})

    def _not_now(self, invoice):
        return Problem(
            409,
            "invalid_transition",
            self.env._("Invoice %s is not a draft any more.", invoice.display_name),
        )

    # -- reading ---------------------------------------------------------------------

    def _encode_value(self, member, record, names):
        if member.path == "lines":
            # Sections and notes are typography of the printed invoice, not lines of it.
            lines = record.invoice_line_ids.filtered(
                lambda line: line.display_type == "product"
            )
            return [self._encode_object(member.items, line, names) for line in lines]
        return super()._encode_value(member, record, names)

    def _encode_computed(self, member, record, names):
        if member.path == "order":
            return names.of(record.invoice_line_ids.sale_line_ids.order_id[:1])
        if member.path == "order_line_id":
            return record.sale_line_ids[:1].sync_line_id or None
        return super()._encode_computed(member, record, names)
