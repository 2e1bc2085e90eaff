# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.vocabulary import UPDATED_AT, address, naming

MEMBERS = (
    *naming("C-1001", "cus"),
    Member("name", field="name", required=True, example="Nordwind Handel GmbH"),
    Member("is_company", Kind.BOOLEAN, "is_company", example=True),
    Member("email", field="email", example="einkauf@nordwind.example"),
    Member("phone", field="phone", limit=64, example="+49 40 1234567"),
    Member("vat", field="vat", limit=32, note="VAT number with its country prefix."),
    Member("language", Kind.LANGUAGE, "lang", note="BCP 47", example="en-US"),
    *address("address"),
    Member(
        "credit_limit",
        Kind.AMOUNT,
        "credit_limit",
        note="In the company's currency.",
        example="5000.00",
    ),
    Member("currency", Kind.CURRENCY, readonly=True, required=True, example="EUR"),
    Member(
        "payment_terms",
        Kind.LABEL,
        "property_payment_term_id",
        model="account.payment.term",
        note="Name of the payment terms.",
        example="30 Days",
    ),
    Member(
        "active", Kind.BOOLEAN, "active", readonly=True, required=True, example=True
    ),
    UPDATED_AT,
)


class SyncResourceCustomer(models.AbstractModel):
    _name = "sync.resource.customer"
    _inherit = "sync.resource.table"
    _description = "API resource: customers"

    _resource_name = "customers"
    _resource_model = "res.partner"
    _domain_code = "customer"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )
    _ref_prefix = "cus"

    def _members(self):
        return MEMBERS

    def _insert(self, values_list, call):
        # A customer that a company's system sends is that company's, as its system is.
        company = call.system.company_id
        return super()._insert(
            [{"company_id": company.id, **values} for values in values_list], call
        )

    def _list_domain(self, call):
        # Delivery and invoice addresses are parts of their customer, not customers.
        return super()._list_domain(call) & Domain("parent_id", "=", False)
