# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.problem import Problem

from .common import ResourceCase
from .gate_common import GateCase

KNOWN = {
    "name": "Quillfeather Instruments",
    "is_company": True,
    "email": "hello@quillfeather.example",
    "phone": "+49 30 5551234",
    "address": {"street": "Lindenstr. 14", "zip": "10969", "city": "Berlin"},
}
TWIN = {
    **KNOWN,
    "name": "Quillfeather Instrument",
    "phone": "030 5551234",
    "address": {"street": "Lindenstraße 14", "zip": "10969", "city": "Berlin"},
}


@tagged("post_install", "-at_install")
class TestCustomerDoor(ResourceCase):
    """A probable duplicate that comes by the API, by the policy of the rule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("sync_governance_dedup.sync_duplicate_rule_partner")

    def created_by(self, system, external_id, body):
        return self.apply(
            system,
            "customers",
            "create",
            external_id,
            {**body, "external_id": external_id},
        )

    def refused(self, system, external_id, body=None):
        body = body or TWIN
        with self.assertRaises(Problem) as caught:
            self.created_by(system, external_id, body)
        self.assertEqual(
            (caught.exception.status, caught.exception.code),
            (409, "probable_duplicate"),
        )
        return caught.exception

    def test_accepted_and_queued_by_default(self):
        self.assertEqual(self.rule.door_mode, "queue")
        known = self.created_by(self.shop, "C-1", KNOWN).record
        twin = self.created_by(self.shop, "C-2", TWIN).record
        self.rule._check_changed(twin.ids)
        group = self.env["sync.duplicate.group"].search(
            [("member_ids.record_id", "=", twin.id)]
        )
        self.assertEqual(set(group.member_ids.mapped("record_id")), {known.id, twin.id})

    def test_only_the_refusing_policy_asks_the_engine(self):
        self.created_by(self.shop, "C-1", KNOWN)
        for mode, asked in (("off", 0), ("queue", 0), ("refuse", 1)):
            self.rule.door_mode = mode
            engine = self.env.registry["sync.duplicate.engine"]
            with patch.object(
                engine, "_candidates", autospec=True, side_effect=engine._candidates
            ) as candidates:
                body = {"name": f"Zanzibar {mode} ropes"}
                self.created_by(self.shop, f"S-{mode}", body)
            self.assertEqual(candidates.call_count, asked, mode)

    def test_refused_with_the_callers_own_id(self):
        self.rule.door_mode = "refuse"
        self.created_by(self.shop, "C-1", KNOWN)
        problem = self.refused(self.shop, "C-2")
        [candidate] = problem.members["candidates"]
        self.assertEqual(candidate["external_id"], "C-1")
        self.assertRegex(candidate["ref"], "^cus_")
        self.assertGreater(candidate["probability"], 0.5)
        self.assertIn("email", candidate["agrees"])

    def test_of_others_customers_it_learns_nothing(self):
        self.rule.door_mode = "refuse"
        self.created_by(self.finance, "DEB-1", KNOWN)
        problem = self.refused(self.shop, "C-2")
        self.assertEqual(problem.members["candidates"], [])
        self.assertNotIn("Quillfeather", str(problem.as_dict()))

    def test_a_system_that_reads_the_company_sees_its_customers(self):
        self.rule.door_mode = "refuse"
        self.created_by(self.shop, "C-1", KNOWN)
        [candidate] = self.refused(self.finance, "DEB-2").members["candidates"]
        self.assertIsNone(candidate["external_id"])
        self.assertRegex(candidate["ref"], "^cus_")

    def test_another_companys_customer_is_not_named(self):
        self.rule.door_mode = "refuse"
        known = self.created_by(self.shop, "C-1", KNOWN).record
        known.company_id = self.env["res.company"].create({"name": "Other"})
        for system in (self.shop, self.finance):
            problem = self.refused(system, "X-2")
            self.assertEqual(problem.members["candidates"], [])

    def test_created_anyway_with_a_reason_that_is_kept(self):
        self.rule.door_mode = "refuse"
        known = self.created_by(self.shop, "C-1", KNOWN).record
        self.refused(self.shop, "C-2", {**TWIN, "not_a_duplicate": " "})
        result = self.created_by(
            self.shop, "C-2", {**TWIN, "not_a_duplicate": "Their second shop"}
        )
        self.assertEqual(result.status, "created")
        self.assertNotIn("not_a_duplicate", result.applied)
        kept = self.env["sync.duplicate.prevention"].search(
            [("candidate_id", "=", known.id)]
        )
        self.assertEqual(
            (kept.outcome, kept.reason, kept.system_id),
            ("created", "Their second shop", self.shop),
        )
        body = self.resource("customers", self.shop)._to_canonical(
            result.record, self.shop
        )
        self.assertNotIn("not_a_duplicate", body[0])

    def test_a_replacement_that_creates_passes_the_same_door(self):
        self.rule.door_mode = "refuse"
        self.created_by(self.shop, "C-1", KNOWN)
        with self.assertRaises(Problem) as caught:
            self.apply(
                self.shop,
                "customers",
                "replace",
                "C-2",
                {**TWIN, "external_id": "C-2"},
            )
        self.assertEqual(caught.exception.code, "probable_duplicate")
        result = self.apply(
            self.shop, "customers", "replace", "C-1", {**TWIN, "external_id": "C-1"}
        )
        self.assertEqual(result.status, "updated")


@tagged("post_install", "-at_install")
class TestCustomerDoorHttp(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
        cls.rule.door_mode = "refuse"
        _credential, cls.key = cls._issue(cls.system, ["customer:*"])

    def post(self, external_id, body, **values):
        body = {**body, "external_id": external_id, **values}
        return self.call("POST", "/customers", body, key=f"door-{external_id}")

    def notes(self):
        return self.env["sync.duplicate.prevention"].search(
            [("system_id", "=", self.system.id)], order="id"
        )

    def test_refused_noted_and_overridden(self):
        self.assertEqual(self.post("C-1", KNOWN).status_code, 201)
        problem = self.assert_problem(self.post("C-2", TWIN), 409, "probable_duplicate")
        self.assertEqual(problem["candidates"][0]["external_id"], "C-1")
        self.assertEqual(self.notes().mapped("outcome"), ["refused"])
        self.assertEqual(self.last_request().state, "refused")
        again = self.call(
            "POST",
            "/customers",
            {**TWIN, "external_id": "C-2", "not_a_duplicate": "Second shop"},
            key="door-C-2-again",
        )
        self.assertEqual(again.status_code, 201, again.text)
        self.assertEqual(self.notes().mapped("outcome"), ["refused", "created"])

    def test_twins_in_one_bulk_call(self):
        items = [
            {**KNOWN, "external_id": "B-1"},
            {"external_id": "B-2", "name": "Zanzibar Ropes"},
            {**TWIN, "external_id": "B-3"},
        ]
        answer = self.call("POST", "/customers/bulk", {"items": items}, key="door-bulk")
        statuses = [item["status"] for item in answer.json()["items"]]
        self.assertEqual(statuses, [201, 201, 409], answer.text)
        self.assertEqual(self.notes().mapped("outcome"), ["refused"])
