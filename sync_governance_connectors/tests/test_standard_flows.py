# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.sync_governance_base.tests.common import OwnershipCase

MAGIC = {"id", "create_uid", "create_date", "write_uid", "write_date"}


@tagged("post_install", "-at_install")
class TestStandardFlows(OwnershipCase):
    """Odoo's own flows go on when somebody else owns every field they write.

    A clerk without any right of this suite does them, and is still kept from editing
    the same fields by hand.
    """

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

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # those of the demo would decide too
        cls.env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        cls.clerk = cls._new_user(
            "t_clerk",
            "sales_team.group_sale_manager",
            "stock.group_stock_manager",
            "account.group_account_manager",
        )
        cls.product = cls.env["product.product"].create(
            {"name": "Lamp", "is_storable": True, "list_price": 100.0}
        )
        warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.env.company.id)], limit=1
        )
        cls.env["stock.quant"]._update_available_quantity(
            cls.product, warehouse.lot_stock_id, 3
        )
        cls.order = cls._order()
        for model in cls.MODELS:
            names = [
                name
                for name, field in cls.env[model]._fields.items()
                if field.store and field.type != "one2many" and name not in MAGIC
            ]
            cls._policy(
                dict.fromkeys(names, cls.finance),
                model=model,
                name=model,
                enforcement="block",
            )

    @classmethod
    def _order(cls):
        line = {"product_id": cls.product.id, "product_uom_qty": 5}
        return (
            cls.env["sale.order"]
            .with_user(cls.clerk)
            .create(
                {
                    "partner_id": cls.partner.id,
                    # long ago: what is set to now on the way is a change
                    "date_order": "2020-01-01 00:00:00",
                    "order_line": [Command.create(line)],
                }
            )
        )

    def _answer(self, action):
        """Answer a wizard with what it proposes."""
        wizard = self.env[action["res_model"]].with_user(self.clerk)
        return Form(wizard.with_context(**action["context"])).save()

    def _outcomes(self, *models):
        self.env.flush_all()
        self.env.cr.precommit.run()
        hits = self.env["sync.policy.hit"].search(
            [("policy_id.model_name", "in", models), ("outcome", "!=", "allowed")]
        )
        return {(hit.field_name, hit.outcome, hit.user_id) for hit in hits}

    def test_order_to_cash(self):
        order = self.order
        with self.assertRaises(UserError):
            order.date_order = "2021-01-01 00:00:00"
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertIn(
            ("date_order", "observed", self.clerk), self._outcomes("sale.order")
        )
        picking = order.picking_ids
        self.assertEqual(picking.move_ids.quantity, 3)
        self._validate_with_backorder(picking)
        invoice = self._post_invoice(order)
        self._pay(invoice)

    def _validate_with_backorder(self, picking):
        with self.assertRaises(UserError):
            picking.scheduled_date = "2021-01-01 00:00:00"
        action = picking.button_validate()
        self.assertNotIn("sync_source", action["context"])
        self._answer(action).process()
        self.assertEqual(picking.state, "done")
        backorder = picking.backorder_ids
        self.assertEqual(backorder.move_ids.product_uom_qty, 2)
        self.assertEqual(picking.move_ids.quantity, 3)
        self.assertIn(
            ("product_uom_qty", "observed", self.clerk), self._outcomes("stock.move")
        )

    def _post_invoice(self, order):
        invoice = order._create_invoices().with_env(order.env)
        self.assertFalse(invoice.env.su)
        with self.assertRaises(UserError):
            invoice.invoice_date = "2021-01-01"
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        self.assertTrue(invoice.invoice_date)
        with self.assertRaises(UserError):
            invoice.ref = "mine"
        return invoice

    def _pay(self, invoice):
        action = invoice.action_register_payment()
        payments = self._answer(action)._create_payments()
        self.assertIn(payments.state, ("in_process", "paid"))
        self.assertIn(invoice.payment_state, ("in_payment", "paid"))
        with self.assertRaises(UserError):
            payments.with_user(self.clerk).memo = "mine"

    def test_portal_signup(self):
        users = self.env["res.users"]
        self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        # as the sign-up page calls it
        signups = users.with_user(self.env.ref("base.public_user")).sudo()
        login, _password = signups.signup(
            {"login": "new@example.com", "name": "New", "password": "S3cret-enough"}
        )
        created = users.search([("login", "=", login)])
        self.assertTrue(created.share)
        # an invited contact that is there already takes the same way
        self.partner.signup_prepare()
        token = self.partner._generate_signup_token()
        signups.signup(
            {"login": "ada@example.com", "name": "Ada", "password": "S3cret-enough"},
            token,
        )
        self.assertTrue(self.partner.user_ids)
        self.assertEqual(self.partner.name, "Ada")

    def test_a_policy_can_bind_the_flows_too(self):
        policy = self.env["sync.policy"]._rules("sale.order", self.env.company.id)
        draft = self.env["sync.policy"].browse(policy.policy_id)._new_version()
        draft.su_mode = "block"
        draft.action_activate()
        with self.assertRaisesRegex(UserError, "owned by Finance"):
            self.order.action_confirm()
