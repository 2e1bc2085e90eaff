# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError, UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

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

    def test_creators_of_the_same_customer_at_once(self):
        """Neither sees the other before the commit; the jobs after it do, also when
        they run at the same moment."""
        twin = {"name": "Quillfeather Parallel", "email": "p@quillfeather.example"}
        with self.transaction() as one, self.transaction() as other:
            first = one["res.partner"].create(dict(twin)).id
            door = other["sync.duplicate.door"]
            self.assertEqual(door._matches("res.partner", dict(twin)), [])
            second = other["res.partner"].create(dict(twin)).id
        self.partner_ids += [first, second]
        rule_id = self.env.ref("sync_governance_dedup.sync_duplicate_rule_partner").id

        def check(env, record_id):
            rule = env["sync.duplicate.rule"].browse(rule_id)
            rule._check_changed([record_id])
            return rule

        def check_beside():
            with self.transaction() as env:
                check(env, second)

        with ThreadPoolExecutor(1) as pool:
            with self.transaction() as env:
                check(env, first)
                beside = pool.submit(check_beside)  # waits for this one's commit
                self.assertRaises(FutureTimeout, beside.result, timeout=1)
            # queue_job runs it again
            self.assertIsInstance(beside.exception(timeout=30), RetryableJobError)
        check_beside()
        with self.transaction() as env:
            members = env["sync.duplicate.member"].search(
                [("record_id", "in", [first, second]), ("is_open", "=", True)]
            )
            self.assertEqual(set(members.mapped("record_id")), {first, second})
            self.assertEqual(len(members.group_id), 1)
            members.group_id.unlink()

    def test_a_merge_does_not_wait_for_who_changes_the_customer(self):
        with self.transaction() as one, self.transaction() as other:
            one["res.partner"].browse(self.partner_ids[0]).phone = "+49 30 1"
            one.flush_all()
            with (
                self.as_steward(other),
                mute_logger("odoo.sql_db"),
                self.assertRaises(LockError),
            ):
                self.group(other).action_merge()
            other.cr.rollback()
            self.assertTrue(self.group(other)._is_open())

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
