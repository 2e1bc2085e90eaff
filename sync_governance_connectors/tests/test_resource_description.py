# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import jsonschema

from odoo.tests import TransactionCase, tagged

RESOURCES = {
    "customers",
    "products",
    "prices",
    "stock",
    "orders",
    "shipments",
    "invoices",
    "payments",
}


@tagged("post_install", "-at_install")
class TestResourceDescription(TransactionCase):
    def test_all_resources_are_served(self):
        self.assertLessEqual(RESOURCES, set(self.env["sync.resource"]._model_names()))

    def test_each_resource_belongs_to_a_domain(self):
        codes = set(self.env["sync.domain"].search([]).mapped("code"))
        for name in RESOURCES:
            self.assertIn(self.env["sync.resource"]._get(name)._domain_code, codes)

    def test_examples_are_valid_against_their_schemas(self):
        for name in sorted(RESOURCES):
            resource = self.env["sync.resource"]._get(name)
            operations = {"create", "replace", "patch"} & resource._resource_operations
            for operation in {*operations, "read", *resource._resource_transitions()}:
                with self.subTest(resource=name, operation=operation):
                    schema = resource._schema(operation)
                    jsonschema.Draft202012Validator.check_schema(schema)
                    jsonschema.validate(resource._example(operation), schema)
