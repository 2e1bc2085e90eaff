# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.problem import Problem
from ..tools.vocabulary import UPDATED_AT, naming, shown

MEMBERS = (
    *naming("PAY-2026-0001", "pay"),
    Member(
        "invoice",
        Kind.REFERENCE,
        required=True,
        fixed=True,
        model="account.move",
        note="The invoice or credit note that is paid.",
        example={"external_id": "INV-2026-0001"},
    ),
    Member("number", field="name", readonly=True, example="PBNK1/2026/00007"),
    shown(
        "direction",
        Kind.CHOICE,
        "payment_type",
        choices=(("received", "inbound"), ("refunded", "outbound")),
        example="received",
    ),
    shown(
        "state",
        Kind.CHOICE,
        "state",
        choices=(
            ("draft", "draft"),
            ("posted", "in_process"),
            ("paid", "paid"),
            ("cancelled", "canceled"),
            ("rejected", "rejected"),
        ),
        example="paid",
    ),
    Member(
        "amount", Kind.AMOUNT, "amount", required=True, fixed=True, example="114.54"
    ),
    Member(
        "currency",
        Kind.CURRENCY,
        "currency_id",
        required=True,
        fixed=True,
        example="USD",
    ),
    Member("date", Kind.DAY, "date", required=True, fixed=True, example="2026-02-20"),
    Member(
        "journal",
        Kind.LABEL,
        "journal_id",
        fixed=True,
        model="account.journal",
        note="Name of the bank or cash journal. Left out: Odoo's default.",
        example="Bank",
    ),
    Member("memo", field="memo", fixed=True, example="RF18 5390 0754 7034"),
    UPDATED_AT,
)


class SyncResourcePayment(models.AbstractModel):
    _name = "sync.resource.payment"
    _inherit = "sync.resource.table"
    _description = "API resource: payments"

    _resource_name = "payments"
    _resource_model = "account.payment"
    _domain_code = "payment"
    _resource_operations = frozenset({"create", "read", "list"})
    _ref_prefix = "pay"

    def _members(self):
        return MEMBERS

    def _served_domain(self):
        return super()._served_domain() & Domain("partner_type", "=", "customer")

    def _served(self, records):
        return super()._served(records).filtered(lambda p: p.partner_type == "customer")

    # -- writing ---------------------------------------------------------------------

    def _insert(self, values_list, call):
        payments = self._business_model()
        for values in values_list:
            payments |= self._register_payment(values)
        return payments

    def _register_payment(self, values):
        """Registers a payment by Odoo's own wizard, which reconciles the invoice."""
        invoice = self.env["account.move"].sudo().browse(values["invoice"])
        if invoice.state != "posted" or invoice.currency_id.is_zero(
            invoice.amount_residual
        ):
            raise Problem(
                409,
                "invalid_transition",
                self.env._("Nothing is due on invoice %s.", invoice.display_name),
            )
        names = {"date": "payment_date", "memo": "communication"}
        wizard = (
            self.env["account.payment.register"]
            .sudo()
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(
                {
                    names.get(name, name): value
                    for name, value in self._governed(values).items()
                    if value
                }
            )
        )
        return wizard._create_payments()

    # -- reading ---------------------------------------------------------------------

    def _encode_computed(self, member, record, names):
        if member.path == "invoice":
            return names.of((record.invoice_ids | record.reconciled_invoice_ids)[:1])
        return super()._encode_computed(member, record, names)
