import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.sync_governance_base.tools.source import Channel

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestCapture(WebhookCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Ada", "city": "Paris"})
        self.commit()

    def test_one_event_a_transaction_with_first_and_last_values(self):
        self.partner.city = "Rome"
        self.env.flush_all()
        self.partner.city = "Oslo"
        self.partner.name = "Eve"
        events = self.events(self.partner)
        self.assertEqual(len(events), 1)
        self.assertEqual(
            events.changes, {"city": ["Paris", "Oslo"], "name": ["Ada", "Eve"]}
        )
        self.assertEqual(events.sequence, 1)
        self.assertEqual(
            json.loads(events.payload),
            {
                "name": "Eve",
                "address": {"city": "Oslo"},
                "country": None,
                "contacts": [],
            },
        )

    def test_a_savepoint_does_not_split_the_event(self):
        self.partner.city = "Rome"
        with self.env.cr.savepoint():
            self.partner.city = "Oslo"
        [event] = self.events(self.partner)
        self.assertEqual(event.changes, {"city": ["Paris", "Oslo"]})
        self.assertEqual(json.loads(event.payload)["address"]["city"], "Oslo")

    def test_a_rolled_back_savepoint_leaves_no_trace(self):
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.partner.city = "Rome"
            self.env.cr.flush()
            raise ZeroDivisionError
        self.assertFalse(self.events(self.partner))
        self.partner.city = "Oslo"
        self.assertEqual(self.events(self.partner).changes, {"city": ["Paris", "Oslo"]})

    def test_to_and_fro_is_no_event(self):
        self.partner.city = "Rome"
        self.env.flush_all()
        self.partner.city = "Paris"
        self.assertFalse(self.events(self.partner))

    def test_to_and_fro_across_savepoints_is_no_event(self):
        subscription = self.subscribe()
        with self.env.cr.savepoint():
            self.partner.city = "Rome"
        self.assertTrue(self.deliveries(subscription))
        self.partner.city = "Paris"
        self.assertFalse(self.events(self.partner))
        self.assertFalse(self.deliveries(subscription))

    def test_other_fields_are_no_event(self):
        self.partner.comment = "x"
        self.assertFalse(self.events(self.partner))

    def test_creation_is_no_update(self):
        partner = self.env["res.partner"].create({"name": "New"})
        partner.city = "Rome"
        self.assertFalse(self.events(partner))

    def test_sequence_counts_transactions(self):
        for city in ("A", "B", "C"):
            self.partner.city = city
            self.commit()
        self.assertEqual(self.events(self.partner).mapped("sequence"), [1, 2, 3])

    def test_create_archive_and_unlink(self):
        for operation in ("create", "archive", "unlink"):
            self.partner_updated.copy(
                {
                    "name": f"testpartner.{operation.rstrip('e')}ed",
                    "operation": operation,
                    "watched_field_ids": False,
                }
            )
        partner = self.env["res.partner"].create({"name": "Short life"})
        self.assertEqual(self.events(partner).mapped("name"), ["testpartner.created"])
        self.commit()
        partner.active = False
        self.commit()
        partner.unlink()
        self.assertEqual(
            self.events(partner).mapped("name"),
            ["testpartner.created", "testpartner.archived", "testpartner.unlinked"],
        )
        self.assertEqual(
            json.loads(self.events(partner)[-1].payload)["name"], "Short life"
        )

    def test_born_and_gone_in_one_transaction(self):
        self.partner_updated.copy(
            {"name": "testpartner.created", "operation": "create"}
        )
        partner = self.env["res.partner"].create({"name": "Mayfly"})
        partner.unlink()
        self.assertFalse(self.events(partner))

    def test_became(self):
        """Before and after filters tell of the moment only, at creation too."""
        became = self.partner_updated.copy(
            {
                "name": "testpartner.moved",
                "filter_before": "[('city', '!=', 'Rome')]",
                "filter_after": "[('city', '=', 'Rome')]",
            }
        )
        self.partner_updated.active = False
        for city, count in (("Oslo", 0), ("Rome", 1)):
            self.partner.city = city
            self.commit()
            self.assertEqual(len(self.events(self.partner, became.name)), count, city)
        self.partner.name = "Still in Rome"
        self.commit()
        self.assertEqual(len(self.events(self.partner)), 1)
        born_there = self.env["res.partner"].create({"name": "N", "city": "Rome"})
        self.assertEqual(len(self.events(born_there)), 1)

    def test_computed_stored_fields_are_seen(self):
        field = self.env["ir.model.fields"]._get("res.partner", "complete_name")
        self.partner_updated.watched_field_ids = field
        child = self.env["res.partner"].create(
            {"name": "Kid", "parent_id": self.partner.id, "type": "contact"}
        )
        self.commit()
        self.partner.name = "Countess"
        [event] = self.events(child)
        self.assertEqual(
            event.changes, {"complete_name": ["Ada, Kid", "Countess, Kid"]}
        )

    def test_source_survives_the_flush_and_stops_the_echo(self):
        own = self.subscribe()
        other_system = self.env["sync.system"].create(
            {"name": "WMS", "code": "testwms", "kind": "wms"}
        )
        other = self.subscribe(name="Other", system_id=other_system.id)
        source = self.system._as_source(request_ref="req_1", channel=Channel.INBOUND)
        self.partner.with_context(sync_source=source).write({"city": "Rome"})
        [event] = self.events(self.partner)
        self.assertEqual(event.source_system_id, self.system)
        self.assertEqual((event.request_ref, event.correlation_ref), ("req_1", "req_1"))
        self.assertFalse(self.deliveries(own))
        self.assertEqual(len(self.deliveries(other)), 1)

    def test_a_second_hand_makes_it_news_for_the_source(self):
        own = self.subscribe()
        source = self.system._as_source()
        self.partner.with_context(sync_source=source).write({"city": "Rome"})
        self.partner.name = "By a person"
        self.assertFalse(self.events(self.partner).source_system_id)
        self.assertEqual(len(self.deliveries(own)), 1)

    def test_merges_are_silent(self):
        from dataclasses import replace

        source = replace(self.env["sync.system"]._current_source(), merge_ref="mrg_1")
        self.partner.with_context(sync_source=source).write({"city": "Rome"})
        self.assertFalse(self.events(self.partner))

    def test_explicit(self):
        event_type = self.env["sync.event.type"].create(
            {"name": "testthing.happened", "operation": "explicit"}
        )
        emit = self.env["sync.event.type"]._emit
        self.assertFalse(emit("nothing.known", self.partner))
        self.assertEqual(emit("testthing.happened", self.partner, {"a": 1}), event_type)
        [event] = self.events(self.partner)
        self.assertEqual(event.payload, '{"a":1}')
        self.assertEqual(event.ordering_key, f"res.partner,{self.partner.id}")

    def test_content_filter_and_patterns(self):
        rome = self.subscribe(content_filter='[["address.city", "=", "Rome"]]')
        none = self.subscribe(name="None", patterns="order.*")
        self.partner.city = "Oslo"
        self.commit()
        self.assertFalse(self.deliveries(rome))
        self.partner.city = "Rome"
        self.commit()
        self.assertEqual(len(self.deliveries(rome)), 1)
        self.assertFalse(self.deliveries(none))

    def test_pause_keeps_or_skips(self):
        subscription = self.subscribe()
        subscription.action_pause()
        self.partner.city = "Rome"
        self.commit()
        self.assertEqual(len(self.deliveries(subscription)), 1)
        subscription.pause_mode = "skip"
        self.partner.city = "Oslo"
        self.commit()
        self.assertEqual(len(self.deliveries(subscription)), 1)

    def test_deactivated_types_tell_nothing(self):
        self.partner_updated.active = False
        self.partner.city = "Rome"
        self.assertFalse(self.events(self.partner))

    def test_other_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        subscription = self.subscribe(company_id=other.id)
        self.partner.company_id = self.env.company
        self.partner.city = "Rome"
        self.commit()
        self.assertFalse(self.deliveries(subscription))
        self.partner.company_id = False
        self.partner.city = "Oslo"
        self.commit()
        self.assertEqual(len(self.deliveries(subscription)), 1)

    def test_sample_masks_private_values_and_saves_nothing(self):
        self.partner_updated.masked_paths = "address.city"
        self.partner_updated.sample_res_id = self.partner.id
        sample = json.loads(self.partner_updated.sample_payload)
        self.assertEqual(sample["address"], {"city": "***"})
        self.assertEqual(sample["name"], "Ada")
        self.assertFalse(self.events(self.partner))

    def test_bad_catalogue_entries(self):
        for values in (
            {"name": "order.confirm"},
            {"filter_after": "[('nope', '=', 1)]"},
            {"filter_before": "not a domain"},
            {"watched_field_ids": False},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.partner_updated.copy({"name": "x.made", **values})
        with self.assertRaises(ValidationError):
            self.partner_updated.payload_line_ids[0].path = "no_such_field"
