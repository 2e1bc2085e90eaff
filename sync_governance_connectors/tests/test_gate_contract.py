# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import copy
import itertools
import json

from odoo.exceptions import ValidationError
from odoo.tests.common import tagged

from odoo.addons.sync_governance_base.tools.schema_diff import Direction

from .fake_resource import MEMBERS
from .gate_common import GateCase


@tagged("post_install", "-at_install")
class TestGateContract(GateCase):
    """Bodies are held to the contract in force and to the resource itself."""

    def _agree(self, **color):
        """A contract in force that demands a color."""
        members = copy.deepcopy(MEMBERS)
        members["color"].update(color)
        members["shade"] = {"type": "string"}
        return self.env["sync.contract"]._seed(
            "tags.write",
            {
                "name": "Tags",
                "domain_id": self.domain.id,
                "direction": Direction.CONSUMER.value,
            },
            "2.0.0",
            {
                "type": "object",
                "properties": members,
                "required": ["external_id", "name", "color"],
            },
        )

    def test_without_a_contract_the_resource_decides(self):
        self.create_tag()
        self.assertFalse(self.last_request().contract_version)

    def test_contract_in_force_asks_for_more(self):
        self.create_tag()  # fills the caches
        contract = self._agree(maximum=5)
        body = {"external_id": "T-2", "name": "Blue"}
        response = self.call("POST", "/tags", body, key="2")
        problem = self.assert_problem(response, 422, "validation_failed")
        self.assertEqual(problem["errors"][0]["pointer"], "/color")
        response = self.call("PUT", "/tags/T-2", {"name": "Blue"})
        self.assert_problem(response, 422, "validation_failed")
        items = {"items": [body, {**body, "color": 3}]}
        outcome = self.call("POST", "/tags/bulk", items, key="bulk").json()["items"]
        self.assertEqual([item["status"] for item in outcome], [422, 201])
        self.create_tag("T-3", "Red", color=4)
        self.assertEqual(self.last_request().contract_version, "2.0.0")
        response = self.call("PUT", "/tags/T-4", {"name": "Green", "color": 1})
        self.assertEqual(response.status_code, 201, response.text)
        contract.active_version_id._advance("retired")
        self.create_tag("T-5", "White")

    def test_contract_does_not_let_through_what_nobody_understands(self):
        self._agree()
        body = {"external_id": "T-1", "name": "Blue", "color": 1, "shade": "dark"}
        response = self.call("POST", "/tags", body, key="1")
        self.assert_problem(response, 422, "validation_failed")

    def test_a_patch_does_not_lead_out_of_the_contract(self):
        self.create_tag("T-1", "Blue", color=3)
        self.create_tag("T-2", "Grey")
        self._agree(maximum=5)

        keys = itertools.count()

        def patch_tag(name, change):
            return self.call(
                "PATCH", f"/tags/{name}", change, key=f"p-{next(keys)}", If_Match="*"
            )

        response = patch_tag("T-1", {"color": 7})
        problem = self.assert_problem(response, 422, "validation_failed")
        self.assertEqual(problem["errors"][0]["pointer"], "/color")
        self.assert_problem(patch_tag("T-1", {"color": None}), 422, "validation_failed")
        response = patch_tag("T-1", {"color": 4})
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(self.last_request().contract_version, "2.0.0")
        # it had no color before: not the fault of who changes its name
        response = patch_tag("T-2", {"name": "Black"})
        self.assertEqual(response.status_code, 200, response.text)

    def test_new_version_does_not_void_a_key(self):
        first = self.create_tag()
        self._agree()
        again = self.create_tag()
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(again.content, first.content)

    def test_deprecated_version_is_valid_until_its_sunset(self):
        contract = self._agree(maximum=5)
        old = contract.active_version_id
        old._advance("deprecated", sunset_date="2999-01-31")
        new = contract.version_ids.create(
            {
                "contract_id": contract.id,
                "number": "3.0.0",
                "schema_text": '{"properties": {"color": {"minimum": 7}}}',
            }
        )
        new._advance("active", activated_at="2026-01-01 00:00:00")
        response = self.create_tag("T-1", "Blue", color=2)
        self.assertEqual(response.headers["Sunset"], "Thu, 31 Jan 2999 00:00:00 GMT")
        self.assertIn("Deprecation", response.headers)
        self.assertEqual(self.last_request().contract_version, "2.0.0")
        response = self.create_tag("T-2", "Red", color=8)
        self.assertNotIn("Sunset", response.headers)
        self.assertEqual(self.last_request().contract_version, "3.0.0")
        old._advance("retired")
        body = {"external_id": "T-3", "name": "Green", "color": 2}
        response = self.call("POST", "/tags", body, key="3")
        self.assert_problem(response, 422, "validation_failed")

    def test_a_schema_that_no_body_can_be_held_to_is_not_saved(self):
        contract = self._agree()
        for schema in (
            {"allOf": [{"$ref": "#"}]},
            {"properties": {"name": {"$ref": "https://partner.example/name.json"}}},
            {"properties": {"name": {"$ref": "#/$defs/name"}}},
            {"properties": {"name": {"type": "word"}}},
        ):
            with self.subTest(schema), self.assertRaises(ValidationError):
                contract.version_ids.create(
                    {
                        "contract_id": contract.id,
                        "number": "3.0.0",
                        "schema_text": json.dumps(schema),
                    }
                )

    def test_a_schema_may_describe_parts_like_the_whole(self):
        contract = self._agree()
        version = contract.version_ids.create(
            {
                "contract_id": contract.id,
                "number": "3.0.0",
                "schema_text": json.dumps(
                    {
                        "$defs": {"name": {"maxLength": 4}},
                        "properties": {
                            "name": {"$ref": "#/$defs/name"},
                            "tree": {"$ref": "#"},
                        },
                    }
                ),
            }
        )
        contract.active_version_id._advance("retired")
        version._advance("active")
        self.create_tag("T-1", "Blue")
        body = {"external_id": "T-2", "name": "Purple"}
        response = self.call("POST", "/tags", body, key="2")
        problem = self.assert_problem(response, 422, "validation_failed")
        self.assertEqual(problem["errors"][0]["pointer"], "/name")
