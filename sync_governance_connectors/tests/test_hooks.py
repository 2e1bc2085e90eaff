# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import base64
import hashlib
import hmac
import json
import time
from unittest.mock import Mock, patch

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.sync_governance_connectors.models import sync_request_hook
from odoo.addons.sync_governance_connectors.models.sync_rate_counter import FAILURES
from odoo.addons.sync_governance_connectors.models.sync_request_hook import (
    FIRST_WAIT,
    WAITS,
)
from odoo.addons.sync_governance_connectors.tools.call import Incoming
from odoo.addons.sync_governance_connectors.tools.problem import Problem
from odoo.addons.sync_governance_connectors.tools.ratelimit import Limit

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestHooks(HttpCase, ResourceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.carrier = cls._system("test_carrier", "carrier", reach="company")
        cls.secret = cls.carrier._set_inbound_secret()

    def setUp(self):
        super().setUp()
        self.now = time.time()

    def post(
        self,
        data,
        event_id="msg_1",
        event="shipment.milestone",
        secret=None,
        stamp=None,
    ):
        body = json.dumps(
            {"type": event, "timestamp": "2030-01-01T10:00:00Z", "data": data}
        )
        stamp = stamp or int(self.now)
        return self.url_open(
            "/sync/v1/hooks/test_carrier",
            data=body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": event_id,
                "webhook-timestamp": str(stamp),
                "webhook-signature": self._sign(
                    secret or self.secret, event_id, stamp, body
                ),
            },
        )

    def _sign(self, secret, event_id, stamp, body):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{event_id}.{stamp}.{body}".encode()
        return (
            "v1,"
            + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        )

    def milestone(self, picking, **values):
        return {
            "external_id": "PARCEL-1",
            "number": picking.name,
            "milestone": "dispatched",
            "occurred_at": "2030-01-01T10:00:00Z",
            **values,
        }

    def hooks(self):
        """What the carrier has sent, the last one first."""
        return self.env["sync.request"].search(
            [("system_id", "=", self.carrier.id), ("kind", "=", "hook")]
        )

    def received(self, response):
        return self.env["sync.request"].search(
            [("ref", "=", response.json()["request"])]
        )

    def process(self, response):
        request = self.received(response)
        request._process_hook()
        return request

    def run_again(self, request):
        """What an operator does with a message that waits for a person."""
        group = "sync_governance_base.group_sync_operator"
        operator = new_test_user(self.env, "test_hook_operator", group)
        with trap_jobs() as trap:
            request.with_user(operator).action_run_again()
            trap.perform_enqueued_jobs()

    def test_stored_first_and_processed_by_a_job(self):
        picking = self.confirmed_order().picking_ids
        response = self.post(self.milestone(picking, tracking_number="0034"))
        self.assertEqual(response.status_code, 202)
        request = self.received(response)
        self.assertEqual(request.state, "received")
        self.assertEqual(picking.state, "assigned", "nothing happens before the job")
        job = self.env["queue.job"].search(
            [("identity_key", "=", f"sync_hook:{request.ref}")]
        )
        self.assertEqual(
            (job.method_name, job.channel), ("_process_hook", "root.sync_inbound")
        )
        Job.load(self.env, job.uuid).perform()
        self.assertEqual(request.state, "applied")
        self.assertEqual(picking.state, "done")
        self.assertEqual(picking.sync_tracking_number, "0034")
        self.assertEqual(
            (request.res_model, request.res_id), ("stock.picking", picking.id)
        )
        link = self.env["sync.crosswalk"]._resolve(
            self.carrier, "stock.picking", "PARCEL-1"
        )
        self.assertEqual(link.res_id, picking.id)

    def test_second_message_needs_no_number(self):
        picking = self.confirmed_order().picking_ids
        self.process(self.post(self.milestone(picking)))
        data = self.milestone(
            picking, milestone="delivered", occurred_at="2030-01-02T10:00:00Z"
        )
        data.pop("number")
        request = self.process(self.post(data, "msg_2"))
        self.assertEqual(request.state, "applied")
        self.assertEqual(picking.sync_milestone, "delivered")

    def test_a_number_opens_only_the_carriers_own_deliveries(self):
        self.carrier.reach = "own"
        picking = self.confirmed_order().picking_ids
        for number, carrier in enumerate((False, "Somebody else")):
            picking.sync_carrier_name = carrier
            request = self.process(self.post(self.milestone(picking), f"msg_{number}"))
            self.assertEqual(
                (request.state, request.error_code), ("quarantined", "not_found")
            )
        self.assertFalse(picking.sync_milestone)
        self.assertFalse(
            self.env["sync.crosswalk"]._resolve(
                self.carrier, "stock.picking", "PARCEL-1"
            )
        )
        picking.sync_carrier_name = "test_carrier"
        request = self.process(self.post(self.milestone(picking), "msg_own"))
        self.assertEqual(request.state, "applied")
        self.assertEqual(picking.sync_milestone, "dispatched")

    def test_a_carrier_may_be_known_by_another_name(self):
        self.carrier.reach = "own"
        picking = self.confirmed_order().picking_ids
        picking.sync_carrier_name = "Parcels of the North"
        self.env["sync.value.map"].create(
            {
                "system_id": self.carrier.id,
                "kind": "carrier",
                "partner_value": "PN",
                "canonical_value": "Parcels of the North",
            }
        )
        request = self.process(self.post(self.milestone(picking)))
        self.assertEqual(request.state, "applied")

    def test_another_parcel_of_a_delivery_that_the_carrier_knows(self):
        self.carrier.reach = "own"
        picking = self.confirmed_order().picking_ids
        self._link(self.carrier, picking, "PARCEL-0")
        request = self.process(self.post(self.milestone(picking)))
        self.assertEqual(request.state, "applied")

    def test_same_event_twice(self):
        picking = self.confirmed_order().picking_ids
        first = self.post(self.milestone(picking))
        again = self.post(self.milestone(picking))
        self.assertEqual((first.status_code, again.status_code), (202, 200))
        self.assertEqual(
            again.json(), {"request": first.json()["request"], "duplicate": True}
        )
        count = self.env["sync.request"].search_count(
            [("system_id", "=", self.carrier.id), ("kind", "=", "hook")]
        )
        self.assertEqual(count, 1)

    def test_a_job_that_runs_twice_has_one_effect(self):
        picking = self.confirmed_order().picking_ids
        request = self.process(self.post(self.milestone(picking)))
        moment = picking.write_date
        request._process_hook()
        self.assertEqual(picking.write_date, moment)

    def test_unproven_messages_are_refused_alike(self):
        picking = self.confirmed_order().picking_ids
        wrong = self.post(
            self.milestone(picking),
            secret="whsec_" + base64.b64encode(b"x" * 32).decode(),
        )
        stale = self.post(
            self.milestone(picking), "msg_2", stamp=int(time.time()) - 3600
        )
        unknown = self.url_open("/sync/v1/hooks/nobody", data="{}")
        for response in (wrong, stale, unknown):
            self.assertEqual(response.status_code, 401)
            self.assertEqual(
                response.headers["Content-Type"], "application/problem+json"
            )
            self.assertEqual(response.json()["code"], "webhook_refused")
        refused = self.env["sync.request"].search(
            [("system_id", "=", self.carrier.id), ("state", "=", "refused")]
        )
        self.assertEqual(
            set(refused.mapped("error_code")), {"signature_mismatch", "timestamp_stale"}
        )
        self.assertFalse(any(refused.sudo().mapped("request_body")))

    def test_a_flood_does_not_fill_the_screen(self):
        path = "/sync/v1/hooks/test_carrier"
        incoming = Incoming("POST", path, "", {}, {}, "203.0.113.9", lambda limit: b"")
        flood = FAILURES.burst + 10
        for _count in range(flood):
            self.env["sync.request"]._refuse_hook(
                self.carrier, Problem(401, "no_secret", "Nothing proven."), incoming
            )
        kept = self.env["sync.request"].search_count(
            [("system_id", "=", self.carrier.id), ("state", "=", "refused")]
        )
        self.assertTrue(0 < kept < flood, kept)

    def allow(self, **limits):
        """A plan of the carrier's own; the clock stands still from here on, so that
        nothing depends on how fast the test runs."""
        self.startPatcher(
            patch.object(sync_request_hook, "time", Mock(time=lambda: self.now))
        )
        self.carrier.inbound_plan_id = self.env["sync.plan"].create(
            {"name": "Few", "code": "few", **limits}
        )

    def assert_over_the_plan(self, event_id, policy):
        """The partner is told when to come again, and so are people."""
        response = self.post({"external_id": "C-1", "name": "Ada"}, event_id)
        self.assertEqual(response.status_code, 429, response.text)
        self.assertEqual(response.json()["code"], "quota_exceeded")
        self.assertEqual(response.json()["violated-policies"], [policy])
        self.assertGreater(int(response.headers["Retry-After"]), 0)
        self.assertIn('"few', response.headers["RateLimit-Policy"])
        request = self.hooks()[:1]
        self.assertEqual(
            (request.state, request.error_code), ("refused", "quota_exceeded")
        )
        self.assertTrue(request.quarantine_reason)

    def test_messages_are_counted_by_the_plans_rate(self):
        self.allow(per_minute=1, burst=1)
        data = {"external_id": "C-1", "name": "Ada"}
        first = self.post(data, "msg_1")
        self.assertEqual(first.status_code, 202)
        self.assertIn('"few";q=1;w=60', first.headers["RateLimit-Policy"])
        self.assert_over_the_plan("msg_2", "few")
        self.now += 59
        self.assert_over_the_plan("msg_2", "few")
        # what was refused may come again
        self.now += 1
        self.assertEqual(self.post(data, "msg_2").status_code, 202)

    def test_messages_are_counted_by_the_day(self):
        self.allow(per_minute=0, per_day=1)
        data = {"external_id": "C-1", "name": "Ada"}
        self.assertEqual(self.post(data, "msg_1").status_code, 202)
        self.assert_over_the_plan("msg_2", "few-daily")
        self.now += 24 * 3600
        self.assertEqual(self.post(data, "msg_2").status_code, 202)

    def test_a_message_may_be_as_large_as_the_plan_says(self):
        data = {"external_id": "C-1", "name": "Ada", "padding": "x" * 2048}
        self.assertEqual(self.post(data, "msg_1").status_code, 202)
        self.allow(max_body_kb=1)
        response = self.post(data, "msg_2")
        self.assertEqual(response.status_code, 413)
        self.assertEqual(response.json()["code"], "body_too_large")
        request = self.hooks()[:1]
        self.assertEqual(
            (request.state, request.error_code, request.response_status),
            ("refused", "body_too_large", 413),
        )

    def test_each_system_has_its_own_count(self):
        self.allow(per_minute=0, per_day=1)
        counters = self.env["sync.rate.counter"]
        for kind, holder in (
            ("hooks", self.wms),
            ("credential", self.carrier),  # a key with the same id
        ):
            bucket = counters._bucket(kind, holder.id)
            counters._take(bucket, Limit(per_day=1), time.time(), "")
        data = {"external_id": "C-1", "name": "Ada"}
        self.assertEqual(self.post(data).status_code, 202)

    def test_the_plan_of_all_others_stays(self):
        with self.assertRaises(UserError):
            self.env["sync.plan"]._of_hooks().unlink()

    def test_what_proves_nothing_is_not_counted(self):
        self.allow(per_minute=1, burst=1)
        data = {"external_id": "C-1", "name": "Ada"}
        wrong = "whsec_" + base64.b64encode(b"x" * 32).decode()
        self.assertEqual(self.post(data, "msg_1", secret=wrong).status_code, 401)
        self.assertEqual(self.post(data, "msg_1").status_code, 202)

    def test_refused_event_may_come_again_proven(self):
        picking = self.confirmed_order().picking_ids
        self.post(
            self.milestone(picking),
            secret="whsec_" + base64.b64encode(b"x" * 32).decode(),
        )
        self.assertEqual(self.post(self.milestone(picking)).status_code, 202)

    def test_the_secret_ends_with_the_system(self):
        system = self._system("test_leaves", "shop")
        system._set_inbound_secret()
        secret = system._secrets()
        self.assertEqual(secret.state, "active")
        system.service_account_ids.unlink()
        system.unlink()
        self.assertEqual(secret.state, "revoked")
        self.assertFalse(secret.ciphertext)

    def test_rotation_keeps_the_old_secret_for_a_while(self):
        picking = self.confirmed_order().picking_ids
        new = self.carrier._set_inbound_secret()
        self.assertEqual(self.post(self.milestone(picking), "msg_old").status_code, 202)
        self.assertEqual(
            self.post(self.milestone(picking), "msg_new", secret=new).status_code, 202
        )

    def test_what_cannot_be_applied_is_quarantined(self):
        request = self.process(
            self.post(
                {
                    "external_id": "PARCEL-9",
                    "milestone": "dispatched",
                    "occurred_at": "2030-01-01T10:00:00Z",
                }
            )
        )
        self.assertEqual(request.state, "quarantined")
        self.assertEqual(request.error_code, "not_found")
        self.assertIn("PARCEL-9", request.quarantine_reason)
        issue = self.env["sync.issue"].search([("system_id", "=", self.carrier.id)])
        self.assertEqual(len(issue), 1)
        picking = self.confirmed_order().picking_ids
        self._link(self.carrier, picking, "PARCEL-9")
        self.run_again(request)
        self.assertEqual(request.state, "applied")
        self.assertEqual(picking.state, "done")
        self.assertEqual(issue.state, "resolved")

    def test_faults_have_pointers(self):
        picking = self.confirmed_order().picking_ids
        request = self.process(
            self.post(self.milestone(picking, milestone="teleported"))
        )
        self.assertEqual(request.state, "quarantined")
        self.assertEqual(request.faults[0]["pointer"], "/milestone")

    def test_unknown_event(self):
        request = self.process(self.post({"external_id": "1"}, event="weather.changed"))
        self.assertEqual(request.error_code, "unknown_event")

    def test_not_even_json(self):
        body = b"\xff\xfe<html>"
        stamp = int(time.time())
        signed = b"msg_x.%d." % stamp + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = base64.b64encode(
            hmac.new(key, signed, hashlib.sha256).digest()
        ).decode()
        response = self.url_open(
            "/sync/v1/hooks/test_carrier",
            data=body,
            headers={
                "webhook-id": "msg_x",
                "webhook-timestamp": str(stamp),
                "webhook-signature": f"v1,{signature}",
            },
        )
        self.assertEqual(response.status_code, 202)
        self.assertEqual(self.process(response).state, "quarantined")

    def test_paused_systems_are_not_heard(self):
        picking = self.confirmed_order().picking_ids
        self.carrier.action_pause()
        self.assertEqual(self.post(self.milestone(picking)).status_code, 401)

    def test_what_came_before_the_pause_waits_for_a_person(self):
        picking = self.confirmed_order().picking_ids
        request = self.received(self.post(self.milestone(picking)))
        self.carrier.action_pause()
        request._process_hook()
        self.assertEqual(
            (request.state, request.error_code), ("quarantined", "system_paused")
        )
        self.assertFalse(picking.sync_milestone)
        self.carrier.action_go_live()
        self.run_again(request)
        self.assertEqual(request.state, "applied")

    def order(self, external_id, customer):
        """A message about an order of a customer whom nobody may know."""
        self._link(self.carrier, self.product, "ART-1")
        return {
            "external_id": external_id,
            "customer": {"external_id": customer},
            "currency": self.currency,
            "lines": [{"product": {"external_id": "ART-1"}, "quantity": "1"}],
        }

    def test_what_is_too_early_is_tried_again_ever_later_and_then_a_persons(self):
        response = self.post(self.order("SO-1", "C-1"), event="order.created")
        request, waits = self.received(response), []
        enqueue = type(request)._enqueue_hook

        def note(requests, eta=None):
            waits.append(eta)
            return enqueue(requests, eta=eta)

        with patch.object(type(request), "_enqueue_hook", note):
            for _try in range(WAITS):
                request._process_hook()
                self.assertEqual(
                    (request.state, request.error_code),
                    ("received", "validation_failed"),
                )
            request._process_hook()
        self.assertEqual(waits, [FIRST_WAIT * 4**number for number in range(WAITS)])
        self.assertEqual(request.state, "quarantined")
        self.assertEqual(request.faults[0]["pointer"], "/customer")
        # and even then it goes on by itself once the customer is there
        customer = self.received(
            self.post(
                {"external_id": "C-1", "name": "Ada"}, "msg_2", event="customer.created"
            )
        )
        with trap_jobs() as trap:
            customer._process_hook()
            trap.perform_enqueued_jobs()
        self.assertEqual(request.state, "applied")

    def waiting(self):
        """An order that waits for a customer."""
        return self.process(self.post(self.order("SO-1", "C-1"), event="order.created"))

    def test_what_it_waits_for_may_come_by_the_api(self):
        request = self.waiting()
        call = self.carrier._call("req_test")
        customers = self.carrier._acting_env(call)["sync.resource"]._get("customers")
        with trap_jobs() as trap:
            customers._create({"external_id": "C-1", "name": "Ada"}, call)
            self.assertEqual(trap.enqueued_jobs[0].identity_key[-36:], request.ref)
            self.assertEqual(trap.enqueued_jobs[0].recordset.env.uid, SUPERUSER_ID)
            trap.perform_enqueued_jobs()
        self.assertEqual(request.state, "applied")

    def test_what_it_waits_for_may_be_named_by_a_person(self):
        request = self.waiting()
        partner = self.env["res.partner"].create({"name": "Ada"})
        manager = new_test_user(
            self.env,
            "test_hook_manager",
            "base.group_user,sync_governance_base.group_sync_integration_manager",
        )
        ids = self.env["sync.crosswalk"].with_user(manager)
        values = {"res_model": "res.partner", "res_id": partner.id}
        with trap_jobs() as trap:
            # another system's, and another id
            ids.create({**values, "system_id": self.shop.id, "external_id": "C-1"})
            ids.create({**values, "system_id": self.carrier.id, "external_id": "C-2"})
            self.assertFalse(trap.enqueued_jobs)
            ids.create({**values, "system_id": self.carrier.id, "external_id": "C-1"})
            trap.perform_enqueued_jobs()
        self.assertEqual(request.state, "applied")

    def test_each_wait_has_a_job_of_its_own(self):
        response = self.post(self.order("SO-1", "C-1"), event="order.created")
        request = self.process(response)
        jobs = self.env["queue.job"].search(
            [("identity_key", "=like", f"sync_hook:{request.ref}%")]
        )
        self.assertEqual(
            set(jobs.mapped("identity_key")),
            {f"sync_hook:{request.ref}", f"sync_hook:{request.ref}:1"},
        )
        self.assertEqual([bool(job.eta) for job in jobs.sorted("id")], [False, True])

    def test_what_time_does_not_mend_is_a_persons_at_once(self):
        self.customer()
        self._link(
            self.carrier,
            self.env["sync.crosswalk"]
            ._resolve(self.shop, "res.partner", "C-T1")
            .record,
            "C-1",
        )
        body = {**self.order("SO-1", "C-1"), "currency": "XXX"}
        request = self.process(self.post(body, event="order.created"))
        self.assertEqual(request.state, "quarantined")
        self.assertIs(request.awaited_id, False)

    def test_a_customer_of_another_system_is_not_the_one(self):
        response = self.post(self.order("SO-1", "C-1"), event="order.created")
        request = self.process(response)
        self.customer("C-1")  # as the shop calls it
        request._process_hook()
        self.assertEqual(request.state, "received")

    def test_partners_events_create_and_update(self):
        self.carrier.inbound_strategy = "standard"
        body = {"external_id": "C-77", "name": "Ada"}
        self.process(self.post(body, "msg_1", event="customer.created"))
        partner = self.env["res.partner"].browse(
            self.env["sync.crosswalk"]
            ._resolve(self.carrier, "res.partner", "C-77")
            .res_id
        )
        self.assertEqual(partner.name, "Ada")
        self.process(
            self.post({**body, "name": "Ada L."}, "msg_2", event="customer.updated")
        )
        self.assertEqual(partner.name, "Ada L.")
