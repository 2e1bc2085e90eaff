# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestBand(DedupCase):
    def band(self):
        return self.env["sync.merge.band"].with_user(self.steward).create({})

    def test_preview_holds_only_what_is_safe(self):
        safe = self.group_of(self.partners("Safe A", "Safe B"), 0.9999)
        doubtful = self.group_of(self.partners("Doubt A", "Doubt B"), 0.98)
        linked = self.partners("Linked A", "Linked B")
        for number, record in enumerate(linked):
            self.env["sync.crosswalk"]._link(self.shop, record, f"band-{number}")
        risky = self.group_of(linked, 0.9999)
        groups = self.band().line_ids.group_id
        self.assertIn(safe, groups)
        self.assertFalse((doubtful | risky) & groups)

    def test_only_the_approved_are_merged(self):
        one = self.group_of(self.partners("One A", "One B"), 0.9999)
        other = self.group_of(self.partners("Other A", "Other B"), 0.9999)
        band = self.band()
        band.line_ids.filtered(lambda line: line.group_id != one).approved = False
        band.action_merge()
        self.assertEqual((one.state, other.state), ("merged", "suggested"))
        band.line_ids.approved = False
        with self.assertRaisesRegex(UserError, "at least one"):
            band.action_merge()

    def test_a_viewer_approves_nothing(self):
        viewer = new_test_user(
            self.env,
            login="band_viewer",
            groups="base.group_user,sync_governance_base.group_sync_viewer",
        )
        with self.assertRaises(AccessError):
            self.env["sync.merge.band"].with_user(viewer).create({})

    def test_what_is_no_longer_safe_is_left_to_look_at(self):
        records = self.partners("Late A", "Late B")
        group = self.group_of(records, 0.9999)
        band = self.band()
        self.assertIn(group, band.line_ids.group_id)
        for number, record in enumerate(records):
            self.env["sync.crosswalk"]._link(self.shop, record, f"late-{number}")
        band.action_merge()
        self.assertEqual(group.state, "suggested")
