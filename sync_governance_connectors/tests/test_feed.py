# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
import os
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.exchange.store import PART
from odoo.addons.sync_governance_connectors.models import sync_feed_run
from odoo.addons.sync_governance_connectors.models.sync_remote import (
    FOLDER_VARIABLE,
    RemoteFailed,
)

from .common import ResourceCase
from .partner_server import PartnerServer

HEADER = "id,name,email\n"


class FeedCase(ResourceCase):
    def setUp(self):
        super().setUp()
        self.registry_enter_test_mode()

    def drain(self, trap):
        while trap.enqueued_jobs:
            trap.perform_enqueued_jobs()

    def run_feed(self, feed):
        """A whole run of a feed."""
        with trap_jobs() as trap:
            run = feed._run()
            self.drain(trap)
        return run

    def customers(self):
        rows = self.env["sync.crosswalk"].search(
            [("system_id", "=", self.shop.id), ("res_model", "=", "res.partner")]
        )
        return {row.external_id: row.record for row in rows}

    def quarantined(self, feed):
        return self.env["sync.request"].search(
            [("feed_id", "=", feed.id), ("state", "=", "quarantined")]
        )

    @classmethod
    def mapping(cls):
        mapping = cls.env["sync.mapping"].create(
            {
                "system_id": cls.shop.id,
                "event_type": "customers/export",
                "resource": "customers",
                "external_id_expression": "id",
                "line_ids": [
                    Command.create(
                        {"target": "name", "expression": "name", "required": True}
                    ),
                    Command.create({"target": "email", "expression": "email"}),
                ],
            }
        )
        mapping.action_activate()
        return mapping


