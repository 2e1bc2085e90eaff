# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.problem import Problem
from ..tools.vocabulary import UPDATED_AT, naming, shown

MEMBERS = (
    *naming("SKU-1001", "prd"),
    Member("name", field="name", required=True, example="Folding crate, 45 l"),
    Member("sku", field="default_code", limit=64, example="CRATE-45"),
    Member(
        "barcode",
        field="barcode",
        limit=64,
        note="GTIN or other barcode.",
        example="4006381333931",
    ),
    Member(
        "description",
        field="description_sale",
        limit=4000,
        example="Stackable, food safe.",
    ),
    Member(
        "type",
        Kind.CHOICE,
        "type",
        choices=(("goods", "consu"), ("service", "service")),
        example="goods",
    ),
    Member(
        "stocked",
        Kind.BOOLEAN,
        "is_storable",
        note="Its stock is counted.",
        example=True,
    ),
    Member(
        "uom",
        Kind.LABEL,
        "uom_id",
        model="uom.uom",
        note="Unit of measure.",
        example="Units",
    ),
    Member("weight_kg", Kind.QUANTITY, "weight", example="1.95"),
    Member(
        "list_price",
        Kind.AMOUNT,
        "lst_price",
        note="Without price lists.",
        example="24.90",
    ),
    shown("currency", Kind.CURRENCY, example="EUR"),
    shown("active", Kind.BOOLEAN, "active", example=True),
    UPDATED_AT,
)


class SyncResourceProduct(models.AbstractModel):
    _name = "sync.resource.product"
    _inherit = "sync.resource.table"
    _description = "API resource: products"

    _resource_name = "products"
    _resource_model = "product.product"
    _domain_code = "product"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )
    _ref_prefix = "prd"

    def _members(self):
        return MEMBERS

    def _admit(self, bodies, wanted, call):
        super()._admit(bodies, wanted, call)
        for body in bodies:
            self._refuse_taken_barcode(body)

    def _update(self, record, body, call, partial):
        self._refuse_taken_barcode(body, record)
        return super()._update(record, body, call, partial)

    def _refuse_taken_barcode(self, body, record=None):
        """Odoo's own refusal names the other product, which the caller may not know.

        :raise Problem: 409
        """
        barcode = body.get("barcode")
        if not barcode or (record and record.barcode == barcode):
            return
        taken = Domain("barcode", "=", barcode) & self._company_domain()
        if self._business_model().search_count(taken, limit=1):
            raise Problem(
                409, "exists", self.env._("Another product has this barcode.")
            )

    def _insert(self, values_list, call):
        company = call.system.company_id
        return super()._insert(
            [{"company_id": company.id, **values} for values in values_list], call
        )
