# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from datetime import datetime, timezone

import jsonschema

from odoo.fields import Command
from odoo.tests import TransactionCase

from odoo.addons.sync_governance_connectors.tools.call import Call


class ResourceCase(TransactionCase):
    """Two systems, a stocked product that both know, and a way to call a resource."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.currency = cls.company.currency_id.name
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        # Each test brings the policies it speaks of;
        # those of the demo would decide too.
        cls.env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        cls.shop = cls._system("test_shop", "shop")
        cls.wms = cls._system("test_wms", "wms", reach="company")
        cls.finance = cls._system("test_finance", "finance", reach="company")
        cls.product = cls._product("Test crate", "SKU-T1", price=10.0, stock=100)
        cls._link(cls.wms, cls.product, "ITEM-T1")

    @classmethod
    def _system(cls, code, kind, reach="own"):
        system = cls.env["sync.system"].create(
            {
                "name": code,
                "code": code,
                "kind": kind,
                "state": "live",
                "reach": reach,
                "company_id": cls.company.id,
            }
        )
        cls.env["sync.service.account"]._create_for(system, "Tests")
        return system

    @classmethod
    def _product(cls, name, external_id, price, stock):
        product = cls.env["product.product"].create(
            {
                "name": name,
                "default_code": external_id,
                "is_storable": True,
                "list_price": price,
                "taxes_id": [Command.clear()],
            }
        )
        cls.env["stock.quant"]._update_available_quantity(
            product, cls.warehouse.lot_stock_id, stock
        )
        cls._link(cls.shop, product, external_id)
        return product

    @classmethod
    def _link(cls, system, record, external_id):
        return cls.env["sync.crosswalk"]._link(system, record, external_id)

    @classmethod
    def _policy(cls, model, owners):
        """An active, blocking policy. :param owners: ``{field: system}``"""
        policy = cls.env["sync.policy"].create(
            {
                "name": f"Test policy of {model}",
                "model_id": cls.env["ir.model"]._get_id(model),
                "enforcement": "block",
                "line_ids": [
                    Command.create(
                        {
                            "field_id": cls.env["ir.model.fields"]
                            ._get(model, field)
                            .id,
                            "owner_system_id": system.id,
                        }
                    )
                    for field, system in owners.items()
                ],
            }
        )
        policy.sudo().action_activate()
        return policy

    def call(self, system):
        return Call(
            system=system,
            credential=self.env["sync.credential"],
            source=system._as_source(request_ref="req_test"),
            request_ref="req_test",
            now=datetime.now(timezone.utc),
        )

    def resource(self, name, system):
        """The resource as the gate calls it: as the system's technical user."""
        user = system.service_account_ids[:1].user_id
        env = self.env(
            user=user.id,
            su=False,
            context={
                "lang": "en_US",
                "tz": "UTC",
                "allowed_company_ids": [self.company.id],
                "sync_source": system._as_source(request_ref="req_test"),
            },
        )
        return env["sync.resource"]._get(name)

    def apply(self, system, name, operation, external_id, body):
        """Validates and applies, as the gate does. :return: ``ResourceResult``"""
        resource = self.resource(name, system)
        with self.env.cr.savepoint():
            return resource.env["sync.gate"]._apply(
                name, operation, external_id, body, self.call(system)
            )

    def create(self, system, name, body):  # pylint: disable=method-required-super; no model
        return self.apply(system, name, "create", body["external_id"], body)

    def created(self, system, name, body):
        """The record that came of a body, in a person's environment."""
        return self.create(system, name, body).record.with_env(self.env)

    def body(self, system, name, record):
        return self.resource(name, system)._to_canonical(record, system)[0]

    def customer(self, external_id="C-T1", **values):
        body = {
            "external_id": external_id,
            "name": "Nordwind Handel GmbH",
            "is_company": True,
            "email": "einkauf@nordwind.example",
            "address": {"street": "Am Hafen 12", "city": "Hamburg", "country": "DE"},
            **values,
        }
        return self.created(self.shop, "customers", body)

    def order_body(self, external_id="SO-T1", quantity="4", **values):
        return {
            "external_id": external_id,
            "customer": {"external_id": "C-T1"},
            "currency": self.currency,
            "lines": [
                {
                    "line_id": "1",
                    "product": {"external_id": "SKU-T1"},
                    "quantity": quantity,
                    "unit_price": "10.00",
                }
            ],
            **values,
        }

    def confirmed_order(self, quantity="4"):
        """A customer's order, confirmed; its delivery is ready."""
        self.customer()
        order = self.created(self.shop, "orders", self.order_body(quantity=quantity))
        self.apply(self.shop, "orders", "confirm", "SO-T1", {})
        return order


class EventCase(ResourceCase):
    """What was told since the test's last commit."""

    def setUp(self):
        super().setUp()
        self.commit()

    def commit(self):
        """End the transaction as far as the outbox is concerned."""
        self.env.cr.flush()
        self.env.cr.postrollback.run()
        self.env.cr.postcommit.clear()
        self.last = self.env["sync.event"].search([], order="id desc", limit=1).id or 0

    def told(self, *prefixes):
        """Names of the events since the last commit, of those domains, in order."""
        self.env.cr.flush()
        events = self.env["sync.event"].search([("id", ">", self.last)], order="id")
        return [e for e in events if e.name.split(".")[0] in prefixes]

    def assertTold(self, names, *prefixes):
        events = self.told(*prefixes)
        self.assertEqual(sorted(event.name for event in events), sorted(names))
        for event in events:
            self._check_payload(event)
        return events

    def _check_payload(self, event):
        """Each payload fits the contract that is in force for its event."""
        contract = self.env["sync.contract"]._schema_in_force(event.name)
        jsonschema.validate(json.loads(event.payload), contract)

    def payload(self, event):
        return json.loads(event.payload)
