# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from ..tools.keys import CAP
from .common import DedupCase

ODD_NAMES = (
    "x" * 10_000,
    "🎉🎉🎉",
    "‏شركة النور للتجارة‎",
    "株式会社トヨタ",
    "李明",
    "a\tb\\c\x1fd",
    "'; DROP TABLE res_partner; --",
    "\u202eevil",
    "0",
)


@tagged("post_install", "-at_install")
class TestBadInput(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = cls.env["sync.duplicate.engine"]

    def settle(self):
        self.env["sync.write.hook"]._dedup_settle()

    def test_odd_names_are_stored_compared_and_scanned(self):
        odd = self.partners(*ODD_NAMES, phone="ask Peter, not before 9")
        nameless = self.Partner.create({"type": "invoice", "parent_id": odd[0].id})
        self.settle()
        self.assertIsNotNone(self.engine._check(self.rule, (odd | nameless).ids))
        for name in (*ODD_NAMES, "", False, None):
            self.engine._candidates(
                self.rule, {"name": name, "phone": "🎉", "zip": name}
            )
        scan = self.env["sync.duplicate.scan"].create(
            {"rule_id": self.rule.id, "state": "running"}
        )
        while scan.state == "running":
            scan._advance()
        self.assertEqual(scan.state, "done")

    def test_the_same_name_in_another_script_is_found(self):
        self.partners("李明 贸易", email="li.ming@trade.example")
        self.settle()
        found = self.engine._candidates(
            self.rule, {"name": "李明 贸易", "email": "li.ming@trade.example"}
        )
        self.assertTrue(found)

    def test_parents_in_a_circle(self):
        a, b = self.partners("Circle Alpha GmbH", "Circle Alpha Gmbh")
        self.env.cr.execute(
            "UPDATE res_partner SET parent_id = %s WHERE id = %s", [b.id, a.id]
        )
        self.env.cr.execute(
            "UPDATE res_partner SET parent_id = %s WHERE id = %s", [a.id, b.id]
        )
        self.env.invalidate_all()
        self.env["sync.duplicate.key"]._refresh(self.rule, (a | b).ids)
        self.assertFalse(self.engine._check(self.rule, (a | b).ids), "known relatives")

    def test_archived_records_are_not_found_and_portal_users_are(self):
        user = new_test_user(self.env, "dedup_portal", groups="base.group_portal")
        user.partner_id.write(
            {"name": "Ludmilla Prchal", "email": "l.prchal@post.example"}
        )
        values = {"name": "Ludmilla Prchal", "email": "l.prchal@post.example"}
        self.settle()
        found = self.engine._candidates(self.rule, values)
        self.assertEqual([one.record_id for one in found], user.partner_id.ids)
        user.active = False
        user.partner_id.active = False
        self.settle()
        self.assertFalse(self.engine._candidates(self.rule, values))

    def test_a_record_deleted_meanwhile(self):
        a, b = self.partners("Kunigunde Obermoser", "Kunigunde Obermoser")
        self.settle()
        ids = (a | b).ids
        b.unlink()
        self.assertFalse(self.engine._check(self.rule, ids))

    def test_thousands_that_share_one_value(self):
        """One e-mail and phone of 100,000 records neither slow down a check nor make
        records alike."""
        self.env.cr.execute(
            """
            INSERT INTO sync_duplicate_key (rule_id, res_id, profile, keys, source)
            SELECT %s, 10000000 + n, profile, keys, 0
              FROM generate_series(1, 100000) AS n,
                   (SELECT profile, keys FROM sync_duplicate_key
                     WHERE res_id = %s AND rule_id = %s) AS one
            """,
            [self.rule.id, self._shared().id, self.rule.id],
        )
        Key, read = self.env.registry["sync.duplicate.key"], []
        sharing, profiles = Key._sharing, Key._profiles

        def counted_sharing(model, rule, keys):
            found = sharing(model, rule, keys)
            read.append((len(keys), len(found[0])))
            return found

        def counted_profiles(model, rule, record_ids):
            read.append(len(record_ids))
            return profiles(model, rule, record_ids)

        with (
            patch.object(Key, "_sharing", counted_sharing),
            patch.object(Key, "_profiles", counted_profiles),
        ):
            found = self.engine._candidates(
                self.rule,
                {
                    "name": "Zeta Werk",
                    "email": "info@none.example",
                    "phone": "0301234567",
                },
            )
        self.assertFalse(found)
        [(keys, shared), others] = read
        self.assertGreater(shared, CAP, "the thousands are met")
        self.assertLessEqual(shared, keys * (CAP + 1), "and hardly any of them read")
        self.assertEqual(others, 0, "nor compared")

    def _shared(self):
        shared = self.partners("", email="info@none.example", phone="0301234567")
        self.settle()
        return shared
