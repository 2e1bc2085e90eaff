# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import re

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import file_open

LIB = "sync_governance_connectors/static/lib/swagger-ui"


@tagged("post_install", "-at_install")
class TestDocs(HttpCase):
    def _get(self):
        return self.url_open("/sync/docs", allow_redirects=False)

    def _publish(self, value):
        self.env["res.config.settings"].create({"sync_public_docs": value}).execute()

    def test_visitors_have_to_log_in(self):
        answer = self._get()
        self.assertEqual(answer.status_code, 303)
        self.assertIn("/web/login?redirect=/sync/docs", answer.headers["Location"])

    def test_those_who_see_the_suite_see_it(self):
        groups = "sync_governance_base.group_sync_viewer"
        new_test_user(self.env, "docs_viewer", groups=groups)
        self.authenticate("docs_viewer", "docs_viewer")
        answer = self._get()
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Back to Odoo", answer.text)

    def test_other_users_do_not(self):
        new_test_user(self.env, "docs_stranger")
        self.authenticate("docs_stranger", "docs_stranger")
        self.assertEqual(self._get().status_code, 403)

    def test_everybody_does_when_it_is_switched_on(self):
        self._publish(True)
        answer = self._get()
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("Back to Odoo", answer.text)
        self._publish(False)
        self.assertEqual(self._get().status_code, 303)

    def test_nothing_comes_from_elsewhere(self):
        self._publish(True)
        answer = self._get()
        policy = answer.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("http", policy)
        addresses = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        self.assertTrue(addresses)
        for address in addresses:
            self.assertTrue(address.startswith("/"), address)
        self.assertNotRegex(answer.text, r"<script>|<style|style=|onload=")

    def test_the_viewer_is_shipped_with_its_licence(self):
        with file_open(f"{LIB}/README.md") as readme:
            self.assertRegex(readme.read(), r"version \d+\.\d+\.\d+")
        with file_open(f"{LIB}/LICENSE") as licence:
            self.assertIn("Apache License", licence.read())
