from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestDryRun(OwnershipCase):
    def _figures(self, policy):
        """Field, writer, count and outcome of each row of the Impact tab."""
        self.env.cr.precommit.run()
        return [(row[0], row[1], row[3], row[4]) for row in policy._impact_rows()]

    def _samples(self):
        self.env.cr.precommit.run()
        return self.env["sync.write.sample"].search([], order="id")

    def _draft(self, record=True, **values):
        values = {"enforcement": "block", **values}
        draft = self._policy(
            {"phone": self.finance, "city": self.shop}, activate=False, **values
        )
        if record:
            draft.with_user(self.manager).action_record_writes()
        return draft

    def test_draft_on_a_model_that_nobody_governs(self):
        draft = self._draft()
        self.partner.with_user(self.user).write(
            {"phone": "2", "city": "Paris", "ref": "x"}
        )
        self._as(self.finance).phone = "3"
        self._as(self.shop).city = "Bonn"
        self.partner.sudo().city = "Rome"
        user, root = self.user.name, self.env.user.name
        self.assertEqual(
            self._figures(draft),
            [
                ("Phone", user, 1, "Blocked"),
                ("City", f"{root} (superuser)", 1, "Observed"),
                ("City", "Shop", 1, "Allowed"),
                ("Phone", "Finance", 1, "Allowed"),
            ],
        )
        self.assertIn("Of 4 changes, 1 by 1 writers", draft.impact)
        self.assertEqual(self.partner.phone, "3", "nothing was stopped for real")

    def test_names_are_recorded_and_no_values(self):
        self._draft()
        self.partner.with_user(self.user).write({"phone": "0815-secret", "ref": "A-1"})
        sample = self._samples()
        self.assertEqual(sample.field_names, ["phone"], "ref has not changed")
        self.assertEqual(sample.changed_fields, "Phone")
        self.assertNotIn("0815", str(sample.read()))

    def test_models_nobody_asked_for_are_not_touched(self):
        countries = self.env.registry["res.country"]
        before = countries.write
        self._draft()
        self.assertIs(countries.write, before)
        self.env["res.country"].search([], limit=1).name = "Elbonia"
        self.assertFalse(self._samples())

    def test_recording_stops_by_hand_and_by_itself(self):
        draft = self._draft()
        draft.with_user(self.manager).action_stop_recording()
        self.partner.phone = "2"
        self.assertFalse(self._samples())
        draft.with_user(self.manager).action_record_writes()
        draft.sudo().sampling_until = fields.Datetime.now() - timedelta(seconds=1)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        self.partner.phone = "3"
        self.assertFalse(self._samples())

    def test_who_may_ask_for_it(self):
        draft = self._draft(record=False)
        for user in (self.user, self.viewer, self.steward):
            with self.assertRaises(AccessError):
                draft.with_user(user).action_record_writes()
        with self.assertRaises(AccessError):
            draft.with_user(self.manager).sampling_until = "2999-01-01 00:00:00"
        draft.sudo().state = "superseded"
        with self.assertRaisesRegex(UserError, "superseded"):
            draft.with_user(self.manager).action_record_writes()

    def test_refused_writes_come_from_the_counts(self):
        active = self._policy({"phone": self.finance}, enforcement="propose")
        draft = active._new_version()
        draft.enforcement = "block"
        draft.action_record_writes()
        self.partner.with_user(self.user).phone = "2"  # proposed, not written
        self._as(self.finance).phone = "3"
        self.assertEqual(
            self._figures(draft),
            [
                ("Phone", self.user.name, 1, "Blocked"),
                ("Phone", "Finance", 1, "Allowed"),
            ],
        )

    def test_freshness_counts_from_recorded_writes(self):
        draft = self._policy(
            {"phone": [self.finance, self.shop]}, activate=False, enforcement="block"
        )
        draft.line_ids.freshness_hours = 24
        draft.action_record_writes()
        for system, hours in ((self.finance, 50), (self.shop, 40), (self.shop, 20)):
            self._as(system).phone = f"{system.code}-{hours}"
            sample = self._samples()[-1:]
            when = fields.Datetime.now() - timedelta(hours=hours)
            self.env.cr.execute(
                "UPDATE sync_write_sample SET written_at = %s WHERE id = %s",
                [when, sample.id],
            )
            self.env.invalidate_all()
        self.assertEqual(
            self._figures(draft),
            [
                ("Phone", "Shop", 1, "Blocked"),
                ("Phone", "Finance", 1, "Allowed"),
                ("Phone", "Shop", 1, "Allowed"),
            ],
        )

    def test_large_writes_are_sampled_and_weighed(self):
        draft = self._draft()
        partners = self.env["res.partner"].create(
            [{"name": f"P{number}"} for number in range(250)]
        )
        partners.with_user(self.user).write({"city": "Bonn"})
        samples = self._samples()
        created = samples.filtered(lambda one: one.field_names == ["(create)"])
        self.assertEqual((len(created), created.weight), (1, 250))
        self.assertEqual(len(samples - created), 100)
        self.assertEqual(sum((samples - created).mapped("weight")), 250)
        self.assertIn(("City", self.user.name, 250, "Blocked"), self._figures(draft))

    def test_creations_and_deletions(self):
        draft = self._draft(on_create="refuse", on_delete="refuse")
        partners = self.env["res.partner"].with_user(self.user)
        partners.create([{"name": "A"}, {"name": "B"}]).unlink()
        self.assertEqual(
            self._figures(draft),
            [
                ("Creation", self.user.name, 2, "Blocked"),
                ("Deletion", self.user.name, 2, "Blocked"),
            ],
        )

    def test_a_companys_draft_is_tried_on_its_records(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.manager.company_ids += company
        draft = self._draft(company_id=company.id)
        theirs = self.env["res.partner"].create({"name": "T", "company_id": company.id})
        for partner in theirs | self.partner:
            partner.phone = "2"
        rows = self._figures(draft)
        self.assertEqual([(row[0], row[2]) for row in rows], [("Phone", 1)])

    def test_old_and_surplus_rows_are_dropped(self):
        self._draft()
        self.partner.phone = "2"
        self.partner.phone = "3"
        first, second = self._samples()
        self.env.cr.execute(
            "UPDATE sync_write_sample SET written_at = now() - interval '15 days'"
            " WHERE id = %s",
            [first.id],
        )
        self.env["sync.write.sample"]._gc_samples()
        self.assertEqual(self._samples(), second)
        self.patch(self.env.registry["sync.write.sample"], "_max_rows", 0)
        self.env["sync.write.sample"]._gc_samples()
        self.assertFalse(self._samples())

    def test_rows_are_not_editable(self):
        self._draft()
        self.partner.phone = "2"
        sample = self._samples()
        for user in (self.manager, self.steward, self.viewer):
            with self.assertRaises(AccessError):
                sample.with_user(user).write({"weight": 0})
            with self.assertRaises(AccessError):
                sample.with_user(user).unlink()


@tagged("post_install", "-at_install")
class TestTiming(OwnershipCase):
    def test_scheduled_needs_a_schedule_before_it_is_submitted(self):
        policy = self._policy({"phone": self.finance}, activate=False)
        policy.timing = "scheduled"
        with self.assertRaisesRegex(UserError, "say on which"):
            policy.action_submit()
        policy.calendar_id = self.env.company.resource_calendar_id
        policy.action_submit()

    def test_promise_and_measure_stand_side_by_side(self):
        policy = self._policy({"phone": self.finance}, max_latency_s=300)
        self.assertEqual(policy.latency_verdict, "unknown")
        policies = self.env.registry["sync.policy"]
        for seconds, verdict in ((4.0, "ample"), (120.0, "kept"), (301.0, "broken")):
            self.patch(
                policies, "_measured_latency", lambda self, s=seconds: {policy.id: s}
            )
            policy.invalidate_recordset()
            self.assertEqual(policy.measured_latency_s, seconds)
            self.assertEqual(policy.latency_verdict, verdict)
