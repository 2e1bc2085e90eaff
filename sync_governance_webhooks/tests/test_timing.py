from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestTiming(WebhookCase):
    """What leaves obeys the timing of the policy in force."""

    def setUp(self):
        super().setUp()
        policies = self.env["sync.policy"]
        partner_policies = [("model_name", "=", "res.partner")]
        policies.search(
            [*partner_policies, ("state", "=", "active")]
        ).action_deactivate()
        self.subscription = self.subscribe()
        self.partner = self.env["res.partner"].create({"name": "Ada", "city": "Paris"})
        self.commit()

    def policy(self, timing, **values):
        name = self.env["ir.model.fields"]._get("res.partner", "name")
        policy = self.env["sync.policy"].create(
            {
                "name": timing,
                "model_id": self.partner_updated.model_id.id,
                "timing": timing,
                "max_latency_s": 600,
                "line_ids": [
                    Command.create(
                        {"field_id": name.id, "owner_system_id": self.system.id}
                    )
                ],
                **values,
            }
        )
        policy.action_activate()
        return policy

    def change(self, *cities, partner=None):
        for city in cities:
            (partner or self.partner).city = city
            self.commit()

    def calendar(self, hours):
        """A calendar open from today's given hour, a day's shift away."""
        return self.env["resource.calendar"].create(
            {
                "name": "Night",
                "tz": "UTC",
                "attendance_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "name": "Night",
                                "dayofweek": str(day),
                                "hour_from": hours[0],
                                "hour_to": hours[1],
                                "day_period": "morning",
                            }
                        )
                        for day in range(7)
                    ),
                ],
            }
        )

    def pass_time(self, **step):
        """What is due in that time is due now."""
        self.env.cr.execute(
            "UPDATE sync_delivery SET next_at = next_at - %s WHERE state = 'pending'",
            [timedelta(**step)],
        )

    def test_what_is_real_time_leaves_at_once(self):
        self.policy("realtime")
        self.change("Rome")
        self.assertIsNone(self.dispatch())
        self.assertEqual(len(self.receiver.messages), 1)

    def test_untimed_types_cost_no_query_more(self):
        self.env["sync.policy"]._timing("res.partner", self.env["res.company"], "out")
        event = {"id": 1, "res_model": "res.partner", "company_id": None}
        with self.assertQueryCount(0):
            due = self.env["sync.delivery"]._due_of([event] * 100)
        self.assertEqual(due, {1: (None, False)})

    def test_a_batch_leaves_at_its_end_with_the_last_state_of_each_record(self):
        self.policy("micro_batch", batch_interval_s=300)
        other = self.env["res.partner"].create({"name": "Eve", "city": "Paris"})
        self.change("Rome", "Bern", "Oslo")
        self.change("Wien", partner=other)
        deliveries = self.deliveries(self.subscription)
        self.assertEqual(
            [delivery.state for delivery in deliveries],
            ["discarded", "discarded", "pending", "pending"],
        )
        self.assertEqual(deliveries[0].last_error, "superseded")
        [due] = set(deliveries[2:].mapped("next_at"))
        self.assertEqual(due.timestamp() % 300, 0)
        seconds = self.dispatch()
        self.assertFalse(self.receiver.messages, "nothing before the batch's end")
        self.assertTrue(0 < seconds <= 300, seconds)
        self.pass_time(seconds=300)
        self.assertIsNone(self.dispatch())
        cities = {body["data"]["address"]["city"] for body in self.receiver.bodies()}
        self.assertEqual(cities, {"Oslo", "Wien"}, "no order between two records")

    def test_events_that_tell_a_step_are_all_sent(self):
        self.partner_updated.is_state_type = False
        self.policy("micro_batch")
        self.change("Rome", "Bern")
        self.pass_time(seconds=300)
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 2)

    def test_an_event_of_a_later_batch_is_one_of_its_own(self):
        """What is due already is not taken back: it may be on its way."""
        self.policy("micro_batch")
        self.change("Rome")
        self.pass_time(seconds=300)
        self.change("Bern")
        states = self.deliveries(self.subscription).mapped("state")
        self.assertEqual(states, ["pending", "pending"])

    def test_a_dispatcher_wakes_when_the_batch_is_due(self):
        self.policy("micro_batch")
        dispatcher = type(self.env["sync.dispatcher"])
        with patch.object(dispatcher, "_enqueue_if_asleep") as wake:
            self.partner.city = "Rome"
            self.env.cr.flush()
            # As a commit does, in this order.
            self.env.cr.cache.clear()
            self.env.cr.postcommit.run()
        [(_dbname, seconds)] = [call.args for call in wake.call_args_list]
        self.assertTrue(0 < seconds <= 300, seconds)

    def test_on_schedule_means_the_next_opening(self):
        now = fields.Datetime.now()
        later = (now.hour + 2) % 24
        policy = self.policy(
            "scheduled", calendar_id=self.calendar((later, later + 1)).id
        )
        self.change("Rome")
        delivery = self.deliveries(self.subscription)
        self.assertEqual(delivery.next_at.hour, later)
        self.assertTrue(now < delivery.next_at <= now + timedelta(hours=25))
        policy.calendar_id.sudo().attendance_ids.write({"hour_from": 0, "hour_to": 24})
        new = self.partner.create({"name": "Eve"})
        self.commit()
        self.change("Bern", partner=new)
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1, "within the hours: at once")

    def test_a_schedule_without_hours_holds(self):
        self.policy(
            "scheduled", calendar_id=self.calendar((1, 2)).id
        ).calendar_id.attendance_ids.unlink()
        self.change("Rome")
        self.assertEqual(self.deliveries(self.subscription).state, "held")

    def test_on_demand_waits_for_an_operator(self):
        policy = self.policy("on_demand")
        self.change("Rome")
        self.assertIsNone(self.dispatch(), "nothing is due, ever")
        self.assertFalse(self.receiver.messages)
        self.assertEqual(policy.held_count, 1)
        self.assertEqual(self.subscription.held_count, 1)
        self.assertEqual(self.subscription.backlog, 0)
        self.assertEqual(self.events(self.partner).state, "new")
        viewer, operator = (
            new_test_user(
                self.env, f"t_{name}", f"base.group_user,sync_governance_base.{group}"
            )
            for name, group in (
                ("viewer", "group_sync_viewer"),
                ("operator", "group_sync_operator"),
            )
        )
        with self.assertRaises(AccessError):
            policy.with_user(viewer).action_send_held()
        policy.with_user(operator).action_send_held()
        policy.invalidate_recordset()
        self.assertEqual(policy.held_count, 0)
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)

    def test_what_would_overtake_a_held_message_is_held_too(self):
        self.subscription.ordered = True
        self.partner_updated.is_state_type = False
        policy = self.policy("on_demand")
        self.change("Rome")
        policy.action_deactivate()
        held = self.deliveries(self.subscription)
        # As by another event type of the record, of no policy.
        self.env.cr.execute("UPDATE sync_delivery SET state = 'held'")
        self.change("Bern")
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        deliveries = self.deliveries(self.subscription)
        self.assertEqual(set(deliveries.mapped("state")), {"held"})
        (deliveries - held).action_send_now()
        self.dispatch()
        cities = [body["data"]["address"]["city"] for body in self.receiver.bodies()]
        self.assertEqual(cities, ["Rome", "Bern"])

    def test_order_holds_among_batches_and_real_time(self):
        self.subscription.ordered = True
        self.partner_updated.is_state_type = False
        self.policy("micro_batch")
        self.change("Rome")
        with patch.object(type(self.env["sync.policy"]), "_timing", return_value=None):
            self.change("Bern")
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        self.pass_time(seconds=300)
        self.dispatch()
        cities = [body["data"]["address"]["city"] for body in self.receiver.bodies()]
        self.assertEqual(cities, ["Rome", "Bern"])

    def test_another_timing_in_force_times_anew(self):
        policy = self.policy("on_demand")
        self.change("Rome")
        batch = policy._new_version()
        batch.write({"timing": "micro_batch"})
        batch.action_activate()
        delivery = self.deliveries(self.subscription)
        self.assertEqual(delivery.state, "pending")
        self.assertGreater(delivery.next_at, fields.Datetime.now())
        batch.action_deactivate()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1, "nothing is left behind")

    def test_the_sweeper_finds_what_nobody_holds_any_more(self):
        self.policy("on_demand")
        self.change("Rome")
        self.env["sync.dispatcher"]._cron_sweep()
        self.assertEqual(self.deliveries(self.subscription).state, "held")
        # By a transaction that began before the policy was taken out of force.
        with patch.object(type(self.env["sync.policy"]), "_time_anew"):
            self.env["sync.policy"].search(
                [("state", "=", "active")]
            ).action_deactivate()
        self.env["sync.dispatcher"]._cron_sweep()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)

    def test_a_policy_times_its_company_and_direction_alone(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.policy("on_demand", company_id=other.id)
        self.policy("on_demand", direction="in")
        self.change("Rome")
        self.partner.company_id = other
        self.subscription.company_id = False
        self.change("Bern")
        deliveries = self.deliveries(self.subscription)
        self.assertEqual(deliveries.mapped("state"), ["pending", "held"])

    def test_pings_and_tries_by_hand_do_not_wait(self):
        self.policy("on_demand")
        self.subscription.action_test_ping()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)

    def test_discarding_what_is_held(self):
        self.policy("on_demand")
        self.change("Rome")
        delivery = self.deliveries(self.subscription)
        delivery.action_retry()
        self.assertEqual(delivery.state, "held", "sent by “Send Now” alone")
        delivery.action_discard()
        self.assertEqual(delivery.state, "discarded")

    def test_a_batch_fits_into_the_promise(self):
        policy = self.policy("micro_batch", max_latency_s=900)
        self.assertEqual(policy.batch_interval_s, 450)
        draft = policy._new_version()
        draft.batch_interval_s = 900
        with self.assertRaisesRegex(Exception, "a batch alone takes"):
            draft.action_submit()
