import json
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import WebhookCase

BASE = "sync_governance_base.group_sync_"
PASSWORD = "correct-horse-battery"


@tagged("post_install", "-at_install")
class TestAuthentication(WebhookCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            "auth_manager",
            groups=f"base.group_user,base.group_allow_export,{BASE}integration_manager",
        )
        cls.partner = cls.env["res.partner"].create({"name": "Ada", "city": "Paris"})

    def send(self, **values):
        subscription = self.subscribe(**values)
        self.partner.city = f"Rome {subscription.id}"
        self.dispatch()
        return subscription

    def test_basic(self):
        subscription = self.send(
            auth_kind="basic", auth_user="ada", auth_secret=PASSWORD
        )
        [(headers, _body)] = self.receiver.messages
        self.assertEqual(
            headers["authorization"], "Basic YWRhOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="
        )
        [attempt] = self.deliveries(subscription).attempt_ids
        self.assertIn("authorization: ***", attempt.request_headers)

    def test_oauth2_against_the_same_receiver(self):
        token = {"access_token": "tok-1", "expires_in": 3600}
        self.receiver.answers.append((200, {}, json.dumps(token).encode()))
        subscription = self.send(
            auth_kind="oauth2",
            auth_user="erp",
            auth_secret=PASSWORD,
            auth_token_url=self.receiver.url + "/token",
        )
        self.assertEqual(self.deliveries(subscription).state, "delivered")
        (_headers, form), (headers, _body) = self.receiver.messages
        self.assertEqual(form, b"grant_type=client_credentials")
        self.assertEqual(headers["authorization"], "Bearer tok-1")

    def test_written_and_never_read(self):
        manager = self.manager
        subscription = self.subscribe().with_user(manager)
        certificate = self.client_certificate()
        subscription.write(
            {
                "auth_kind": "bearer",
                "auth_secret": PASSWORD,
                "client_certificate": certificate,
            }
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(subscription.has_auth_secret)
        self.assertEqual(subscription.certificate_subject, "CN=erp")
        self.assertFalse(subscription.auth_secret)
        self.assertFalse(subscription.client_certificate)
        [seen] = subscription.read()
        exported = subscription.export_data(["name", "auth_secret"])
        audit = self.env["sync.audit"].sudo().search([]).read()
        chatter = subscription.message_ids.mapped("body")
        tracked = subscription.sudo().message_ids.tracking_value_ids.read()
        copied = subscription.sudo().copy()
        self.assertFalse(copied.has_auth_secret)
        for text in map(str, (seen, exported, audit, chatter, tracked)):
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn("PRIVATE KEY", text)
        self.env.cr.execute(
            "SELECT ciphertext FROM sync_secret WHERE res_id = %s", [subscription.id]
        )
        self.assertNotIn(PASSWORD, str(self.env.cr.fetchall()))
        with self.assertRaises(AccessError):
            self.env["sync.secret"].with_user(manager).search([])
        for method in ("_password", "_tls_settings", "_secrets"):
            self.assertTrue(method.startswith("_"), "RPC cannot call it")

    def test_others_may_not_set_one(self):
        subscription = self.subscribe()
        viewer = new_test_user(self.env, "auth_viewer", groups=f"{BASE}operator")
        with self.assertRaises(AccessError):
            subscription.with_user(viewer).auth_secret = PASSWORD
        with self.assertRaises(AccessError):
            subscription.with_user(viewer).action_remove_certificate()

    def test_a_new_password_takes_the_place_of_the_old(self):
        subscription = self.subscribe(auth_kind="bearer", auth_secret="first-token")
        subscription.auth_secret = "second-token"
        # an empty field in the form changes nothing
        subscription.write({"auth_secret": False})
        self.partner.city = "Oslo"
        self.dispatch()
        [(headers, _body)] = self.receiver.messages
        self.assertEqual(headers["authorization"], "Bearer second-token")
        self.assertEqual(len(subscription._secrets("receiver authentication")), 1)

    def test_certificates_are_checked_and_removed(self):
        good = self.client_certificate()
        other = self.client_certificate()
        key = good[good.index("-----BEGIN PRIVATE") :]
        mixed = other[: other.index("-----BEGIN PRIVATE")] + key
        subscription = self.subscribe()
        for pem in ("nonsense", good[: good.index("-----BEGIN PRIVATE")], key, mixed):
            with self.assertRaises(ValidationError) as caught:
                subscription.client_certificate = pem
            self.assertNotIn("BEGIN", str(caught.exception))
        subscription.client_certificate = good
        self.assertEqual(subscription._tls_settings().certificate, good)
        subscription.action_remove_certificate()
        self.assertFalse(subscription.certificate_subject)
        self.assertEqual(subscription._tls_settings().certificate, "")
        with self.assertRaises(ValidationError):
            subscription.trusted_authorities = "nonsense"

    def test_nothing_is_sent_half_configured(self):
        for values in (
            {"auth_kind": "basic"},
            {"auth_kind": "basic", "auth_user": "a:b"},
            {"auth_kind": "oauth2", "auth_user": "erp"},
            {"auth_kind": "oauth2", "auth_user": "erp", "auth_token_url": "file:///x"},
            {"auth_kind": "header", "auth_header": "host"},
            {"auth_kind": "header", "auth_header": "x\r\ny"},
            {"auth_kind": "bearer", "auth_secret": "two\nlines"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.subscribe(**values)
        with self.assertRaisesRegex(UserError, "no password"):
            self.subscribe(auth_kind="bearer")

    @mute_logger("odoo.addons.sync_governance_webhooks.dispatcher.slice")
    def test_a_lost_password_holds_the_subscription_and_burns_nothing(self):
        subscription = self.subscribe(auth_kind="bearer", auth_secret=PASSWORD)
        subscription._secrets("receiver authentication")._revoke("lost")
        self.partner.city = "Oslo"
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        [delivery] = self.deliveries(subscription)
        self.assertEqual((delivery.state, delivery.attempt_count), ("pending", 0))

    @mute_logger("odoo.addons.sync_governance_webhooks.dispatcher.slice")
    def test_without_a_signing_secret_nothing_dies(self):
        subscription = self.subscribe()
        subscription._secrets("webhook signing")._revoke("leaked")
        self.partner.city = "Oslo"
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.assertEqual((delivery.state, delivery.attempt_count), ("pending", 0))

    def test_deleting_a_subscription_ends_its_secrets(self):
        subscription = self.subscribe(auth_kind="bearer", auth_secret=PASSWORD)
        secrets = subscription._secrets("receiver authentication")
        secrets |= subscription._secrets("webhook signing")
        self.assertEqual(len(secrets), 2)
        subscription.action_disable()
        subscription.unlink()
        self.assertEqual(set(secrets.mapped("state")), {"revoked"})
        self.assertFalse(any(secrets.mapped("ciphertext")))

    def test_the_form(self):
        form = Form(self.env["sync.subscription"].with_user(self.manager))
        form.name, form.url = "By form", self.receiver.url
        form.auth_kind = "header"
        form.auth_secret = PASSWORD
        subscription = form.save()
        self.assertTrue(subscription.has_auth_secret)
        self.assertEqual(subscription.auth_header, "X-API-Key")

    def test_secrets_stay_with_their_host(self):
        subscription = self.subscribe(
            auth_kind="bearer",
            auth_secret=PASSWORD,
            client_certificate=self.client_certificate(),
        ).with_user(self.manager)
        subscription.url = self.receiver.url + "/elsewhere"
        self.assertTrue(subscription.has_auth_secret, "the same host")
        subscription.write({"url": "https://new.example/", "auth_secret": "theirs"})
        self.assertEqual(subscription.sudo()._password(), "theirs")
        self.assertFalse(subscription.certificate_subject, "not given anew")
        self.assertEqual(subscription.sudo()._tls_settings().certificate, "")
        for values in (
            {"url": "https://new.example:444/"},
            {"url": "http://new.example:444/"},
            {"auth_token_url": "https://sts.example/"},
        ):
            subscription.auth_secret = PASSWORD
            with self.subTest(values):
                subscription.write(values)
                self.assertFalse(subscription.has_auth_secret)
                self.assertTrue(subscription.has_secret, "signing keys tell nothing")
                self.assertIn("another host", subscription.message_ids[0].body)

    def test_people_hear_of_a_certificate_before_it_expires(self):
        subscription = self.subscribe(
            client_certificate=self.client_certificate(days=60)
        )
        issues = self.env["sync.issue"]
        domain = [
            ("fingerprint", "=", f"certificate.sync.subscription.{subscription.id}")
        ]
        review = self.env["sync.authentication.mixin"]._cron_certificates
        start = fields.Datetime.now()
        told = []
        for days in (0, 31, 40, 54, 58, 61):
            with freeze_time(start + timedelta(days=days)):
                review()
                subscription.invalidate_recordset()
                issue = issues.search(domain)
                told.append(
                    (
                        subscription.certificate_state,
                        issue.severity,
                        issue.occurrences,
                    )
                )
        self.assertEqual(
            told,
            [
                ("valid", False, 0),
                ("expiring", "warning", 1),
                ("expiring", "warning", 1),
                ("expiring", "error", 2),
                ("expiring", "error", 2),
                ("expired", "error", 3),
            ],
        )
        self.assertIn("expired on", issue.title)
        self.assertEqual(issue.res_id, subscription.id)
        subscription.client_certificate = self.client_certificate(days=400)
        self.assertEqual(issue.state, "resolved")
        self.assertEqual(subscription.certificate_state, "valid")

    def test_a_chain_ends_with_its_first_link(self):
        own = self.client_certificate(days=400)
        key = own.index("-----BEGIN PRIVATE")
        link = self.client_certificate(days=20)
        link = link[: link.index("-----BEGIN PRIVATE")]
        subscription = self.subscribe(client_certificate=own[:key] + link + own[key:])
        self.assertEqual(subscription.certificate_state, "expiring")

    def test_a_certificate_for_tests_alarms_nobody(self):
        subscription = self.subscribe(
            environment="test", client_certificate=self.client_certificate(days=3)
        )
        self.env["sync.authentication.mixin"]._cron_certificates()
        fingerprint = f"certificate.sync.subscription.{subscription.id}"
        self.assertFalse(
            self.env["sync.issue"].search([("fingerprint", "=", fingerprint)])
        )

    def client_certificate(self, days=5000):
        """A self-signed certificate and its key, as PEM text.

        :param days: it is valid from now on
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "erp")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2020, 1, 1))
            .not_valid_after(datetime.now() + timedelta(days=days))
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return (certificate.public_bytes(pem) + private).decode()
