# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.sync_governance_base.tools.schema_diff import Direction

from .gate_common import GateCase


@tagged("post_install", "-at_install")
class TestContractCaller(GateCase):
    """Two versions side by side, and who still calls by the old one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract = cls.env["sync.contract"]._seed(
            "tags.write",
            {
                "name": "Tags",
                "domain_id": cls.domain.id,
                "direction": Direction.CONSUMER.value,
            },
            "1.0.0",
            {"type": "object", "properties": {"color": {"maximum": 5}}},
        )
        cls.old = cls.contract.active_version_id
        cls.old._advance("deprecated", sunset_date="2999-01-31")
        cls.new = cls.contract.version_ids.create(
            {
                "contract_id": cls.contract.id,
                "number": "2.0.0",
                "schema_text": '{"required": ["color"], "properties":'
                ' {"color": {"minimum": 7}}}',
            }
        )
        cls.new._advance("active", activated_at="2026-01-01 00:00:00")

    def _callers(self, version):
        return self.env["sync.contract.caller"].search(
            [("version_id", "=", version.id)]
        )

    def test_who_calls_by_which_version_is_listed(self):
        old = self.create_tag("T-1", "Blue", color=2)
        self.assertEqual(old.headers["Deprecation"], "@1767225600")
        self.assertEqual(old.headers["Sunset"], "Thu, 31 Jan 2999 00:00:00 GMT")
        new = self.create_tag("T-2", "Red", color=8)
        self.assertNotIn("Deprecation", new.headers)
        self.call("PUT", "/tags/T-3", {"name": "Green", "color": 1})
        (row,) = self._callers(self.old)
        self.assertEqual(row.system_id, self.system)
        self.assertEqual(row.calls, 2)
        self.assertEqual(row.last_call_at, self.last_request().create_date)
        (row,) = self._callers(self.new)
        self.assertEqual(row.calls, 1)
        self.assertEqual(self.old.caller_count, 1)
        self.assertEqual(self.system.old_version_count, 1)
        action = self._callers(self.old).action_open_requests()
        found = self.env["sync.request"].search(action["domain"])
        self.assertEqual(set(found.mapped("external_id")), {"T-1", "T-3"})

    def test_items_of_a_bulk_call_count(self):
        items = [
            {"external_id": f"B-{number}", "name": "Bulk", "color": color}
            for number, color in enumerate((1, 8, 9))
        ]
        answer = self.call("POST", "/tags/bulk", {"items": items}, key="bulk")
        self.assertEqual(answer.status_code, 207, answer.text)
        self.assertEqual(self._callers(self.old).calls, 1)
        self.assertEqual(self._callers(self.new).calls, 2)

    def test_a_caller_who_moved_is_no_caller_of_the_old(self):
        self.create_tag("T-1", "Blue", color=2)
        self.env.cr.execute("UPDATE sync_request SET create_date = '2020-01-01'")
        self.create_tag("T-2", "Red", color=8)
        self.assertFalse(self._callers(self.old))
        self.assertEqual(self.system.old_version_count, 0)

    def test_companies_see_their_own_callers(self):
        self.create_tag("T-1", "Blue", color=2)
        other = self.env["res.company"].create({"name": "Other"})
        groups = "sync_governance_base.group_sync_viewer"
        at_home = new_test_user(self.env, "caller_home", groups=groups)
        abroad = new_test_user(
            self.env,
            "caller_abroad",
            groups=groups,
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertTrue(self._callers(self.old).with_user(at_home).exists())
        self.assertFalse(self.env["sync.contract.caller"].with_user(abroad).search([]))
        stranger = new_test_user(self.env, "caller_stranger")
        with self.assertRaises(AccessError):
            self.env["sync.contract.caller"].with_user(stranger).search([])

    def test_the_document_is_of_the_version_in_force(self):
        document = self.url_open("/sync/v1/openapi.json").json()
        schema = document["components"]["schemas"]["tags_create"]
        self.assertEqual(schema["properties"]["color"]["minimum"], 7)
        self.assertEqual(schema["properties"]["color"]["maximum"], 11)
        self.assertEqual(schema["required"], ["external_id", "name", "color"])
        told = document["paths"]["/tags"]["post"]["description"]
        self.assertIn("Contract `tags.write` 2.0.0", told)
        self.assertIn("deprecated 1.0.0 is taken until Thu, 31 Jan 2999", told)
