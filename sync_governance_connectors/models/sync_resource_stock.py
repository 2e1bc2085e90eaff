# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.vocabulary import UPDATED_AT, reference, shown

SEPARATOR = "@"
MEMBERS = (
    Member(
        "external_id",
        Kind.IDENTIFIER,
        readonly=True,
        note="The product's id in the caller's system, @, the warehouse's code.",
        example=f"SKU-1001{SEPARATOR}WH",
    ),
    reference(
        "product",
        "product_id",
        "product.product",
        example="SKU-1001",
        readonly=True,
        required=True,
    ),
    shown("warehouse", field="warehouse_id.code", example="WH"),
    shown("on_hand", Kind.QUANTITY, "on_hand", example="120"),
    shown("reserved", Kind.QUANTITY, "reserved", example="4"),
    shown("available", Kind.QUANTITY, "available", example="116"),
    shown("uom", Kind.LABEL, "product_id.uom_id", example="Units"),
    UPDATED_AT,
)


class SyncResourceStock(models.AbstractModel):
    _name = "sync.resource.stock"
    _inherit = "sync.resource.table"
    _description = "API resource: stock levels"

    _resource_name = "stock"
    _resource_model = "sync.stock.level"
    _domain_code = "stock"
    _resource_operations = frozenset({"read", "list"})
    _ref_prefix = "stk"

    def _members(self):
        return MEMBERS

    def _find(self, system, external_id):
        name, separator, warehouse = external_id.rpartition(SEPARATOR)
        levels = self._business_model()
        if not separator:
            return levels, False
        product, moved = self._look_up(system, "product.product", name)
        level = levels.search(
            [
                ("product_id", "=", product.id),
                ("warehouse_id.code", "=", warehouse),
                ("company_id", "=", self.env.company.id),
            ],
            limit=1,
        )
        return level, moved

    def _reach_domain(self, call):
        if call.system.reach == "company":
            return Domain.TRUE
        known = self._known_to(call.system, "product.product")
        return Domain("product_id", "in", known)

    def _to_canonical(self, records, system):
        # A view does not know when its bins changed: what was read before may be old.
        records.invalidate_recordset()
        return super()._to_canonical(records, system)

    def _encode_computed(self, member, record, names):
        if member.path != "external_id":
            return super()._encode_computed(member, record, names)
        product = names.of(record.product_id)["external_id"]
        return f"{product}{SEPARATOR}{record.warehouse_id.code}" if product else None
