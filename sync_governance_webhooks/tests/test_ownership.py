from odoo.tests import new_test_user, tagged

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestOwnership(WebhookCase):
    """What the ownership matrix and a record's status say about events."""

    def _consumers(self):
        user = new_test_user(
            self.env, "matrix.reader", groups="sync_governance_base.group_sync_viewer"
        )
        matrix = self.env["sync.ownership.matrix"].with_user(user)
        return matrix._consumers(["res.partner"])

    def test_a_subscription_makes_its_system_a_consumer(self):
        subscription = self.subscribe()
        consumers = self._consumers()
        for name in ("name", "city", "country_id", "child_ids"):
            self.assertEqual(consumers["res.partner", name], {self.system.id}, name)
        self.assertNotIn(("res.partner", "phone"), consumers)
        subscription.action_pause()
        self.env["res.users"].search([("login", "=", "matrix.reader")]).unlink()
        self.assertFalse(self._consumers())

    def test_a_system_that_reads_little_consumes_little(self):
        self.subscribe(fields_used="address.city")
        consumers = self._consumers()
        self.assertIn(("res.partner", "city"), consumers)
        self.assertNotIn(("res.partner", "country_id"), consumers)

    def test_the_status_of_a_record_shows_its_latest_events(self):
        self.subscribe()
        partner = self.env["res.partner"].create({"name": "Ada"})
        self.commit()
        partner.city = "Paris"
        self.env.flush_all()
        event = self.events(partner)
        self.assertTrue(event)
        action = self.env["sync.record.status"]._open(partner)
        status = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(status.event_ids, event)
