"""Every operation that the document names is called, and does what it says."""

import re
import time
import uuid

import pytest
import requests

RUN = uuid.uuid4().hex[:8]
PREPARE = """
env["product.pricelist"].create({{"name": "Resources {run}", "company_id": False}})
env.cr.commit()
"""
GOODS_ARRIVE = """
row = env["sync.crosswalk"].search([
    ("system_id.code", "=", "e2e_resources"), ("external_id", "=", "P-{run}")])
location = env["stock.warehouse"].search(
    [("company_id", "=", env.company.id)], limit=1).lot_stock_id
product = env["product.product"].browse(row.res_id)
env["stock.quant"]._update_available_quantity(product, location, 40)
env.cr.commit()
"""
# Own ids, proven by other tests: the feed, partner webhooks, tokens.
ELSEWHERE = {"list_events", "list_requests", "read_requests", "hook", "token", "health"}
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AMOUNTS = {"net", "tax", "total", "due", "amount", "price", "unit_price", "list_price"}


class Tour:
    """Calls operations by their ids and remembers which ones succeeded."""

    def __init__(self, api):
        self.api = api
        self.document = requests.get(f"{api.base}/openapi.json", timeout=60).json()
        self.operations = {
            operation["operationId"]: (method.upper(), path)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "operationId" in operation
        }
        self.done = set()

    def call(self, operation, body=None, external_id="", status=200, **headers):
        method, path = self.operations[operation]
        path = path.replace("{external_id}", external_id)
        answer = self.api.call(method, path, body, **headers)
        assert answer.status_code == status, (operation, answer.text)
        self.done.add(operation)
        return answer.json()

    def round(self, resource, external_id, body, change, operations=()):
        """Create, read, find in the list, patch, replace, and again in bulk."""
        names = {one for one in operations or self._offered(resource)}
        self.call(
            f"create_{resource}", {"external_id": external_id, **body}, status=201
        )
        read = self.call(f"read_{resource}", external_id=external_id)
        assert read["external_id"] == external_id
        self._assert_formats(read)
        listed = self.call(f"list_{resource}")
        assert external_id in [one["external_id"] for one in self._pages(resource)]
        assert set(listed) == {"data", "next_cursor"}
        if "patch" in names:
            (member, value), *_rest = change.items()
            patched = self.call(f"patch_{resource}", change, external_id)
            assert patched[member] == value
            assert patched["sync"]["applied"] == [member]
        if "replace" in names:
            for name, status in ((external_id, 200), (f"{external_id}-PUT", 201)):
                named = {"external_id": name, **body}
                match = "*" if status == 200 else None
                put = self.call(
                    f"replace_{resource}", named, name, status, if_match=match
                )
                assert put["external_id"] == name
        if "bulk" in names:
            items = [
                {"external_id": f"{external_id}-B", **body},
                {"external_id": f"{external_id}-X", "no_such_member": 1},
                {"external_id": external_id, **body},
            ]
            outcome = self.call(f"bulk_{resource}", {"items": items}, status=207)
            statuses = [item["status"] for item in outcome["items"]]
            assert statuses == [201, 422, 200]
        return read

    def _offered(self, resource):
        return {
            name.removesuffix(f"_{resource}")
            for name in self.operations
            if name.endswith(f"_{resource}")
        }

    def _pages(self, resource):
        cursor = ""
        while True:
            page = self.api.get(f"/{resource}?limit=100{cursor}").json()
            yield from page["data"]
            if not page["next_cursor"]:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def _assert_formats(self, node, name=""):
        """Amounts are decimal strings, times UTC, currencies and countries ISO."""
        if isinstance(node, dict):
            for member, value in node.items():
                self._assert_formats(value, member)
        elif isinstance(node, list):
            for value in node:
                self._assert_formats(value, name)
        elif node is not None:
            if name in AMOUNTS:
                assert isinstance(node, str) and DECIMAL.fullmatch(node), (name, node)
            if name.endswith("_at"):
                assert MOMENT.fullmatch(node), (name, node)
            if name in ("currency", "country"):
                assert re.fullmatch("[A-Z]{2,3}", node), (name, node)


@pytest.fixture(scope="module")
def tour(world, api_of):
    world.shell(PREPARE.format(run=RUN))
    return Tour(api_of("e2e_resources"))