@tagged("post_install", "-at_install")
class TestFolderFeed(FeedCase):
    def setUp(self):
        super().setUp()
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(patch.dict(os.environ, {FOLDER_VARIABLE: str(root)}))
        self.folder = root / "shop"
        self.folder.mkdir()
        self.mapping()
        self.remote = self.env["sync.remote"].create(
            {
                "name": "Drop",
                "system_id": self.shop.id,
                "kind": "folder",
                "address": "shop",
            }
        )
        self.feed = self.env["sync.feed"].create(
            {
                "name": "Customers",
                "system_id": self.shop.id,
                "remote_id": self.remote.id,
                "event_type": "customers/export",
                "file_pattern": "customers-*.csv",
                "done_marker": ".done",
            }
        )

    def drop(self, name, text, charset="utf-8"):
        (self.folder / name).write_bytes(text.encode(charset))
        (self.folder / f"{name}.done").touch()

    def test_a_file_is_applied_and_put_away(self):
        self.drop("customers-1.csv", HEADER + "F-1,Ada,ada@example.com\nF-2,Bob,\n")
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.error), ("done", False))
        self.assertEqual((run.row_count, run.created_count), (2, 2))
        self.assertEqual(self.customers()["F-1"].email, "ada@example.com")
        self.assertFalse(list(self.folder.glob("*.csv*")))
        self.assertTrue((self.folder / "processed/customers-1.csv").exists())

    def test_rows_of_an_ignored_topic_are_passed_over(self):
        mapping = self.env["sync.mapping"]._of(self.shop, "customers/export")
        draft = mapping.browse(mapping.action_new_version()["res_id"])
        draft.write({"operation": "ignore", "ignore_reason": "Nobody asked."})
        draft.action_activate()
        self.drop("customers-1.csv", HEADER + "F-1,Ada,\nF-2\n")
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.row_count), ("done", 2))
        self.assertEqual((run.created_count, run.quarantined_count), (0, 0))
        self.assertFalse(self.quarantined(self.feed))

    def test_a_bad_row_waits_and_the_rest_goes_on(self):
        self.drop(
            "customers-1.csv",
            HEADER + "F-1,Ada,x@example.com\nF-2,,\nF-3\n,Nobody,\nF-4,Eve,\n",
        )
        run = self.run_feed(self.feed)
        self.assertEqual((run.created_count, run.quarantined_count), (2, 3))
        self.assertEqual(set(self.customers()), {"F-1", "F-4"})
        reasons = self.quarantined(self.feed).mapped("quarantine_reason")
        self.assertEqual(len(reasons), 3)
        self.assertEqual(self.feed.quarantined_count, 3)
        # The same bad row again is the same request; mended, it is closed.
        self.drop("customers-2.csv", HEADER + "F-2,,\n")
        self.run_feed(self.feed)
        self.assertEqual(len(self.quarantined(self.feed)), 3)
        self.drop("customers-3.csv", HEADER + "F-2,Bob,\n")
        self.run_feed(self.feed)
        self.assertEqual(len(self.quarantined(self.feed)), 2)
        self.assertEqual(self.customers()["F-2"].name, "Bob")

    def test_a_file_in_another_charset(self):
        self.drop("customers-1.csv", HEADER + "F-1,Jörg,\nF-2,Ada,\n", "cp1252")
        run = self.run_feed(self.feed)
        self.assertEqual((run.created_count, run.quarantined_count), (1, 1))
        self.assertIn("charset", self.quarantined(self.feed).quarantine_reason)

    def test_a_byte_order_mark_and_semicolons(self):
        self.feed.delimiter = ";"
        self.drop("customers-1.csv", "\ufeffid;name;email\nF-1;Ada, Countess;\n")
        self.run_feed(self.feed)
        self.assertEqual(self.customers()["F-1"].name, "Ada, Countess")

    def test_half_a_file_is_left_until_it_is_whole(self):
        (self.folder / "customers-1.csv").write_text(HEADER + "F-1,Ada,")
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.row_count), ("done", 0))
        self.assertTrue((self.folder / "customers-1.csv").exists())

    def test_without_markers_a_file_must_hold_still(self):
        self.feed.done_marker = False
        path = self.folder / "customers-1.csv"
        path.write_text(HEADER + "F-1,Ada,")
        self.assertEqual(self.run_feed(self.feed).row_count, 0)
        path.write_text(HEADER + "F-1,Ada,\n")
        self.assertEqual(self.run_feed(self.feed).row_count, 0)
        self.assertEqual(self.run_feed(self.feed).created_count, 1)

    def test_a_file_that_breaks_off_keeps_what_came_before(self):
        self.drop("customers-1.csv", HEADER + 'F-1,Ada,\nF-2,"half')
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.created_count), ("done", 1))
        self.assertEqual(run.document_ids.state, "failed")
        self.assertTrue((self.folder / "customers-1.csv").exists(), "it stays there")
        issue = self.env["sync.issue"].search([("kind", "=", "feed")])
        self.assertIn("complete", issue.title)

    def test_a_file_that_is_too_large_is_refused_and_stays(self):
        self.patch(sync_feed_run, "MAX_DOCUMENT", 20)
        self.drop("customers-1.csv", HEADER + "F-1,Ada,\n")
        run = self.run_feed(self.feed)
        self.assertEqual(run.document_ids.state, "failed")
        self.assertIn("smaller files", run.document_ids.error)
        self.assertFalse(self.customers())

    def test_the_same_file_again_changes_nothing(self):
        for _time in range(2):
            self.drop("customers-1.csv", HEADER + "F-1,Ada,\n")
            run = self.run_feed(self.feed)
        self.assertEqual(run.document_ids.state, "duplicate")
        self.assertEqual(run.done_count, 0)
        self.assertFalse((self.folder / "customers-1.csv").exists())

    def test_duplicate_rows_have_one_effect(self):
        self.drop("customers-1.csv", HEADER + "F-1,Ada,\nF-1,Ada,\nF-1,Eve,\n")
        run = self.run_feed(self.feed)
        self.assertEqual(
            (run.created_count, run.unchanged_count, run.updated_count), (1, 1, 1)
        )
        self.assertEqual(self.customers()["F-1"].name, "Eve")

    def test_a_run_goes_on_at_the_row_where_it_stopped(self):
        self.patch(sync_feed_run, "SLICE", 2)
        self.patch(sync_feed_run, "BATCH", 1)
        rows = "".join(f"F-{number},Name {number},\n" for number in range(5))
        self.drop("customers-1.csv", HEADER + rows)
        with trap_jobs() as trap:
            run = self.feed._run()
            trap.perform_enqueued_jobs()
            trap.perform_enqueued_jobs()
            run.action_pause()
            self.drain(trap)
            self.assertEqual((run.state, run.done_count), ("paused", 2))
            self.assertEqual(len(self.customers()), 2)
            with self.assertRaises(UserError):
                self.feed._run()
            run.action_resume()
            self.drain(trap)
        self.assertEqual((run.state, run.created_count), ("done", 5))

    def test_a_cancelled_run_stops_and_the_file_stays(self):
        self.patch(sync_feed_run, "SLICE", 1)
        self.drop("customers-1.csv", HEADER + "F-1,Ada,\nF-2,Bob,\n")
        with trap_jobs() as trap:
            run = self.feed._run()
            trap.perform_enqueued_jobs()
            trap.perform_enqueued_jobs()
            run.action_cancel()
            self.drain(trap)
        self.assertEqual(len(self.customers()), 1)
        self.assertTrue((self.folder / "customers-1.csv").exists())

    def test_an_order_that_came_by_api_meanwhile_has_one_effect(self):
        self.customer("F-1", name="Ada")
        self.drop("customers-1.csv", HEADER + "F-1,Ada,ada@example.com\n")
        run = self.run_feed(self.feed)
        self.assertEqual((run.created_count, run.updated_count), (0, 1))

    def test_policies_decide_on_rows_too(self):
        customer = self.customer("F-1", name="Ada")
        customer.email = "kept@example.com"
        self._policy("res.partner", {"email": self.finance})
        self.drop("customers-1.csv", HEADER + "F-1,Ada L,new@example.com\n")
        self.run_feed(self.feed)
        self.assertEqual((customer.name, customer.email), ("Ada L", "kept@example.com"))

    def test_export_and_what_changed_since(self):
        self.customer("F-1", name="Ada")
        self.customer("F-2", name="Bob")
        feed = self.env["sync.feed"].create(
            {
                "name": "Out",
                "system_id": self.shop.id,
                "direction": "out",
                "remote_id": self.remote.id,
                "resource": "customers",
                "scope": "[('name', 'in', ['Ada', 'Bob'])]",
                "file_name": "out-{time}.csv",
            }
        )
        run = self.run_feed(feed)
        self.assertEqual((run.state, run.row_count), ("done", 2), run.error)
        (path,) = self.folder.glob("out-*.csv")
        lines = path.read_text().splitlines()
        self.assertIn("external_id", lines[0])
        self.assertIn("address.city", lines[0])
        self.assertEqual({line.partition(",")[0] for line in lines[1:]}, {"F-1", "F-2"})
        self.assertFalse(list(self.folder.glob(f"*{PART}")))
        path.unlink()
        later = fields.Datetime.now() + timedelta(days=1)
        feed.watermark = f"{later.isoformat(timespec='seconds')}Z"
        self.assertEqual(self.run_feed(feed).row_count, 0)
        self.assertFalse(list(self.folder.glob("out-*.csv")))

    def test_no_folder_was_set_aside(self):
        with patch.dict(os.environ):
            del os.environ[FOLDER_VARIABLE]
            run = self.run_feed(self.feed)
        self.assertEqual(run.state, "failed")
        self.assertIn("exchange_folder", run.error)

    def test_a_remote_that_leads_out_of_the_folder(self):
        self.remote.address = "../.."
        run = self.run_feed(self.feed)
        self.assertIn("outside", run.error)

    def test_timing(self):
        self.feed.action_activate()
        self.feed.interval_minutes = 10
        now = fields.Datetime.now()
        with trap_jobs() as trap:
            self.env["sync.feed"]._cron_run()
            trap.assert_jobs_count(1)
            self.assertGreater(self.feed.next_run_at, now + timedelta(minutes=9))
            # It still runs: nobody joins it.
            self.feed.next_run_at = now
            self.env["sync.feed"]._cron_run()
            trap.assert_jobs_count(1)

    def test_outside_of_its_hours_nothing_begins(self):
        never = self.env["resource.calendar"].create(
            {"name": "Never", "attendance_ids": [Command.clear()]}
        )
        self.feed.action_activate()
        self.feed.write({"interval_minutes": 10, "calendar_id": never.id})
        with trap_jobs() as trap:
            self.env["sync.feed"]._cron_run()
            trap.assert_jobs_count(0)

    def test_the_policy_of_its_records_times_it(self):
        self.feed.action_activate()
        self.feed.interval_minutes = 10
        odoo = self.env.ref("sync_governance_base.system_odoo")
        policy = self._policy("res.partner", {"name": odoo})
        always = self.env["resource.calendar"].create(
            {
                "name": "Always",
                "tz": "UTC",
                "attendance_ids": [
                    Command.create(
                        {
                            "name": "Day",
                            "dayofweek": str(day),
                            "hour_from": 0,
                            "hour_to": 24,
                            "day_period": "morning",
                        }
                    )
                    for day in range(7)
                ],
            }
        )
        never = self.env["resource.calendar"].create(
            {"name": "Never", "attendance_ids": [Command.clear()]}
        )
        for values, begins in (
            ({"timing": "on_demand"}, False),
            ({"timing": "scheduled", "calendar_id": never.id}, False),
            ({"timing": "scheduled", "calendar_id": always.id}, True),
            ({"timing": "on_demand", "direction": "out"}, True),
            ({"timing": "micro_batch"}, True),
        ):
            policy = policy._new_version()
            policy.write({"direction": "both", **values})
            policy.action_activate()
            with self.subTest(values):
                self.assertIs(self.feed._may_begin(fields.Datetime.now()), begins)
        policy.action_deactivate()
        self.assertFalse(self.feed.policy_timing)

    def test_rights(self):
        viewer = new_test_user(
            self.env,
            "feed_viewer",
            "base.group_user,sync_governance_base.group_sync_viewer",
        )
        with self.assertRaises(AccessError):
            self.feed.with_user(viewer).action_run()
        run = self.run_feed(self.feed)
        with self.assertRaises(AccessError):
            run.with_user(viewer).action_cancel()
        with self.assertRaises(AccessError):
            run.with_user(viewer).write({"state": "done"})

    def test_nobody_moves_it_to_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self._system("foreign", "shop")
        foreign.company_id = other
        manager = new_test_user(
            self.env,
            "feed_mover",
            "base.group_user,sync_governance_base.group_sync_integration_manager",
        )
        with self.assertRaises(AccessError):
            self.remote.with_user(manager).write({"system_id": foreign.id})

    def test_settings_are_checked(self):
        others = self.env["sync.remote"].create(
            {
                "name": "Another system's",
                "system_id": self.wms.id,
                "kind": "folder",
                "address": "wms",
            }
        )
        for values in (
            {"scope": "[(("},
            {"page_rows": "a.["},
            {"charset": "x"},
            {"remote_id": others.id},
            {"file_name": "../{time}.csv"},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.feed.write(values)
        self.feed.event_type = "unknown"
        with self.assertRaisesRegex(UserError, "no active mapping"):
            self.feed.action_activate()


@tagged("post_install", "-at_install")
class TestPagesFeed(FeedCase):
    def setUp(self):
        super().setUp()
        self.server = PartnerServer()
        self.addCleanup(self.server.stop)
        self.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", "127.0.0.0/8"
        )
        self.mapping()
        self.remote = self.env["sync.remote"].create(
            {
                "name": "Shop's API",
                "system_id": self.shop.id,
                "kind": "https",
                "address": self.server.url,
                "auth_kind": "bearer",
                "auth_secret": "t0ps3cret",
            }
        )
        self.feed = self.env["sync.feed"].create(
            {
                "name": "Customers",
                "system_id": self.shop.id,
                "remote_id": self.remote.id,
                "event_type": "customers/export",
                "path": "customers.json",
                "paging": "page",
                "page_rows": "customers",
                "page_parameter": "page",
                "watermark_parameter": "updated_since",
                "watermark_expression": "updated_at",
                "total_expression": "total",
            }
        )

    def serve(self, *pages, **options):
        """Pages of rows, by number; after the last one empty ones."""
        total = options.get("total", sum(map(len, pages)))

        def answer(request):
            number = int(parse_qs(urlsplit(request.path).query)["page"][0])
            rows = pages[number - 1] if number <= len(pages) else []
            return 200, {}, json.dumps({"customers": rows, "total": total})

        self.server.answer = answer

    def row(self, number, moment="2026-01-01T00:00:00Z", **values):
        return {
            "id": f"F-{number}",
            "name": f"N {number}",
            "updated_at": moment,
        } | values

    def test_secrets_stay_with_their_host(self):
        self.assertTrue(self.remote.has_auth_secret)
        self.remote.address = f"{self.server.url}/elsewhere"
        self.assertTrue(self.remote.has_auth_secret)
        key = self.remote._peer_secrets()["private_key"]
        self.remote._replace_secret(key, "a private key")
        self.remote.address = "https://elsewhere.example/api"
        self.assertFalse(self.remote._secrets())
        self.assertIn("another host", str(self.remote.message_ids.mapped("body")))
        for values in ({"host_key": "ssh-ed25519 AAAA"}, {"host_key": False}):
            self.remote._replace_secret(key, "a private key")
            self.remote.write(values)
            self.assertFalse(self.remote._secrets())

    def test_all_pages_and_the_watermark(self):
        self.serve(
            [self.row(1), self.row(2, "2026-03-01T10:00:00Z")],
            [self.row(3, "2026-02-01T00:00:00Z")],
        )
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.error, run.created_count), ("done", False, 3))
        self.assertEqual(self.feed.watermark, "2026-03-01T10:00:00Z")
        self.assertEqual(
            {request.headers["Authorization"] for request in self.server.requests},
            {"Bearer t0ps3cret"},
        )
        self.run_feed(self.feed)
        self.assertIn(
            "updated_since=2026-03-01T09%3A55%3A00Z", self.server.requests[-1].path
        )

    def test_a_row_from_the_future_does_not_hide_the_others(self):
        self.serve([self.row(1, "2099-01-01T00:00:00Z")])
        self.run_feed(self.feed)
        self.assertLess(self.feed.watermark, "2027-06-01")

    def test_paging_that_repeats_stops_the_run_and_the_watermark_stays(self):
        self.serve([self.row(1)], [self.row(1)])
        run = self.run_feed(self.feed)
        self.assertEqual(run.state, "failed")
        self.assertIn("repeats", run.error)
        self.assertFalse(self.feed.watermark)

    def test_paging_that_skips_stops_the_run(self):
        self.serve([self.row(1)], total=5)
        run = self.run_feed(self.feed)
        self.assertIn("speaks of 5 rows and gave 1", run.error)

    def test_html_with_status_200(self):
        self.server.answer = lambda request: (
            200,
            {"Content-Type": "text/html"},
            "<html>Please log in</html>",
        )
        run = self.run_feed(self.feed)
        self.assertEqual(run.state, "failed")
        self.assertIn("text/html instead of JSON", run.error)

    def test_a_revoked_credential_is_told_at_once(self):
        self.server.answer = lambda request: (401, {}, "t0ps3cret is not valid")
        run = self.run_feed(self.feed)
        self.assertEqual(run.state, "failed")
        self.assertIn("revoked", run.error)
        self.assertNotIn("t0ps3cret", run.error)
        issue = self.env["sync.issue"].search([("kind", "=", "feed")])
        self.assertIn("revoked", issue.title)

    def test_an_outage_is_waited_for_and_then_told(self):
        self.server.answer = lambda request: (503, {"Retry-After": "3600"}, "")
        with trap_jobs() as trap:
            run = self.feed._run()
            trap.perform_enqueued_jobs()
            self.assertEqual((run.state, run.retry_count), ("queued", 1))
            waits = [call.properties.get("eta") for call in trap.calls]
            self.assertEqual(waits.count(timedelta(minutes=5)), 1)
            self.drain(trap)
        self.assertEqual((run.state, run.retry_count), ("failed", 5))
        issue = self.env["sync.issue"].search([("kind", "=", "feed")])
        self.assertIn("HTTP 503", issue.title)

    def fail_once(self):
        """Ask a server that is down. (assertRaises would undo what is noted of it.)"""
        try:
            with self.remote._session() as session:
                session.document("customers.json")
        except RemoteFailed as error:
            return str(error)
        return self.fail("It should have failed.")

    def test_an_open_circuit_asks_nobody_and_tells_once(self):
        self.server.answer = lambda request: (503, {"Retry-After": "3600"}, "")
        for _time in range(5):
            said = self.fail_once()
        self.assertIn("left alone for a while", said)
        self.assertEqual(len(self.server.requests), 3)
        self.assertEqual(self.remote.status, "open")
        outage = self.env["sync.issue"].search([("kind", "=", "remote.outage")])
        self.assertEqual(outage.state, "open")
        self.server.answer = lambda request: (200, {}, "[]")
        self.remote.action_reset_breaker()
        self.remote.action_test()
        self.assertEqual(self.remote.status, "closed")

    def test_a_redirect_is_not_followed(self):
        self.server.answer = lambda request: (302, {"Location": "http://10.0.0.1/"}, "")
        run = self.run_feed(self.feed)
        self.assertIn("HTTP 302", run.error)

    def test_a_path_does_not_lead_our_token_elsewhere(self):
        self.feed.path = "https://evil.example/customers.json"
        run = self.run_feed(self.feed)
        self.assertIn("another host", run.error)
        self.assertFalse(self.server.requests)

    def test_a_server_that_drips_is_cut(self):
        self.remote.timeout_s = 1
        self.server.answer, self.cut = self.drip, threading.Event()
        run = self.run_feed_once(self.feed)
        self.assertTrue(run.error)
        self.assertTrue(self.cut.wait(60), "it was not heard to the end")

    def drip(self, request):
        """An answer of which a byte comes now and then, for a long time."""
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _byte in range(300):
            try:
                request.wfile.write(b"x")
                request.wfile.flush()
            except OSError:
                self.cut.set()
                break
            time.sleep(0.1)
        request.close_connection = True

    def run_feed_once(self, feed):
        with trap_jobs() as trap:
            run = feed._run()
            trap.perform_enqueued_jobs()
        return run

    def test_what_partners_sent_is_for_no_screen(self):
        self.serve([self.row(1)])
        run = self.run_feed_once(self.feed)
        manager = new_test_user(
            self.env,
            "feed_manager",
            "base.group_user,sync_governance_base.group_sync_integration_manager",
        )
        attachment = run.document_ids.attachment_id
        self.assertTrue(attachment)
        with self.assertRaises(AccessError):
            attachment.with_user(manager).read(["raw"])
        with self.assertRaises(AccessError):
            run.document_ids.with_user(manager).read(["attachment_id"])

    def test_private_addresses_are_refused(self):
        self.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", ""
        )
        run = self.run_feed(self.feed)
        self.assertIn("private or reserved", run.error)
        self.assertFalse(self.server.requests)

    def test_one_document(self):
        self.feed.write(
            {"paging": "document", "document_format": "xml", "rows_path": "c"}
        )
        self.server.answer = lambda request: (
            200,
            {},
            "<all><c><id>F-1</id><name>Ada</name></c></all>",
        )
        run = self.run_feed(self.feed)
        self.assertEqual((run.state, run.created_count), ("done", 1), run.error)

    def test_its_rows_are_a_snapshot_to_reconcile_with(self):
        self.customer("F-1", name="N 1", email="ours@example.com")
        self.serve([self.row(1, email="theirs@example.com")], [self.row(2)])
        reconciliation = self.env["sync.reconciliation"].create(
            {
                "name": "Customers",
                "system_id": self.shop.id,
                "resource": "customers",
                "event_type": "customers/export",
                "feed_id": self.feed.id,
                "scope": "[('email', '=', 'ours@example.com')]",
                "line_ids": [Command.create({"path": "email"})],
                "interval": "day",
                "next_run_at": fields.Datetime.now(),
            }
        )
        with trap_jobs() as trap:
            self.env["sync.reconciliation"]._cron_run()
            self.drain(trap)
        run = reconciliation.last_run_id
        self.assertEqual(
            (run.state, run.value_count, run.missing_here_count), ("done", 1, 1)
        )
        self.assertFalse(self.feed.watermark)

    def test_secrets_are_nowhere_to_be_read(self):
        self.assertFalse(self.remote.read()[0]["auth_secret"])
        self.assertNotIn("t0ps3cret", str(self.remote.export_data(["auth_secret"])))
