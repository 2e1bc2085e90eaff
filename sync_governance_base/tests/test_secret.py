import os
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from ..models.sync_secret import KEY_VARIABLE
from ..tools.vault import generate_key


@tagged("post_install", "-at_install")
class TestSecret(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = generate_key()
        cls.startClassPatcher(patch.dict(os.environ, {KEY_VARIABLE: cls.key}))
        cls.partner = cls.env["res.partner"].create({"name": "Owner"})
        cls.officer = new_test_user(
            cls.env,
            "secret.officer",
            groups="sync_governance_base.group_sync_security_officer,base.group_allow_export",
        )
        cls.manager = new_test_user(
            cls.env,
            "secret.manager",
            groups="sync_governance_base.group_sync_integration_manager",
        )

    def _store(self, text="s3cret"):
        return self.env["sync.secret"]._store(
            text, "Signing key", "signing", record=self.partner
        )

    def test_round_trip(self):
        secret = self._store()
        self.assertEqual(secret._reveal(), "s3cret")
        self.assertEqual(
            (secret.res_model, secret.res_id), ("res.partner", self.partner.id)
        )
        self.assertEqual(len(secret.fingerprint), 16)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(s)::text FROM sync_secret s WHERE id = %s", [secret.id]
        )
        self.assertNotIn("s3cret", self.env.cr.fetchone()[0])

    def test_nobody_reads_it(self):
        secret = self._store()
        mine = secret.with_user(self.officer)
        values = mine.read()[0]
        self.assertNotIn("ciphertext", values)
        self.assertFalse(values["plaintext"])
        for leak in (
            lambda: mine.read(["ciphertext"]),
            lambda: mine.export_data(["ciphertext"]),
            lambda: mine.search([("ciphertext", "like", "g")]),
            lambda: secret.with_user(self.manager).read(["name"]),
        ):
            with self.assertRaises(AccessError):
                leak()
        self.assertFalse(mine.copy().sudo().ciphertext)

    def test_officer_writes_it_in_the_form_and_sees_the_fingerprint_alone(self):
        with Form(self.env["sync.secret"].with_user(self.officer)) as form:
            form.name = "WMS password"
            form.purpose = "login"
            form.plaintext = "hunter2"
        secret = form.record
        self.assertFalse(secret.plaintext)
        self.assertTrue(secret.fingerprint)
        self.assertEqual(secret.sudo()._reveal(), "hunter2")
        entry = self.env["sync.audit"].search(
            [("res_model", "=", "sync.secret")], limit=1
        )
        self.assertEqual((entry.action, entry.res_id), ("secret.stored", secret.id))
        self.assertNotIn("hunter2", f"{entry.before}{entry.after}{entry.reason}")

    def test_nobody_gives_a_secret_to_somebody_else(self):
        secret = self._store().with_user(self.officer)
        for values in (
            {"res_model": "res.users", "res_id": self.officer.id},
            {"state": "revoked"},
            {"fingerprint": "of another one"},
        ):
            with self.assertRaises(AccessError):
                secret.write(values)
        secret.write({"name": "Key of 2026"})

    def test_rotation_overlaps_and_a_second_one_is_refused(self):
        old = self._store("old")
        new = old._rotate("new")
        self.assertEqual((old.state, new.state), ("overlapping", "active"))
        self.assertEqual((old._reveal(), new._reveal()), ("old", "new"))
        self.assertEqual((old | new)._usable(), new | old)
        with self.assertRaisesRegex(UserError, "still valid"):
            new._rotate("third")
        old._revoke("Leaked")
        with self.assertRaises(UserError):
            old._reveal()
        self.assertFalse(old.ciphertext)
        self.assertEqual(new._rotate("third")._reveal(), "third")

    def test_an_overlap_ends_by_time(self):
        old = self._store("old")
        old._rotate("new", overlap=timedelta(hours=1))
        old.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        with self.assertRaises(UserError):
            old._reveal()
        self.env["sync.secret"]._wipe_expired()
        self.assertEqual((old.state, old.ciphertext), ("revoked", False))

    def test_no_key_is_one_clear_sentence(self):
        secret = self._store()
        with (
            patch.dict(os.environ, {KEY_VARIABLE: ""}),
            patch.object(
                type(self.env["sync.secret"]), "_configured_keys", lambda self: []
            ),
        ):
            with self.assertRaisesRegex(UserError, KEY_VARIABLE):
                self._store()
            with self.assertRaisesRegex(UserError, KEY_VARIABLE):
                secret._reveal()

    def test_malformed_key_is_not_shown(self):
        with patch.dict(os.environ, {KEY_VARIABLE: "my-own-password"}):
            with self.assertRaisesRegex(UserError, "malformed") as error:
                self._store()
        self.assertNotIn("my-own-password", str(error.exception))

    def test_key_rotation(self):
        secret = self._store("text")
        new_key = generate_key()
        with patch.dict(os.environ, {KEY_VARIABLE: f"{new_key},{self.key}"}):
            self.assertEqual(secret._reveal(), "text")
            self.env["sync.secret"].with_user(self.officer).action_reencrypt()
        with patch.dict(os.environ, {KEY_VARIABLE: new_key}):
            self.assertEqual(secret._reveal(), "text")
        with self.assertRaisesRegex(UserError, "not configured any more"):
            secret._reveal()
        with self.assertRaises(AccessError):
            self.env["sync.secret"].with_user(self.manager).action_reencrypt()

    def test_key_from_the_configuration_file(self):
        key = generate_key()
        with (
            patch.dict(os.environ, {KEY_VARIABLE: ""}),
            patch(
                "odoo.addons.sync_governance_base.configuration.configparser.RawConfigParser.get",
                return_value=key,
            ),
        ):
            self.assertEqual(self.env["sync.secret"]._configured_keys(), [key])

    def test_a_neutralized_copy_keeps_no_secret(self):
        secret = self._store()
        self.env.flush_all()
        for query in get_neutralization_queries(["sync_governance_base"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertEqual((secret.state, secret.ciphertext), ("revoked", False))
