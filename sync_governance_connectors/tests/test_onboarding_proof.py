# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.models.sync_remote import FOLDER_VARIABLE
from odoo.addons.sync_governance_webhooks.tests.common import Receiver

from .partner_server import PartnerServer
from .test_feed import FeedCase
from .test_onboarding import OnboardingCase

HEADER = "external_id,name\n"


@tagged("post_install", "-at_install")
class TestOnboardingProof(OnboardingCase, FeedCase):
    """What is proven by an exchange, with another side that really answers."""

    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", "127.0.0.0/8"
        )
        self.system = self.onboarding.system_id

    def ask(self, check, argument=False):
        """A further item of the checklist."""
        return self.env["sync.onboarding.item"].create(
            {
                "name": check,
                "onboarding_id": self.onboarding.id,
                "stage_id": self.onboarding.stage_id.id,
                "check": check,
                "argument": argument,
            }
        )

    def look(self):
        """As the next transaction does."""
        self.env.invalidate_all()
        self.onboarding._refresh()

    def assertOpen(self, item, reason):
        self.look()
        self.assertEqual(item.state, "open", item.reason)
        self.assertIn(reason, item.reason)

    def assertProven(self, item, record):
        self.look()
        self.assertEqual(item.state, "done", item.reason)
        self.assertEqual((item.res_model, item.res_id), (record._name, record.id))

    # -- events ----------------------------------------------------------------------

    def dispatch(self):
        """Send what is due, in this test's transaction."""
        self.env.cr.flush()
        for _slice in range(20):
            if self.env["sync.dispatcher"]._dispatch(linger=0.0) != 0.0:
                break
        self.env.invalidate_all()

    def listen(self, patterns):
        """The partner's subscription, led to a receiver on loopback."""
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        subscriptions = self.env["sync.subscription"].search([])
        subscription = subscriptions.filtered(lambda one: one.system_id == self.system)
        (subscriptions - subscription).active = False
        subscription.write({"url": receiver.url, "patterns": patterns})
        subscription._rotate_secret()
        subscription.action_activate()
        return receiver

    def test_an_event_arrives(self):
        item, other = self.ask("delivery", "order.*"), self.ask("delivery", "x.*")
        receiver = self.listen("order.*, customer.*")
        receiver.answers.extend([(400, {}, b"no")] * 20)
        self._link(self.system, self.contact, "C-1")
        order = self.env["sale.order"].create({"partner_id": self.contact.id})
        self._link(self.system, order, "SO-1")
        self.assertOpen(item, "order.* was delivered")
        self.dispatch()
        self.assertOpen(item, "order.* was delivered")  # it arrived, and was refused
        self.assertTrue(receiver.messages)
        receiver.answers.clear()
        order.note = "Again"
        order.action_confirm()
        self.dispatch()
        delivery = self.env["sync.delivery"].search(
            [("state", "=", "delivered"), ("event_id.name", "=like", "order.%")],
            order="id desc",
            limit=1,
        )
        self.assertIn(delivery.event_id.ref, receiver.ids())
        # However much else was told since.
        self.env["res.partner"].create(
            [{"name": f"New {number}"} for number in range(201)]
        )
        self.dispatch()
        self.assertProven(item, delivery)
        self.assertOpen(other, "x.* was delivered")

    # -- remotes ---------------------------------------------------------------------

    def remote(self, name, address, kind="https"):
        return self.env["sync.remote"].create(
            {
                "name": name,
                "system_id": self.system.id,
                "kind": kind,
                "address": address,
            }
        )

    def test_every_remote_is_reached(self):
        item = self.ask("remote_reached")
        self.assertOpen(item, "There is no remote")
        server = PartnerServer()
        self.addCleanup(server.stop)
        first, second = (
            self.remote(name, f"{server.url}/{name}") for name in ("one", "two")
        )
        self.assertOpen(item, "one: No connection was tried yet")
        server.answer = lambda request: (200, {}, "[]")
        first.with_user(self.manager).action_test()
        self.assertOpen(item, "two: No connection was tried yet")
        server.answer = lambda request: (503, {}, "")
        try:  # assertRaises would undo what is noted of it
            second.with_user(self.manager).action_test()
        except UserError:
            self.assertOpen(item, "two: ")
            self.assertIn("503", item.reason)
        server.answer = lambda request: (200, {}, "[]")
        second.with_user(self.manager).action_test()
        self.assertProven(item, first)

    # -- feeds -----------------------------------------------------------------------

    def folder(self):
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(patch.dict(os.environ, {FOLDER_VARIABLE: str(root)}))
        (root / "partner").mkdir()
        return root / "partner"

    def feed(self, **values):
        return self.env["sync.feed"].create(
            {
                "name": "Customers",
                "system_id": self.system.id,
                "remote_id": self.remote("Drop", "partner", "folder").id,
                "resource": "customers",
                "done_marker": ".done",
                **values,
            }
        )

    def drop(self, folder, number, text):
        (folder / f"{number}.csv").write_text(text)
        (folder / f"{number}.csv.done").touch()

    def test_a_feed_runs_without_a_fault(self):
        item = self.ask("feed_run")
        folder, feed = self.folder(), self.feed()
        self.assertOpen(item, "No feed has exchanged a row")
        self.run_feed(feed)
        self.assertOpen(item, "No feed has exchanged a row")  # there was no file
        self.drop(folder, 1, HEADER + "C-1,Ada\nC-2,\n")
        self.run_feed(feed)
        self.assertOpen(item, "1 rows wait in quarantine")
        self.drop(folder, 2, HEADER + 'C-2,Bob\nC-3,"half')
        self.run_feed(feed)
        self.assertOpen(item, "2.csv")
        for path in folder.glob("2.csv*"):
            path.unlink()
        self.drop(folder, 3, HEADER + "C-3,Eve\n")
        run = self.run_feed(feed)
        self.assertFalse(run.error)
        self.run_feed(feed)  # and a later one that finds nothing
        self.assertProven(item, run)

    def test_a_feed_that_failed_last_proves_nothing(self):
        item = self.ask("feed_run")
        folder, feed = self.folder(), self.feed()
        self.drop(folder, 1, HEADER + "C-1,Ada\n")
        self.run_feed(feed)
        feed.remote_id.address = "nowhere"
        self.assertEqual(self.run_feed(feed).state, "failed")
        self.assertOpen(item, "Customers: ")

    def test_a_certain_feed(self):
        item = self.ask("feed_run", "customers/export")
        folder, feed = self.folder(), self.feed()
        self.drop(folder, 1, HEADER + "C-1,Ada\n")
        self.run_feed(feed)
        self.assertOpen(item, "No feed has exchanged a row")
        self.env["sync.mapping"].create(
            {
                "system_id": self.system.id,
                "event_type": "customers/export",
                "resource": "customers",
                "external_id_expression": "external_id",
                "line_ids": [Command.create({"target": "name", "expression": "name"})],
            }
        ).action_activate()
        feed.event_type = "customers/export"
        self.drop(folder, 2, HEADER + "C-2,Bob\n")
        self.assertProven(item, self.run_feed(feed))

    # -- reconciliation --------------------------------------------------------------

    def compare(self, reconciliation, rows):
        attachment = self.env["ir.attachment"].create(
            {"name": "snapshot.json", "raw": json.dumps(rows).encode()}
        )
        with trap_jobs() as trap:
            run = reconciliation._run(attachment)
            self.drain(trap)
        self.assertEqual(run.state, "done", run.error)

    def test_both_sides_agree(self):
        item = self.ask("reconciled")
        self.assertOpen(item, "There is no reconciliation")
        self._link(self.system, self.contact, "C-1")
        reconciliation = self.env["sync.reconciliation"].create(
            {
                "name": "Customers",
                "system_id": self.system.id,
                "resource": "customers",
                "document_format": "json",
                "scope": f"[('id', '=', {self.contact.id})]",
                "line_ids": [Command.create({"path": "email"})],
            }
        )
        self.assertOpen(item, "not compared yet")
        row = {"external_id": "C-1", "email": "other@partner.example"}
        self.compare(reconciliation, [row])
        self.assertOpen(item, "1 differences are open")
        difference = self.env["sync.reconciliation.difference"].search(
            [("reconciliation_id", "=", reconciliation.id)]
        )
        difference.with_user(self.manager)._accept("They write to another address.")
        self.assertProven(item, reconciliation)
        # It stands as long as both sides do.
        self.compare(reconciliation, [row, {"external_id": "C-2", "email": "x@y.zz"}])
        self.assertOpen(item, "1 differences are open")

    def test_an_empty_snapshot_proves_nothing(self):
        item = self.ask("reconciled")
        reconciliation = self.env["sync.reconciliation"].create(
            {
                "name": "Customers",
                "system_id": self.system.id,
                "resource": "customers",
                "document_format": "json",
                "scope": "[('id', '=', 0)]",
                "line_ids": [Command.create({"path": "email"})],
            }
        )
        self.compare(reconciliation, [])
        self.assertOpen(item, "the snapshot was empty")
