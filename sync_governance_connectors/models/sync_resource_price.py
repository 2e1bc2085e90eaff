# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.vocabulary import UPDATED_AT, naming, reference, shown

MEMBERS = (
    *naming("PRC-1001-RETAIL", "prc"),
    reference(
        "product",
        "product_id",
        "product.product",
        example="SKU-1001",
        required=True,
        fixed=True,
    ),
    Member(
        "pricelist",
        Kind.LABEL,
        "pricelist_id",
        required=True,
        fixed=True,
        model="product.pricelist",
        note="Name of the price list.",
        example="Default",
    ),
    Member("price", Kind.AMOUNT, "fixed_price", required=True, example="22.40"),
    shown("currency", Kind.CURRENCY, "currency_id", example="USD"),
    Member("min_quantity", Kind.QUANTITY, "min_quantity", example="10"),
    Member("valid_from", Kind.MOMENT, "date_start", example="2026-01-01T00:00:00Z"),
    Member("valid_until", Kind.MOMENT, "date_end", example="2026-12-31T23:59:59Z"),
    UPDATED_AT,
)


class SyncResourcePrice(models.AbstractModel):
    _name = "sync.resource.price"
    _inherit = "sync.resource.table"
    _description = "API resource: prices"

    _resource_name = "prices"
    _resource_model = "product.pricelist.item"
    _domain_code = "price"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )
    _ref_prefix = "prc"

    def _members(self):
        return MEMBERS

    def _insert(self, values_list, call):
        return super()._insert(
            [self._fixed_price(values) for values in values_list], call
        )

    def _fixed_price(self, values):
        product = self.env["product.product"].sudo().browse(values["product_id"])
        return {
            **values,
            "applied_on": "0_product_variant",
            "compute_price": "fixed",
            "product_tmpl_id": product.product_tmpl_id.id,
        }

    def _served_domain(self):
        # Formulas and discounts are rules of Odoo's;
        # the contract speaks of fixed prices.
        return (
            super()._served_domain()
            & Domain("applied_on", "=", "0_product_variant")
            & Domain("compute_price", "=", "fixed")
        )
