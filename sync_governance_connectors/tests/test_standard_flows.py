from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.sync_governance_base.tests.common import OwnershipCase

MODELS = (
    "res.partner",
    "sale.order",
    "sale.order.line",
    "stock.picking",
    "stock.move",
    "account.move",
    "account.payment",
    "product.template",
)


@tagged("post_install", "-at_install")
class TestStandardFlows(OwnershipCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._new_user(
            "t_clerk",
            "sales_team.group_sale_manager",
            "stock.group_stock_manager",
            "account.group_account_manager",
        )
        cls.product = cls.env["product.product"].create(
            {"name": "Lamp", "is_storable": True, "list_price": 100.0}
        )
        stock = cls.env["stock.warehouse"].search([], limit=1).lot_stock_id
        cls.env["stock.quant"]._update_available_quantity(cls.product, stock, 3)

    def test_probe(self):
        for model in MODELS:
            names = [
                name
                for name, field in self.env[model]._fields.items()
                if field.store and name not in ("id", "create_uid", "create_date", "write_uid", "write_date") and not field.type.startswith("one2many")
            ]
            self._policy(dict.fromkeys(names, self.finance), model=model, enforcement="observe", name=model)
        env = self.env(user=self.clerk)
        order = env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [
                    Command.create({"product_id": self.product.id, "product_uom_qty": 5})
                ],
            }
        )
        self.env.flush_all(); self.env.cr.precommit.run()
        marks = []
        def mark(what):
            self.env.flush_all()
            self.env.cr.precommit.run()
            hits = self.env["sync.policy.hit"].search([("outcome", "=", "observed"), ("superuser", "=", False)])
            print("\nPROBE", what, sorted({(h.policy_id.model_name, h.field_name) for h in hits}))
            self.env.cr.execute("DELETE FROM sync_policy_hit")
            self.env.invalidate_all()
        mark("create order")
        order.action_confirm()
        mark("confirm")
        picking = order.picking_ids
        picking.move_ids.quantity = 3
        mark("set quantity")
        action = picking.button_validate()
        if isinstance(action, dict):
            Form(env[action["res_model"]].with_context(**action["context"])).save().process()
        mark("validate")
        invoice = order._create_invoices()
        mark("invoice")
        invoice.action_post()
        mark("post")
        action = invoice.action_register_payment()
        Form(env[action["res_model"]].with_context(**action["context"])).save()._create_payments()
        mark("pay")
