# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from contextlib import contextmanager

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..tools.types import Group, PairScore


@tagged("post_install", "-at_install")
class TestConcurrency(TransactionCase):
    """Transactions that really run beside each other, on connections of their own."""

    @contextmanager
    def transaction(self):
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            partners = env["res.partner"].create(
                [{"name": "Race A"}, {"name": "Race B"}]
            )
            rule = env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
            pair = PairScore(partners[0].id, partners[1].id, 0.9, 3.0)
            found = Group(tuple(partners.ids), 0.9, (pair,))
            self.group_id = env["sync.duplicate.group"]._suggest(rule, [found]).id
            self.partner_ids = partners.ids
        self.addCleanup(self.remove)

    def remove(self):
        with self.transaction() as env:
            env["sync.duplicate.verdict"].search(
                [("left_id", "in", self.partner_ids)]
            ).unlink()
            env["sync.duplicate.group"].browse(self.group_id).exists().unlink()
            journals = env["sync.merge.journal"].search(
                [("survivor_id", "in", self.partner_ids)]
            )
            journals.unlink()
            env["res.partner"].browse(self.partner_ids).exists().unlink()

    def group(self, env):
        return env["sync.duplicate.group"].browse(self.group_id)

    def test_two_stewards_at_once(self):
        with self.transaction() as one, self.transaction() as other:
            with self.as_steward(one), self.as_steward(other):
                self.group(one).action_not_duplicate()
                with self.assertRaisesRegex(UserError, "Somebody else decides"):
                    self.group(other).action_merge()
                one.cr.commit()
                other.cr.rollback()
                with self.assertRaisesRegex(UserError, "already decided"):
                    self.group(other).action_merge()
                self.assertEqual(
                    len(other["res.partner"].browse(self.partner_ids).exists()), 2
                )

    def test_partner_changed_while_the_steward_looked(self):
        with self.transaction() as one, self.as_steward(one):
            shown = one["sync.duplicate.workbench"].get_group(self.group_id)
            seen = {
                member["record_id"]: member["fingerprint"]
                for member in shown["members"]
            }
            one.cr.rollback()
            with self.transaction() as other:
                other["res.partner"].browse(
                    self.partner_ids[1]
                ).email = "late@example.com"
            with self.assertRaisesRegex(UserError, "changed after"):
                self.group(one).action_merge(seen=seen)

    def test_partner_deleted_under_the_merge(self):
        with self.transaction() as one, self.as_steward(one):
            self.group(one).read(["state"])  # the snapshot is taken here
            with self.transaction() as other:
                other["res.partner"].browse(self.partner_ids[1]).unlink()
            # Odoo runs the request again after a serialization failure
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.SerializationFailure),
            ):
                self.group(one).action_merge()
            one.cr.rollback()
            self.assertFalse(self.group(one).exists(), "one record alone is no group")

    @contextmanager
    def as_steward(self, env):
        """The superuser is no member of any group: let it pass as a steward."""
        group = env.ref("sync_governance_base.group_sync_steward")
        user_class = type(env["res.users"])
        original = user_class.has_group
        self.patch(
            user_class,
            "has_group",
            lambda user, name: name == group.get_external_id()[group.id]
            or original(user, name),
        )
        yield