def test_every_operation_of_every_resource(world, tour):
    customer = tour.round(
        "customers",
        f"C-{RUN}",
        {"name": f"Tour {RUN}", "address": {"city": "Köln", "country": "DE"}},
        {"name": f"Tour {RUN} AG"},
    )
    product = {"product": {"external_id": f"P-{RUN}"}}
    tour.round(
        "products",
        f"P-{RUN}",
        {"name": f"Tour crate {RUN}", "type": "goods", "stocked": True},
        {"name": f"Tour box {RUN}"},
    )
    world.shell(GOODS_ARRIVE.format(run=RUN))
    tour.round(
        "prices",
        f"PR-{RUN}",
        {**product, "pricelist": f"Resources {RUN}", "price": "12.50"},
        {"price": "11.75"},
    )
    order_body = {
        "customer": {"external_id": f"C-{RUN}"},
        "currency": customer["currency"],
        "lines": [{**product, "quantity": "3", "unit_price": "10.00"}],
        "totals": {"net": "30.00"},
    }
    tour.round("orders", f"O-{RUN}", order_body, {"customer_reference": "PO 1"})
    _stock(tour)
    _cancel(tour)
    _ship(tour)
    _invoice_and_pay(tour, customer["currency"])
    missing = set(tour.operations) - tour.done - ELSEWHERE
    assert not missing


def _stock(tour):
    tour.call("list_stock")
    named = [one["external_id"] or "" for one in tour._pages("stock")]
    (name,) = [one for one in named if one.startswith(f"P-{RUN}@")]
    level = tour.call("read_stock", external_id=name)
    assert level["product"]["external_id"] == f"P-{RUN}"


def _cancel(tour):
    cancelled = tour.call("cancel_orders", {"reason": "Tour"}, f"O-{RUN}-PUT")
    assert cancelled["state"] == "cancelled"


def _ship(tour):
    confirmed = tour.call("confirm_orders", {}, f"O-{RUN}")
    assert confirmed["state"] == "confirmed"
    tour.call("list_shipments")
    (parcel,) = [
        one
        for one in tour._pages("shipments")
        if (one["order"] or {}).get("external_id") == f"O-{RUN}"
    ]
    read = tour.call("read_shipments", external_id=parcel["ref"])
    assert read["lines"][0]["quantity_ordered"] == "3"
    patched = tour.call("patch_shipments", {"tracking_number": RUN}, parcel["ref"])
    assert patched["tracking_number"] == RUN
    milestone = {"milestone": "dispatched", "occurred_at": "2026-02-01T16:20:00Z"}
    dispatched = tour.call("milestones_shipments", milestone, parcel["ref"])
    assert dispatched["state"] == "done"


def _invoice_and_pay(tour, currency):
    order = {"order": {"external_id": f"O-{RUN}"}}
    invoice = tour.round("invoices", f"I-{RUN}", order, {"reference": f"RF {RUN}"})
    assert invoice["totals"]["net"] == "30.00"
    posted = tour.call("post_invoices", {}, f"I-{RUN}")
    assert posted["state"] == "posted"
    payment = {
        "invoice": {"external_id": f"I-{RUN}"},
        "amount": posted["totals"]["total"],
        "currency": currency,
        "date": "2026-02-20",
    }
    tour.round("payments", f"PAY-{RUN}", payment, {})
    assert tour.call("read_invoices", external_id=f"I-{RUN}")["totals"]["due"] == "0.00"


def test_updated_since_is_a_lower_bound(tour):
    before = tour.api.get("/customers?updated_since=2999-01-01T00:00:00Z").json()
    assert before == {"data": [], "next_cursor": None}
    since = tour.api.get("/customers?updated_since=2000-01-01T00:00:00%2B01:00&limit=1")
    assert len(since.json()["data"]) == 1


def test_work_that_is_done_later_can_be_asked_for(tour):
    """202 at once; the status URL tells how the job on queue_job ended."""
    body = {"external_id": f"LATER-{RUN}", "name": f"Later {RUN}"}
    accepted = tour.api.post("/customers", body, prefer="respond-async")
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["Preference-Applied"] == "respond-async"
    href = accepted.headers["Location"].removeprefix("/sync/v1")
    deadline = time.monotonic() + 60
    while (told := tour.api.get(href).json())["state"] == "validated":
        assert time.monotonic() < deadline, told
        time.sleep(0.5)
    assert (told["state"], told["status"]) == ("applied", 201)
    assert told["result"]["external_id"] == f"LATER-{RUN}"
    assert tour.api.get(f"/customers/LATER-{RUN}").status_code == 200


def test_a_condition_that_is_missing_is_told_at_once(tour):
    """Also of work for later: nobody looks at a status to find a missing header."""
    answer = tour.api.call(
        "PATCH",
        f"/customers/C-{RUN}",
        {"name": "x"},
        if_match=None,
        prefer="respond-async",
    )
    assert answer.status_code == 428
