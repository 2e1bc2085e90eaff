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

    def test_what_is_ignored_needs_a_reason_and_says_it(self):
        mapping = self.mapping.copy({"event_type": "orders/seen", "line_ids": False})
        with self.assertRaises(ValidationError):
            mapping.operation = "ignore"
        mapping.write({"operation": "ignore", "ignore_reason": "Nobody asked."})
        self.assertFalse(mapping.uncovered)
        self.assertEqual(mapping._instruction({}).operation, "ignore")

    def ignoring(self):
        self.mapping.write({"operation": "ignore", "ignore_reason": "Nobody asked."})
        self.mapping.action_activate()

    def test_a_document_of_an_ignored_topic_is_not_taken_apart(self):
        self.ignoring()
        document = self.env["sync.request"].create(
            {
                "ref": "req_document",
                "kind": "hook",
                "state": "received",
                "system_id": self.shop.id,
                "event_type": "orders/create",
                "event_id": "doc",
                "request_headers": {"content-type": "text/csv"},
                "request_body": "a,b\n1,2\n",
            }
        )
        document._process_hook()
        self.assertEqual(
            (document.state, document.quarantine_reason), ("ignored", "Nobody asked.")
        )
        self.assertFalse(document.child_ids)

    def test_what_was_stuck_on_an_ignored_topic_is_over(self):
        self.mapping.action_activate()
        stuck = self.receive(self.message(), "e-1")
        self.assertEqual(stuck.state, "quarantined")
        draft = self.mapping.browse(self.mapping.action_new_version()["res_id"])
        draft.write({"operation": "ignore", "ignore_reason": "Nobody asked."})
        self.compare_as = self.manager("ign_manager")
        self.assertEqual(self.compare(draft).line_ids.mapped("outcome"), ["passes"])
        draft.action_activate()
        stuck._process_hook()
        self.assertEqual(stuck.state, "ignored")
        issue = self.env["sync.issue"].search([("system_id", "=", self.shop.id)])
        self.assertEqual(issue.state, "resolved")

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

    def add_rule(self, **values):
        return self.env["sync.mapping.line"].create(
            {"mapping_id": self.mapping.id, "target": "note", **values}
        )

    def looked_up(self, argument, value):
        lookups = self.env["sync.mapping.lookup"]
        return lookups._name_of(self.shop, argument, value)

    def test_lookup_by_key(self):
        self.product.barcode = "4006381333931"
        self.assertEqual(self.looked_up("product:barcode", "4006381333931"), "SKU-T1")
        self.assertEqual(self.looked_up("product@test_wms", "ITEM-T1"), "SKU-T1")
        for argument, value in (
            ("product:barcode", "0"),
            ("product@test_wms", "0"),
            ("product@nobody", "ITEM-T1"),
        ):
            with self.assertRaisesRegex(ValueError, "none has"):
                self.looked_up(argument, value)
        self.product.create({"name": "Twin", "default_code": "SKU-T1"})
        with self.assertRaisesRegex(ValueError, "several have"):
            self.looked_up("product:default_code", "SKU-T1")

    def test_lookup_stays_within_company_and_reach(self):
        nobodys = self.env["product.product"].create({"name": "N", "barcode": "B-1"})
        with self.assertRaisesRegex(ValueError, "no id for"):
            self.looked_up("product:barcode", "B-1")
        self.shop.reach = "company"
        self.assertRegex(
            self.looked_up("product:barcode", "B-1"), r"^[a-z]{3}_[0-9a-f]{32}$"
        )
        nobodys.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        with self.assertRaisesRegex(ValueError, "none has"):
            self.looked_up("product:barcode", "B-1")

    def test_lookup_in_a_mapping(self):
        self.product.barcode = "4006381333931"
        line = self.mapping.line_ids.filtered(
            lambda line: line.target == "lines[].product.external_id"
        )
        line.write(
            {"expression": "ean", "transform": "lookup", "argument": "product:barcode"}
        )
        message = self.message()
        message["line_items"][0]["ean"] = "4006381333931"
        body = self.mapping._map(message).body
        self.assertEqual(body["lines"][0]["product"], {"external_id": "SKU-T1"})
        for argument in (False, "product:password", "users:login", "product"):
            with self.assertRaises(ValidationError):
                line.argument = argument

    def test_arguments_of_when_and_factor_are_checked(self):
        self.add_rule(expression="s", transform="when", argument="a=b;*=c")
        for name, argument in (("when", "a"), ("factor", "x"), ("factor", False)):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.add_rule(expression="s", transform=name, argument=argument)

    def test_rules_in_force_are_read_once_and_never_stale(self):
        line = self.mapping.line_ids.filtered(lambda line: line.target == "currency")
        self.mapping.action_activate()
        message = self.message()
        self.mapping._map(message)
        with self.assertQueryCount(0):
            self.env.invalidate_all(flush=False)
            plan = self.mapping._plan()
        self.assertIs(plan, self.mapping._plan())
        with self.assertRaises(UserError):
            line.default = '"EUR"'
        draft = self.mapping.browse(self.mapping.action_new_version()["res_id"])
        draft.line_ids.filtered(lambda line: line.target == "currency").unlink()
        self.assertNotIn("currency", draft._map(message).body)
        draft.action_activate()
        self.assertNotIn("currency", draft._map(message).body)
        self.assertIn("currency", self.mapping._map(message).body)

    def manager(self, login):
        group = "sync_governance_base.group_sync_integration_manager"
        return new_test_user(self.env, login, groups=group)

    def compare(self, draft):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            action = draft.with_user(self.compare_as).action_compare()
        comparisons = self.env["sync.mapping.comparison"].with_user(self.compare_as)
        return comparisons.browse(action["res_id"])

    def test_draft_runs_on_the_last_messages_and_leaves_nothing(self):
        self.customer("207119551")
        self.mapping.action_activate()
        stuck = self.receive(self.message(), "e-1")
        self.env["sync.value.map"].search([("partner_value", "=", "EA")]).write(
            {"canonical_value": "Units"}
        )
        passed = self.receive(self.message(), "e-2")
        self.assertEqual(passed.state, "applied", passed.quarantine_reason)
        unknown = {**self.message("BOX"), "id": 7}
        self.receive(unknown, "e-3")
        draft = self.mapping.browse(self.mapping.action_new_version()["res_id"])
        self.compare_as = self.manager("cmp_manager")
        tables = (
            "sync.event",
            "queue.job",
            "sync.value.map",
            "mail.mail",
            "sync.audit",
        )
        counts = [self.env[name].search_count([]) for name in tables]
        comparison = self.compare(draft)
        self.assertEqual(set(comparison.line_ids.mapped("outcome")), {"same"})
        self.assertEqual((comparison.message_count, comparison.changed_count), (3, 0))
        repeated = comparison.line_ids.grouped("event_id")["e-2"]
        self.assertIn('"operation": "orders/put"', repeated.before)
        rules = draft.line_ids.grouped("target")

        def outcomes():
            lines = self.compare(draft).line_ids
            return {line.event_id: line.outcome for line in lines}, lines[0]

        rules["lines[].uom"].argument = "packaging"
        found, first = outcomes()
        self.assertEqual((found["e-2"], first.outcome), ("fails", "fails"))
        self.assertIn('+      "code": "unmapped_value"', first.difference)
        rules["lines[].uom"].write({"transform": False, "expression": "'Units'"})
        rules["lines[].quantity"].write({"expression": "'7'", "transform": False})
        found, _first = outcomes()
        self.assertEqual((found["e-2"], found["e-3"]), ("body", "passes"))
        rules["currency"].unlink()
        found, _first = outcomes()
        self.assertEqual(found["e-2"], "fails", "the contract requires it")
        self.assertEqual(stuck.state, "quarantined")
        self.assertEqual(counts, [self.env[name].search_count([]) for name in tables])

    def test_only_who_writes_mappings_compares(self):
        viewer = new_test_user(
            self.env, "cmp_viewer", groups="sync_governance_base.group_sync_viewer"
        )
        with self.assertRaises(AccessError):
            self.mapping.with_user(viewer).action_compare()

    def test_suggestions_are_accepted_one_by_one(self):
        other = self.mapping
        other.action_activate()
        manager = self.manager("sug_manager")
        draft = (
            self.env["sync.mapping"]
            .with_user(manager)
            .create(
                {
                    "system_id": self.shop.id,
                    "event_type": "orders/paid",
                    "resource": "orders",
                }
            )
        )
        with self.assertRaisesRegex(UserError, "Paste a message"):
            draft.action_suggest()
        draft.sample = json.dumps(self.message())
        wizard = draft.env["sync.mapping.suggestion"].browse(
            draft.action_suggest()["res_id"]
        )
        lines = wizard.line_ids.grouped("target")
        product = lines["lines[].product.external_id"]
        self.assertEqual(product.expression, "sku")
        self.assertIn("values known: 100%", product.evidence)
        self.assertIn("used by other mappings: 1", product.evidence)
        self.assertFalse(draft.line_ids, "nothing before somebody says so")
        for target in ("lines[]", "lines[].quantity", "lines[].quantity"):
            lines[target].action_accept()
        self.assertEqual(
            set(draft.line_ids.mapped("target")), {"lines[]", "lines[].quantity"}
        )
        self.assertEqual(
            draft._map(self.message()).body, {"lines": [{"quantity": "2"}]}
        )
        again = wizard.browse(draft.action_suggest()["res_id"])
        self.assertNotIn("lines[]", again.line_ids.mapped("target"))
        with self.assertRaises(UserError):
            other.with_user(manager).action_suggest()
        steward = new_test_user(
            self.env, "sug_steward", groups="sync_governance_base.group_sync_steward"
        )
        with self.assertRaises(AccessError):
            draft.with_user(steward).action_suggest()

    def test_words_and_stuck_messages_wait_in_the_inbox(self):
        self.customer("207119551")
        self.mapping.action_activate()
        stuck = self.receive(self.message())
        message = self.message("Units")
        message["line_items"][0]["quantity"] = "many"
        broken = self.receive(message, "e-2")
        steward = new_test_user(
            self.env, "inbox_steward", groups="sync_governance_base.group_sync_steward"
        )

        def waiting():
            rows = self.env["sync.inbox"].with_user(steward)
            rows = rows.search([("system_id", "=", self.shop.id)])
            return {(row.res_model, row.title) for row in rows}

        self.env.flush_all()
        known = self.env["sync.value.map"]
        self.assertEqual(
            waiting(),
            {
                ("sync.value.map", "uom: EA"),
                ("sync.value.map", "uom: Units"),
                ("sync.request", broken.quarantine_reason),
            },
        )
        self.assertEqual(stuck.error_code, "unmapped_value")
        known.search([("system_id", "=", self.shop.id)]).canonical_value = "Units"
        self.env.flush_all()
        self.assertEqual(
            waiting(), {("sync.request", broken.quarantine_reason)}, "said once"
        )
