# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import itertools
import json

from odoo.tests.common import HttpCase, tagged

from .common import ResourceCase


@tagged("post_install", "-at_install")
class TestGateCost(HttpCase, ResourceCase):
    """SQL statements of the hot routes, over HTTP and all of them: Odoo's own, the
    gate's, what the record's models do, and the events. They shall not creep.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sync.duplicate.rule"].search([]).active = False
        plan = cls.env["sync.plan"].create(
            {"name": "Test", "code": "test", "per_minute": 6000, "burst": 1000}
        )
        _credential, cls.key = cls.env["sync.credential"]._issue(
            cls.shop.service_account_ids, ["customer:*"], plan=plan
        )
        cls.numbers = itertools.count(1)

    def send(self, method, path, body=None, key=None, **headers):
        kind = "merge-patch+json" if method == "PATCH" else "json"
        sent = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": f"application/{kind}",
            "Idempotency-Key": key or f"cost-{next(self.numbers)}",
            **headers,
        }
        data = None if body is None else json.dumps(body).encode()
        return self.url_open(f"/sync/v1{path}", data, method=method, headers=sent)

    def cost(self, status, *call, **headers):
        """Statements of a call that has this status; caches are warm."""
        self.env.flush_all()
        before = self.cr.sql_log_count
        response = self.send(*call, **headers)
        self.assertEqual(response.status_code, status, response.text)
        return self.cr.sql_log_count - before

    def new(self):
        number = next(self.numbers)
        return {
            "external_id": f"COST-{number}",
            "name": f"Customer {number}",
            "email": f"cost{number}@example.com",
            "address": {"street": "Long Street 1", "zip": "1000", "city": "Brussels"},
        }

    def bulk(self, count):
        return {"items": [self.new() for _item in range(count)]}

    def test_create(self):
        self.cost(201, "POST", "/customers", self.new())
        self.assertLessEqual(self.cost(201, "POST", "/customers", self.new()), 29)

    def test_replay(self):
        body = self.new()
        for _call in range(2):
            self.send("POST", "/customers", body, key="cost-replay")
        spent = self.cost(201, "POST", "/customers", body, key="cost-replay")
        self.assertLessEqual(spent, 7)

    def test_read(self):
        body = self.new()
        self.cost(201, "POST", "/customers", body)
        path = f"/customers/{body['external_id']}"
        self.cost(200, "GET", path)
        self.assertLessEqual(self.cost(200, "GET", path), 12)

    def test_patch(self):
        body = self.new()
        self.cost(201, "POST", "/customers", body)
        call = "PATCH", f"/customers/{body['external_id']}"
        every = {"If-Match": "*"}
        self.cost(200, *call, {"name": "Once"}, **every)
        self.assertLessEqual(self.cost(200, *call, {"name": "Twice"}, **every), 44)

    def test_bulk_costs_the_same_for_any_number(self):
        self.cost(207, "POST", "/customers/bulk", self.bulk(2))
        few = self.cost(207, "POST", "/customers/bulk", self.bulk(10))
        many = self.cost(207, "POST", "/customers/bulk", self.bulk(60))
        self.assertLessEqual(many, few)

    def test_items_with_keys_are_claimed_together(self):
        def keyed(count):
            body = self.bulk(count)
            for item in body["items"]:
                item["idempotency_key"] = item["external_id"]
            return body

        self.cost(207, "POST", "/customers/bulk", keyed(2))
        few = self.cost(207, "POST", "/customers/bulk", keyed(10))
        many = self.cost(207, "POST", "/customers/bulk", keyed(60))
        self.assertLessEqual(many, few)
