# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import base64
import hashlib
import hmac
import json

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.tools.call import Incoming

from .common import ResourceCase

RULES = (
    ("customer.external_id", "customer.id", "text", ""),
    ("currency", "currency", False, ""),
    ("lines[]", "line_items", False, ""),
    ("lines[].line_id", "id", "text", ""),
    ("lines[].product.external_id", "sku", False, ""),
    ("lines[].quantity", "quantity", "decimal", ""),
    ("lines[].unit_price", "price", "decimal", ""),
    ("lines[].uom", "unit", "value_map", "uom"),
)


@tagged("post_install", "-at_install")
class TestMapping(ResourceCase):
    """Orders in Shopify's shape: a mapping and a verification strategy, no code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shop.inbound_strategy = "shopify"
        cls.secret = cls.shop._set_inbound_secret("hush")
        cls.mapping = cls.env["sync.mapping"].create(
            {
                "system_id": cls.shop.id,
                "event_type": "orders/create",
                "resource": "orders",
                "line_ids": [
                    Command.create(
                        {
                            "sequence": sequence,
                            "target": target,
                            "expression": expression,
                            "transform": transform,
                            "argument": argument,
                        }
                    )
                    for sequence, (
                        target,
                        expression,
                        transform,
                        argument,
                    ) in enumerate(RULES)
                ],
            }
        )

    def message(self, unit="EA"):
        return {
            "id": 450789469,
            "currency": self.currency,
            "customer": {"id": 207119551},
            "line_items": [
                {"id": 1, "sku": "SKU-T1", "quantity": 2, "price": "9.50", "unit": unit}
            ],
        }

    def receive(self, message, event_id="e-1"):
        body = json.dumps(message).encode()
        digest = hmac.new(b"hush", body, hashlib.sha256).digest()
        headers = {
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            "x-shopify-event-id": event_id,
            "x-shopify-topic": "orders/create",
        }
        incoming = Incoming(
            "POST",
            "/sync/v1/hooks/test_shop",
            "",
            {},
            headers,
            "127.0.0.1",
            lambda n: body,
        )
        verified = self.shop._verify_inbound(headers, body, 0.0)
        ref, _known = self.env["sync.request"]._receive_hook(
            self.shop, verified, body, incoming
        )
        request = self.env["sync.request"].search([("ref", "=", ref)])
        request._process_hook()
        return request

    def test_unknown_unit_waits_for_the_steward_then_the_order_goes_through(self):
        self.customer("207119551")
        self.mapping.action_activate()
        request = self.receive(self.message())
        self.assertEqual(request.state, "quarantined")
        self.assertEqual(request.error_code, "unmapped_value")
        self.assertEqual(request.faults[0]["pointer"], "/lines/0/uom")
        value = self.env["sync.value.map"].search([("system_id", "=", self.shop.id)])
        self.assertEqual((value.kind, value.partner_value), ("uom", "EA"))
        self.receive(self.message(), "e-2")
        self.assertEqual(len(value.search([("system_id", "=", self.shop.id)])), 1)
        steward = new_test_user(
            self.env, "map_steward", groups="sync_governance_base.group_sync_steward"
        )
        with trap_jobs() as trap:
            value.with_user(steward).canonical_value = self.env.ref(
                "uom.product_uom_unit"
            ).name
            trap.assert_jobs_count(2)
        request._process_hook()
        self.assertEqual(request.state, "applied", request.quarantine_reason)
        order = self.env["sale.order"].browse(request.res_id)
        self.assertEqual(order.amount_total, 19.0)
        self.assertEqual(order.order_line.sync_line_id, "1")
        link = self.env["sync.crosswalk"]._resolve(self.shop, "sale.order", "450789469")
        self.assertEqual(link.res_id, order.id)

    def test_try_shows_each_rule_and_writes_nothing(self):
        self.mapping.sample = json.dumps(self.message())
        body = json.loads(self.mapping.sample_body)
        self.assertEqual(body["lines"][0]["unit_price"], "9.5")
        self.assertIn("does not know", self.mapping.sample_trace)
        self.assertFalse(
            self.env["sync.value.map"].search([("system_id", "=", self.shop.id)])
        )
        self.mapping.sample = "{"
        self.assertTrue(self.mapping.sample_body)

    def test_coverage_of_the_contract(self):
        self.assertFalse(self.mapping.uncovered)
        self.mapping.line_ids.filtered(lambda line: line.target == "currency").unlink()
        self.assertEqual(self.mapping.uncovered, "currency")

    def test_versions(self):
        self.mapping.action_activate()
        with self.assertRaises(UserError):
            self.mapping.external_id_expression = "name"
        with self.assertRaises(UserError):
            self.mapping.line_ids[0].expression = "name"
        with self.assertRaises(UserError):
            self.mapping.line_ids[0].unlink()
        draft = self.mapping.browse(self.mapping.action_new_version()["res_id"])
        self.assertEqual((draft.version, draft.state), (2, "draft"))
        self.assertEqual(len(draft.line_ids), len(RULES))
        draft.action_activate()
        self.assertEqual(self.mapping.state, "superseded")
        self.assertEqual(self.mapping._of(self.shop, "orders/create"), draft)

    def test_bad_rules_are_refused(self):
        line = self.mapping.line_ids[0]
        for values in (
            {"expression": "a["},
            {"default": "{"},
            {"transform": "split", "argument": "x"},
            {"transform": "value_map", "argument": False},
        ):
            with self.assertRaises(ValidationError):
                line.write(values)
        with self.assertRaises(ValidationError):
            self.mapping.operation = "teleport"

    def test_rights(self):
        viewer = new_test_user(
            self.env, "map_viewer", groups="sync_governance_base.group_sync_viewer"
        )
        with self.assertRaises(AccessError):
            self.mapping.with_user(viewer).event_type = "x"
        steward = new_test_user(
            self.env, "map_steward2", groups="sync_governance_base.group_sync_steward"
        )
        with self.assertRaises(AccessError):
            self.mapping.with_user(steward).event_type = "x"

    def test_message_without_an_id(self):
        self.mapping.action_activate()
        message = {**self.message(), "id": None}
        self.env["sync.value.map"].create(
            {
                "system_id": self.shop.id,
                "kind": "uom",
                "partner_value": "EA",
                "canonical_value": "Units",
            }
        )
        request = self.receive(message)
        self.assertEqual(request.state, "quarantined")
