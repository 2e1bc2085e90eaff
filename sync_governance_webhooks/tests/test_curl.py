import os
import subprocess

import standardwebhooks

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestCurl(WebhookCase):
    """What "As curl" shows is pasted into a shell, and the receiver accepts it."""

    def setUp(self):
        super().setUp()
        # quotes, a line end and a dollar: the shell must leave them alone
        self.partner = self.env["res.partner"].create({"name": "Ada"})
        self.commit()

    def deliver(self, **values):
        subscription = self.subscribe(**values)
        self.partner.write({"name": 'O\'Neil "$HOME"\n`id`', "city": "Köln"})
        self.commit()
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.receiver.messages.clear()
        return delivery

    def run_curl(self, command, **variables):
        done = subprocess.run(
            ["bash", "-c", command],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            timeout=30,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        [message] = self.receiver.messages
        return message

    def test_it_runs_and_is_accepted(self):
        delivery = self.deliver(custom_headers="X-Tenant: it's us")
        headers, body = self.run_curl(delivery.curl_command)
        self.assertEqual(body.decode(), delivery.body)
        self.assertEqual(headers["webhook-id"], delivery.ref)
        self.assertEqual(headers["x-tenant"], "it's us")
        self.assertEqual(headers["content-type"], "application/json")
        message = standardwebhooks.Webhook(self.secret).verify(body, headers)
        self.assertEqual(message["data"]["name"], 'O\'Neil "$HOME"\n`id`')

    def test_before_the_first_attempt(self):
        self.receiver.answers.append((503, {}, b""))
        subscription = self.subscribe(retry_schedule="600")
        self.partner.city = "Rome"
        self.commit()
        headers, body = self.run_curl(self.deliveries(subscription).curl_command)
        standardwebhooks.Webhook(self.secret).verify(body, headers)

    def test_secrets_are_left_to_the_shell(self):
        delivery = self.deliver(
            auth_kind="basic", auth_user="it's", auth_secret="pass-word"
        )
        self.assertNotIn("pass-word", delivery.curl_command)
        self.assertNotIn(self.secret, delivery.curl_command)
        headers, _body = self.run_curl(delivery.curl_command, PASSWORD="pass-word")
        self.assertEqual(headers["authorization"], "Basic aXQnczpwYXNzLXdvcmQ=")

    def test_tokens_and_keys(self):
        delivery = self.deliver(auth_kind="bearer", auth_secret="tok")
        headers, _body = self.run_curl(delivery.curl_command, TOKEN="tok")
        self.assertEqual(headers["authorization"], "Bearer tok")

    def test_for_managers_alone(self):
        delivery = self.deliver()
        manager = new_test_user(
            self.env,
            "curl_manager",
            groups="sync_governance_base.group_sync_integration_manager",
        )
        self.assertIn(delivery.ref, delivery.with_user(manager).curl_command)
        operator = new_test_user(
            self.env, "curl_operator", groups="sync_governance_base.group_sync_operator"
        )
        with self.assertRaises(AccessError):
            _ = delivery.with_user(operator).curl_command
