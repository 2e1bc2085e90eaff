from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestRetention(WebhookCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Ada", "city": "Paris"})
        self.subscription = self.subscribe()
        self.retention = self.env["sync.retention"]

    def change(self, city):
        self.partner.city = city
        self.commit()
        return self.events(self.partner)[-1]

    def age(self, events, days):
        self.env.cr.execute(
            "UPDATE sync_event SET occurred_at = occurred_at - %s * INTERVAL '1 day'"
            " WHERE id = ANY(%s)",
            [days, events.ids],
        )

    def prune(self):
        self.env.cr.flush()
        cron = self.env.ref("sync_governance_webhooks.ir_cron_prune")
        with self.enter_registry_test_mode(), mute_logger("odoo.addons.base"):
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_never_what_is_open_or_dead(self):
        arrived = self.change("Arrived")
        self.dispatch()
        self.receiver.answers.append((400, {}, b"no"))
        dead = self.change("Dead")
        self.dispatch()
        pending = self.change("Pending")
        discarded = self.change("Discarded")
        self.deliveries(self.subscription)[-1].action_discard()
        young = self.change("Young")
        self.dispatch_none(young)
        self.age(arrived | dead | pending | discarded, 31)
        attempts = self.deliveries(self.subscription)[0].attempt_ids
        self.assertTrue(attempts)
        self.prune()
        self.assertEqual(self.events(self.partner), dead | pending | young)
        self.assertFalse(attempts.exists())
        # A person has decided: now it may go.
        self.deliveries(self.subscription)[0].action_discard()
        self.prune()
        self.assertEqual(self.events(self.partner), pending | young)

    def dispatch_none(self, event):
        """As if it had arrived."""
        self.env.cr.execute(
            "UPDATE sync_delivery SET state = 'delivered' WHERE event_id = %s",
            [event.id],
        )

    def test_the_domain_says_how_long_and_the_type_may_overrule_it(self):
        domain = self.env["sync.domain"]._of_model("res.partner")
        domain = domain or self.env["sync.domain"].create(
            {
                "name": "Customers",
                "code": "testcustomer",
                "model_ids": [(6, 0, self.partner_updated.model_id.ids)],
            }
        )
        domain.event_retention_days = 10
        event = self.change("Rome")
        self.dispatch()
        self.age(event, 9)
        self.prune()
        self.assertTrue(event.exists())
        self.age(event, 2)
        self.partner_updated.retention_days = 20
        self.prune()
        self.assertTrue(event.exists())
        self.partner_updated.retention_days = 0
        domain.event_retention_days = 0
        self.prune()
        self.assertTrue(event.exists(), "0 days of a domain are for good")
        domain.event_retention_days = 10
        self.prune()
        self.assertFalse(event.exists())

    def test_batches_look_at_nothing_twice(self):
        events = self.env["sync.event"]
        for number in range(5):
            events |= self.change(f"City {number}")
        self.dispatch()
        self.receiver.answers.append((400, {}, b"no"))
        events[0].delivery_ids.sudo()._set_state(("delivered",), "dead")
        self.age(events, 31)
        before = fields.Datetime.now() - timedelta(days=30)
        type_id, counts, position = self.partner_updated.id, [], None
        while True:
            count, position = self.retention._prune_batch(type_id, before, position, 2)
            counts.append(count)
            if position is None:
                break
        self.assertEqual(counts, [2, 2, 0])
        self.env.invalidate_all()
        self.assertEqual(self.events(self.partner), events[0])

    def test_old_figures_go(self):
        self.change("Rome")
        self.dispatch()
        metrics = self.env["sync.delivery.metric"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        self.assertEqual(len(metrics), 1)
        self.env.cr.execute(
            "UPDATE sync_delivery_metric SET hour = hour - INTERVAL '401 days'"
        )
        self.prune()
        self.assertFalse(metrics.exists())

    def test_policies_know_the_measured_latency(self):
        policy = self.env["sync.policy"].create(
            {"name": "P", "model_id": self.partner_updated.model_id.id}
        )
        self.assertNotIn(policy.id, policy._measured_latency())
        self.change("Rome")
        self.dispatch()
        self.env.cr.execute(
            "UPDATE sync_delivery SET delivered_at = occurred_at + INTERVAL '7 seconds'"
            " WHERE subscription_id = %s",
            [self.subscription.id],
        )
        self.assertAlmostEqual(policy._measured_latency()[policy.id], 7.0)
