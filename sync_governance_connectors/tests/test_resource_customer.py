# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import jsonschema

from odoo.tests import tagged

from odoo.addons.sync_governance_connectors.tools.problem import Problem

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestResourceCustomer(ResourceCase):
    def _problem(self, *args):
        with self.assertRaises(Problem) as caught:
            self.apply(*args)
        return caught.exception

    def test_create_and_read_speak_the_same(self):
        terms = self.env["account.payment.term"].create({"name": "Test 14 days"})
        partner = self.customer(
            phone="+49 40 1234567",
            credit_limit="1500.50",
            payment_terms="test 14 DAYS",
        )
        self.assertEqual(partner.country_id.code, "DE")
        self.assertEqual(partner.property_payment_term_id, terms)
        body = self.body(self.shop, "customers", partner)
        jsonschema.validate(body, self.resource("customers", self.shop)._schema("read"))
        self.assertEqual(body["external_id"], "C-T1")
        self.assertEqual(body["credit_limit"], "1500.50")
        self.assertEqual(body["currency"], self.currency)
        self.assertEqual(body["address"]["country"], "DE")
        self.assertEqual(body["payment_terms"], "Test 14 days")
        self.assertRegex(body["ref"], "^cus_[0-9a-f]{32}$")
        self.assertRegex(body["updated_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_a_known_id_is_not_created_twice(self):
        self.customer()
        problem = self._problem(
            self.shop,
            "customers",
            "create",
            "C-T1",
            {"external_id": "C-T1", "name": "Other"},
        )
        self.assertEqual((problem.status, problem.code), (409, "exists"))

    def test_all_unknown_references_are_told_at_once(self):
        problem = self._problem(
            self.shop,
            "customers",
            "create",
            "C-T2",
            {
                "external_id": "C-T2",
                "name": "Ada",
                "payment_terms": "never heard of",
                "address": {"country": "ZZ"},
            },
        )
        self.assertEqual(problem.status, 422)
        self.assertEqual(
            {(error.pointer, error.code) for error in problem.errors},
            {
                ("/address/country", "unknown_reference"),
                ("/payment_terms", "unknown_reference"),
            },
        )

    def test_policy_decides_field_by_field(self):
        self._policy("res.partner", {"credit_limit": self.finance, "street": self.shop})
        partner = self.customer()
        result = self.apply(
            self.shop,
            "customers",
            "patch",
            "C-T1",
            {"credit_limit": "90000.00", "address": {"street": "Elbchaussee 99"}},
        )
        self.assertEqual(partner.street, "Elbchaussee 99")
        self.assertEqual(partner.credit_limit, 0.0)
        self.assertEqual(dict(result.applied), {"address.street": "Elbchaussee 99"})
        held = result.refused["credit_limit"]
        self.assertEqual(held["owner"], "test_finance")
        self.assertTrue(held["reason"])
        conflict = self.env["sync.conflict"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", partner.id)]
        )
        self.assertEqual(held["conflict"], conflict.display_name)
        self.assertEqual(conflict.line_ids.field_name, "credit_limit")

    def test_policy_decides_on_creation_too(self):
        self._policy("res.partner", {"credit_limit": self.finance})
        result = self.create(
            self.shop,
            "customers",
            {"external_id": "C-T9", "name": "Ada", "credit_limit": "7000.00"},
        )
        self.assertEqual(result.status, "created")
        self.assertEqual(result.record.credit_limit, 0.0)
        self.assertIn("credit_limit", result.refused)
        self.assertNotIn("credit_limit", result.applied)
        self.assertTrue(result.conflicts)

    def test_the_owner_writes_what_it_owns(self):
        self._policy("res.partner", {"credit_limit": self.finance})
        partner = self.customer()
        self._link(self.finance, partner, "DEB-1")
        result = self.apply(
            self.finance, "customers", "patch", "DEB-1", {"credit_limit": "800.00"}
        )
        self.assertEqual(partner.credit_limit, 800.0)
        self.assertFalse(result.refused)

    def test_patch_null_empties(self):
        partner = self.customer(phone="+49 40 1234567")
        self.apply(
            self.shop,
            "customers",
            "patch",
            "C-T1",
            {"phone": None, "address": {"city": None}},
        )
        self.assertFalse(partner.phone)
        self.assertFalse(partner.city)
        self.assertEqual(partner.street, "Am Hafen 12")

    def test_replacement_empties_what_the_caller_left_out(self):
        partner = self.customer(phone="+49 40 1234567")
        partner.vat = "BE0477472701"
        self.apply(
            self.shop,
            "customers",
            "replace",
            "C-T1",
            {"external_id": "C-T1", "name": "Nordwind", "is_company": True},
        )
        self.assertEqual(partner.name, "Nordwind")
        self.assertFalse(partner.phone, "sent before, left out now")
        self.assertFalse(partner.street)
        self.assertEqual(partner.vat, "BE0477472701", "never sent by the shop")

    def test_same_values_change_nothing(self):
        self.customer()
        result = self.apply(
            self.shop, "customers", "patch", "C-T1", {"name": "Nordwind Handel GmbH"}
        )
        self.assertEqual(result.status, "unchanged")

    def test_retired_id_leads_to_the_survivor(self):
        survivor = self.customer("C-T1")
        loser = self.customer("C-T2", name="Nordwind twin")
        self.env["sync.crosswalk"]._repoint(
            "res.partner", loser.ids, survivor.id, "test"
        )
        resource = self.resource("customers", self.shop)
        self.assertEqual(resource._find(self.shop, "C-T2"), (survivor, True))
        self.assertEqual(resource._find(self.shop, "C-T1"), (survivor, False))
        self.assertEqual(
            self.body(self.shop, "customers", survivor)["external_id"], "C-T1"
        )

    def test_batch_is_one_creation(self):
        bodies = [{"external_id": f"B-{n}", "name": f"Batch {n}"} for n in range(5)]
        resource = self.resource("customers", self.shop)
        results = resource._create_batch(bodies, self.call(self.shop))
        self.assertEqual([r.record.name for r in results], [b["name"] for b in bodies])
        for body, result in zip(bodies, results, strict=True):
            self.assertEqual(
                resource._find(self.shop, body["external_id"])[0], result.record
            )

    def test_technical_user_has_no_rights_of_its_own(self):
        user = self.shop.service_account_ids.user_id
        self.assertFalse(self.env["res.partner"].with_user(user).has_access("create"))
        self.assertTrue(self.customer())

    def test_other_systems_ids_are_nobodys_here(self):
        self.customer()
        record, _moved = self.resource("customers", self.finance)._find(
            self.finance, "C-T1"
        )
        self.assertFalse(record)

    def test_reach(self):
        partner = self.customer()
        stranger = self.env["res.partner"].create({"name": "Not of the shop"})
        ref = self.body(self.finance, "customers", stranger)["ref"]
        shop, finance = (
            self.resource("customers", self.shop),
            self.resource("customers", self.finance),
        )
        self.assertFalse(shop._find(self.shop, ref)[0])
        self.assertEqual(finance._find(self.finance, ref)[0], stranger)
        listed = shop._listed_model().search(shop._list_domain(self.call(self.shop)))
        self.assertIn(partner, listed)
        self.assertNotIn(stranger, listed)
        listed = finance._listed_model().search(
            finance._list_domain(self.call(self.finance))
        )
        self.assertLessEqual(partner | stranger, listed)

    def test_other_companies_records_are_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other company"})
        foreign = self.env["res.partner"].create(
            {"name": "Foreign", "company_id": other.id}
        )
        self._link(self.finance, foreign, "DEB-F")
        resource = self.resource("customers", self.finance)
        self.assertFalse(resource._find(self.finance, "DEB-F")[0])
        domain = resource._list_domain(self.call(self.finance))
        self.assertNotIn(foreign, resource._listed_model().search(domain))

    def test_adopting_a_canonical_reference(self):
        partner = self.customer()
        ref = self.body(self.finance, "customers", partner)["ref"]
        self.apply(self.finance, "customers", "patch", ref, {"credit_limit": "10.00"})
        self.assertEqual(partner.credit_limit, 10.0)
        self.assertEqual(
            self.body(self.finance, "customers", partner)["external_id"], ref
        )
