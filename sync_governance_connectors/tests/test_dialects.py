# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Two partners' dialects as they are shipped: a pattern's data and no code of its own.

The Shopify payloads are those of its public documentation (webhook topics orders/* and
customers/*), retyped with shortened texts; the sum was made to add up.
"""

import base64
import hashlib
import hmac
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.exchange.sftp import Sftp

from .common import ResourceCase
from .sftp_server import SftpServer

FOLDER = Path(__file__).parent / "dialects"
MODULE = "sync_governance_connectors"


class DialectCase(ResourceCase):
    template = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollars()
        cls.partner_system = cls.pattern_system()
        template = cls.env.ref(f"{MODULE}.onboarding_template_{cls.template}")
        template._copy_parts(cls.partner_system)
        cls.mappings().action_activate()

    @classmethod
    def pattern_system(cls):
        """The system that speaks the dialect."""
        return cls.shop

    @classmethod
    def mappings(cls):
        return cls.env["sync.mapping"].search(
            [("system_id", "=", cls.partner_system.id)]
        )

    @classmethod
    def dollars(cls):
        currency = cls.env.ref("base.USD")
        currency.active = True
        cls.env["product.pricelist"].create(
            {"name": "Dollars", "currency_id": currency.id}
        )

    def value(self, kind, theirs, ours):
        self.env["sync.value.map"].create(
            {
                "system_id": self.partner_system.id,
                "kind": kind,
                "partner_value": theirs,
                "canonical_value": ours,
            }
        )


@tagged("post_install", "-at_install")
class TestShopify(HttpCase, DialectCase):
    template = "shopify"

    @classmethod
    def pattern_system(cls):
        cls.shop.inbound_strategy = "shopify"
        cls.secret = cls.shop._set_inbound_secret()
        for name, variant, price, stock in (
            ("IPod Nano", "808950810", 199, 5),
            ("IPod Nano, red", "49148385", 199, 5),
            ("Shipping", "shipping", 0, 1),
            ("Discount", "discount", 0, 1),
        ):
            cls._product(name, variant, price, stock)
        return cls.shop

    def sample(self, name, **changes):
        message = json.loads((FOLDER / f"shopify_{name}.json").read_text())
        return message | changes

    def tell(self, topic, message):
        """A webhook as Shopify sends it, and what became of it."""
        request = self.received(topic, message)
        request._process_hook()
        return request

    def received(self, topic, message):
        body = json.dumps(message).encode()
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        self.count = getattr(self, "count", 0) + 1
        response = self.url_open(
            "/sync/v1/hooks/test_shop",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
                "X-Shopify-Topic": topic,
                "X-Shopify-Event-Id": f"event-{self.count}",
            },
        )
        self.assertEqual(response.status_code, 202, response.text)
        return self.env["sync.request"].search(
            [("ref", "=", response.json()["request"])]
        )

    def taken(self, topic, message):
        """The record that a webhook was applied to."""
        request = self.tell(topic, message)
        self.assertEqual(
            (request.state, request.quarantine_reason, request.faults),
            ("applied", False, None if request.faults is None else False),
        )
        return self.env[request.res_model].browse(request.res_id)

    def test_a_customer(self):
        customer = self.taken("customers/create", self.sample("customer"))
        self.assertEqual((customer.name, customer.city), ("John Smith", "Ottawa"))
        self.assertEqual(customer.state_id.code, "ON")
        changed = self.sample("customer", email="js@example.com")
        self.assertEqual(self.taken("customers/update", changed), customer)
        self.assertEqual(customer.email, "js@example.com")

    def test_an_order_from_creation_to_cancellation(self):
        self.taken("customers/create", self.sample("customer"))
        order = self.taken("orders/create", self.sample("order"))
        self.assertEqual(order.client_order_ref, "#9999")
        self.assertEqual(str(order.date_order), "2022-01-01 00:00:00")
        self.assertEqual(order.partner_id.name, "John Smith")
        self.assertEqual(order.partner_shipping_id.city, "Shippington")
        self.assertEqual(
            order.order_line.mapped("price_unit"), [199.0, 199.0, 10.0, -20.0]
        )
        self.assertEqual(order.amount_total, 388.0)
        # At every step the shop tells the whole order again.
        lines = order.order_line
        self.assertEqual(self.taken("orders/updated", self.sample("order")), order)
        self.assertEqual(order.order_line, lines)
        self.assertEqual(self.taken("orders/paid", self.sample("order")).state, "sale")
        paid = self.sample("order", financial_status="paid")
        self.assertEqual(self.taken("orders/updated", paid), order)
        cancelled = self.sample("order", cancel_reason="customer")
        self.assertEqual(self.taken("orders/cancelled", cancelled).state, "cancel")
        self.assertIn("customer", str(order.message_ids.mapped("body")))

    def test_an_order_that_comes_before_its_customer_waits_for_it(self):
        order = self.tell("orders/create", self.sample("order"))
        self.assertEqual((order.state, order.retry_count), ("received", 1))
        self.assertEqual(order.awaited_id, str(self.sample("order")["customer"]["id"]))
        self.assertIn(order.awaited_id, order.quarantine_reason)
        customer = self.received("customers/create", self.sample("customer"))
        with trap_jobs() as trap:
            customer._process_hook()
            trap.perform_enqueued_jobs()
        self.assertEqual((order.state, order.quarantine_reason), ("applied", False))
        self.assertFalse(order.awaited_id)
        record = self.env[order.res_model].browse(order.res_id)
        self.assertEqual(record.partner_id.name, "John Smith")

    def test_a_refund_is_ignored_and_says_why(self):
        request = self.tell("refunds/create", {"id": 1, "order_id": 820982911946154500})
        self.assertEqual((request.state, request.error_code), ("ignored", False))
        self.assertIn("finance", request.quarantine_reason)
        self.assertFalse(
            self.env["sync.issue"].search([("system_id", "=", self.shop.id)])
        )

    def test_a_sum_that_is_not_ours_waits_for_a_person(self):
        self.taken("customers/create", self.sample("customer"))
        request = self.tell("orders/create", self.sample("order", total_price="1.00"))
        self.assertEqual(request.error_code, "totals_mismatch")
        self.assertEqual(request.faults[0]["pointer"], "/totals/total")

    def test_an_order_without_discount(self):
        self.taken("customers/create", self.sample("customer"))
        plain = self.sample("order", total_discounts="0.00", total_price="408.00")
        order = self.taken("orders/create", plain)
        self.assertEqual(len(order.order_line), 3)

    def test_stock_goes_out_in_the_shops_words(self):
        subscription = self.env["sync.subscription"].search(
            [("system_id", "=", self.shop.id)]
        )
        self.assertEqual((subscription.format, subscription.is_mapped), ("bare", True))
        deliveries = self.env["sync.delivery"]
        body = {
            "product": {"ref": "", "external_id": "808950810"},
            "warehouse": "WH",
            "available": "5",
        }
        row = {"body": None, "name": "stock.level_changed", "event_type_id": False}
        row["payload"] = json.dumps(body)
        with self.assertRaisesRegex(Exception, "location does not know"):
            deliveries._data(row, subscription)
        self.value("location", "905684977", "WH")
        self.value("inventory item", "808950811", "808950810")
        self.assertEqual(
            json.loads(deliveries._data(row, subscription)),
            {
                "location_id": "905684977",
                "inventory_item_id": "808950811",
                "available": 5,
            },
        )
        sent_before = dict(row, body="as it was sent")
        self.assertEqual(deliveries._data(sent_before, subscription), row["payload"])
        unknown = dict(row, name="order.confirmed")
        with self.assertRaisesRegex(ValueError, "no active mapping"):
            deliveries._data(unknown, subscription)


class SftpCase(DialectCase):
    """A warehouse with a real SFTP server of another implementation."""

    template = "wms_files"

    @classmethod
    def pattern_system(cls):
        return cls.wms

    def setUp(self):
        super().setUp()
        self.registry_enter_test_mode()
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (root / "in").mkdir()
        self.out = root / "out"
        self.out.mkdir()
        self.inbox = root / "in"
        self.server = SftpServer(root)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", "127.0.0.0/8"
        )
        remotes = self.env["sync.remote"].search([("system_id", "=", self.wms.id)])
        for remote in remotes:
            folder = remote.address.rpartition("/")[2]
            remote.write(
                {
                    "address": f"sftp://127.0.0.1:{self.server.port}/{folder}",
                    "host_key": self.server.host_key,
                    "auth_kind": "basic",
                    "auth_user": self.server.user,
                    "auth_secret": self.server.password,
                }
            )
        self.feeds = {
            feed.event_type: feed
            for feed in self.env["sync.feed"].search([("system_id", "=", self.wms.id)])
        }
        self.shipments = self.feeds["shipments"]
        self.shipments.done_marker = ".done"

    def drop(self, name, text, charset="cp1252"):
        (self.out / name).write_bytes(text.encode(charset))
        (self.out / f"{name}.done").touch()

    def run_feed(self, feed):
        with trap_jobs() as trap:
            run = feed._run()
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        return run

    def quarantined(self):
        return self.env["sync.request"].search(
            [("system_id", "=", self.wms.id), ("state", "=", "quarantined")]
        )


HEADER = "SHIPMENT;DELIVERY;SHIPPED;CARRIER;TRACKING;ITEM;QTY\n"


@tagged("post_install", "-at_install")
class TestWarehouseFiles(SftpCase):
    def two_lines(self):
        other = self._product("Test lid", "SKU-T2", price=2.0, stock=50)
        self._link(self.wms, other, "ITEM-T2")
        self.customer()
        lines = [
            {"product": {"external_id": sku}, "quantity": quantity}
            for sku, quantity in (("SKU-T1", "4"), ("SKU-T2", "2"))
        ]
        order = self.created(self.shop, "orders", self.order_body(lines=lines))
        self.apply(self.shop, "orders", "confirm", "SO-T1", {})
        return order.picking_ids

    def rows(self, picking, carrier="DHLPAK", lid="2,000", shipment="S-1"):
        head = f"{shipment};{picking.name};01.02.2030 16:20;{carrier};0034;"
        return f"{head}ITEM-T1;4,000\n{head}ITEM-T2;{lid}\n"

    def test_deliveries_go_out_a_row_a_line(self):
        picking = self.two_lines()
        feed = self.feeds["deliveries"]
        feed.scope = f"[('id', '=', {picking.id})]"
        self.value("uom", "PCE", picking.move_ids[0].product_uom.name)
        run = self.run_feed(feed)
        self.assertEqual((run.state, run.row_count), ("done", 2), run.error)
        (path,) = self.inbox.glob("deliveries-*.csv")
        header, *rows = path.read_text().splitlines()
        self.assertEqual(
            header, "DELIVERY;ORDER;NAME;STREET;ZIP;CITY;COUNTRY;ITEM;QTY;UNIT"
        )
        self.assertEqual(
            [row.split(";")[-3:] for row in rows],
            [["ITEM-T1", "4", "PCE"], ["ITEM-T2", "2", "PCE"]],
        )
        self.assertEqual({row.split(";")[0] for row in rows}, {picking.name})

    def test_what_cannot_be_said_is_left_out_and_told_and_tried_again(self):
        picking = self.two_lines()
        feed = self.feeds["deliveries"]
        feed.scope = f"[('id', '=', {picking.id})]"
        run = self.run_feed(feed)
        self.assertEqual(
            (run.state, run.row_count, run.quarantined_count), ("done", 0, 1)
        )
        self.assertFalse(list(self.inbox.glob("*.csv")))
        self.assertFalse(feed.watermark)
        issue = self.env["sync.issue"].search([("system_id", "=", self.wms.id)])
        self.assertIn("leaves out 1 records", issue.title)

    def test_a_shipment_of_several_rows_is_one(self):
        picking = self.two_lines()
        self.drop("shipments-1.csv", HEADER + self.rows(picking))
        run = self.run_feed(self.shipments)
        self.assertEqual(
            (run.state, run.row_count, run.quarantined_count),
            ("done", 1, 0),
            self.quarantined().mapped("quarantine_reason"),
        )
        self.assertEqual(
            (picking.state, picking.sync_milestone), ("done", "dispatched")
        )
        self.assertEqual(picking.sync_carrier_name, "DHL")
        self.assertFalse(picking.backorder_ids)
        self.assertTrue((self.out / "processed/shipments-1.csv").exists())

    def test_what_did_not_leave_is_a_backorder(self):
        picking = self.two_lines()
        self.drop("shipments-1.csv", HEADER + self.rows(picking, lid="0,500"))
        self.run_feed(self.shipments)
        backorder = self.env["stock.picking"].search(
            [("backorder_id", "=", picking.id)]
        )
        self.assertEqual(backorder.move_ids.product_uom_qty, 1.5)

    def test_an_unreadable_row_does_not_ship_half_a_delivery(self):
        picking = self.two_lines()
        broken = self.rows(picking).splitlines()
        self.drop("shipments-1.csv", HEADER + f"{broken[0]}\nS-1;cut off\n")
        run = self.run_feed(self.shipments)
        self.assertEqual((run.updated_count, run.quarantined_count), (0, 1))
        self.assertEqual(picking.state, "assigned")
        self.assertIn("row 2", self.quarantined().quarantine_reason)

    def test_an_unknown_carrier_waits_for_the_steward_and_then_goes_through(self):
        picking = self.two_lines()
        self.drop("shipments-1.csv", HEADER + self.rows(picking, carrier="GLSX"))
        self.run_feed(self.shipments)
        stuck = self.quarantined()
        self.assertEqual(
            (stuck.error_code, picking.state), ("unmapped_value", "assigned")
        )
        value = self.env["sync.value.map"].search([("partner_value", "=", "GLSX")])
        with trap_jobs() as trap:
            value.canonical_value = "GLS"
            trap.perform_enqueued_jobs()
        self.assertEqual((stuck.state, picking.state), ("applied", "done"))
        self.assertEqual(picking.sync_carrier_name, "GLS")

    def test_its_stock_is_compared_with_ours(self):
        self.drop("stock-1.csv", "ITEM;QTY\nITEM-T1;97,0\n", "utf-8")
        reconciliation = self.env["sync.reconciliation"].search(
            [("system_id", "=", self.wms.id)]
        )
        reconciliation.scope = f"[('product_id', '=', {self.product.id})]"
        self.warehouse.code = "WH"
        with trap_jobs() as trap:
            reconciliation._run()
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        run = reconciliation.last_run_id
        self.assertEqual((run.state, run.value_count), ("done", 1), run.error)
        difference = self.env["sync.reconciliation.difference"].search(
            [("run_id", "=", run.id)]
        )
        self.assertEqual((difference.member, difference.their_value), ("on_hand", "97"))


@tagged("post_install", "-at_install")
class TestSftpFaults(SftpCase):
    """What goes wrong with files on a server, in whole runs of a feed."""

    def setUp(self):
        super().setUp()
        self.feed = self.shipments
        self.feed.write(
            {
                "event_type": False,
                "resource": "customers",
                "group_by": False,
                "charset": "utf-8",
                "delimiter": ",",
                "file_pattern": "customers-*.csv",
            }
        )

    HEADER = "external_id,name\n"

    def known(self):
        rows = self.env["sync.crosswalk"].search(
            [("system_id", "=", self.wms.id), ("res_model", "=", "res.partner")]
        )
        return set(rows.mapped("external_id"))

    def test_half_a_file_waits_until_it_holds_still(self):
        self.feed.done_marker = False
        path = self.out / "customers-1.csv"
        path.write_text(self.HEADER + "F-1,Ada\nF-2,B")
        self.assertEqual(self.run_feed(self.feed).row_count, 0)
        path.write_text(self.HEADER + "F-1,Ada\nF-2,Bob\nF-3,Eve\n")
        self.assertEqual(self.run_feed(self.feed).row_count, 0)
        self.assertEqual(self.run_feed(self.feed).created_count, 3)

    def test_a_byte_order_mark_a_wrong_charset_and_a_row_twice(self):
        self.drop(
            "customers-1.csv",
            "\ufeff" + self.HEADER + "F-1,Ada\nF-1,Ada\nF-3,Eve\n",
            "utf-8",
        )
        self.drop("customers-2.csv", self.HEADER + "F-4,Jörg\nF-5,Joe\n", "cp1252")
        run = self.run_feed(self.feed)
        self.assertEqual(self.known(), {"F-1", "F-3", "F-5"})
        self.assertEqual((run.created_count, run.unchanged_count), (3, 1))
        self.assertIn("charset utf-8", self.quarantined().quarantine_reason)

    def test_another_host_key_is_refused(self):
        self.drop("customers-1.csv", self.HEADER + "F-1,Ada\n")
        self.server.close()
        self.server.change_host_key()
        self.server.start()
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.retry_count), ("failed", 0))
        self.assertIn("another host key", run.error)
        issue = self.env["sync.issue"].search([("kind", "=", "feed")])
        self.assertIn("another host key", issue.title)
        self.assertFalse(self.known())

    def test_without_a_host_key_nobody_is_asked(self):
        remote = self.feed.remote_id
        remote.host_key = False
        remote.auth_secret = self.server.password
        run = self.run_feed(self.feed)
        self.assertIn("host key", run.error)

    def test_a_login_that_is_revoked_between_the_steps(self):
        """What was fetched is applied; the run stops where it needs the partner, and
        goes on from there."""
        self.drop("customers-1.csv", self.HEADER + "F-1,Ada\nF-2,Bob\n")
        with trap_jobs() as trap:
            run = self.feed._run()
            trap.perform_enqueued_jobs()
            self.server.accepts_login = False
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
            self.assertEqual((run.state, run.phase), ("failed", "put_away"))
            self.assertIn("revoked", run.error)
            self.assertEqual(self.known(), {"F-1", "F-2"})
            self.assertTrue((self.out / "customers-1.csv").exists())
            self.server.accepts_login = True
            run.action_resume()
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        self.assertEqual((run.state, run.created_count), ("done", 2))
        self.assertTrue((self.out / "processed/customers-1.csv").exists())

    def test_two_gigabytes_are_refused_unread(self):
        path = self.out / "customers-1.csv"
        with path.open("wb") as file:
            file.truncate(2 * 1024**3)
        (self.out / "customers-1.csv.done").touch()
        with patch.object(Sftp, "open", side_effect=AssertionError):
            run = self.run_feed(self.feed)
        self.assertEqual(run.document_ids.state, "failed")
        self.assertIn("2048 MB are more than", run.document_ids.error)
        self.assertTrue(path.exists(), "it stays there")

    def test_without_a_service_account_nobody_acts(self):
        self.wms.service_account_ids.unlink()
        self.drop("customers-1.csv", self.HEADER + "F-1,Ada\n")
        run = self.run_feed(self.feed)
        self.assertEqual(run.state, "failed")
        self.assertIn("no service account", run.error)
        self.assertFalse(self.known())


@tagged("post_install", "-at_install")
class TestDocumentsByWebhook(HttpCase, ResourceCase):
    """CSV and XML instead of JSON: each row is a message of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = "a secret"
        cls.shop.inbound_strategy = "shared_secret"
        cls.shop._set_inbound_secret(cls.secret)
        cls.mapping = cls.env["sync.mapping"].create(
            {
                "system_id": cls.shop.id,
                "event_type": "customers",
                "resource": "customers",
                "delimiter": ";",
                "line_ids": [
                    Command.create(
                        {"target": "name", "expression": "name", "required": True}
                    )
                ],
            }
        )
        cls.mapping.action_activate()

    def post(self, body, media):
        response = self.url_open(
            "/sync/v1/hooks/test_shop",
            data=body,
            headers={
                "Content-Type": media,
                "X-Sync-Secret": self.secret,
                "X-Event-Type": "customers",
            },
        )
        self.assertEqual(response.status_code, 202, response.text)
        request = self.env["sync.request"].search(
            [("ref", "=", response.json()["request"])]
        )
        with trap_jobs() as trap:
            request._process_hook()
            if trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
        return request

    def names(self):
        rows = self.env["sync.crosswalk"].search(
            [("system_id", "=", self.shop.id), ("res_model", "=", "res.partner")]
        )
        return {row.external_id: row.record.name for row in rows}

    def test_csv(self):
        body = "id;name\nF-1;Jörg\nF-2\nF-3;Eve\n".encode("cp1252")
        request = self.post(body, "text/csv; charset=windows-1252")
        self.assertEqual(request.state, "applied")
        self.assertEqual(self.names(), {"F-1": "Jörg", "F-3": "Eve"})
        states = request.child_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["applied", "quarantined", "applied"])

    def test_csv_in_another_charset_than_was_said(self):
        request = self.post("id;name\nF-1;Jörg\nF-2;Eve\n".encode("cp1252"), "text/csv")
        self.assertEqual(self.names(), {"F-2": "Eve"})
        stuck = request.child_ids.filtered(lambda row: row.state == "quarantined")
        self.assertIn("charset", stuck.quarantine_reason)

    def test_xml(self):
        body = (
            '<?xml version="1.0" encoding="iso-8859-1"?>'
            "<customer><id>F-1</id><name>Jörg</name></customer>"
        ).encode("iso-8859-1")
        self.post(body, "application/xml")
        self.assertEqual(self.names(), {"F-1": "Jörg"})

    def test_xml_with_entities_is_refused(self):
        body = (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            b"<customer><id>F-1</id><name>&e;</name></customer>"
        )
        request = self.post(body, "text/xml")
        self.assertEqual(request.error_code, "unreadable_document")
        self.assertFalse(self.names())
