"""A client that a public generator makes of the served document tells a whole order.

Nothing here knows an address, a header or a member that the document does not name:
what is called are the generated functions, with the generated types.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import uuid

import pytest
import requests

GOODS_ARRIVE = """
crosswalk = env["sync.crosswalk"].search([
    ("system_id.code", "=", "e2e_client"), ("external_id", "=", {product!r})])
product = env["product.product"].browse(crosswalk.res_id)
location = env["stock.warehouse"].search(
    [("company_id", "=", env.company.id)], limit=1).lot_stock_id
env["stock.quant"]._update_available_quantity(product, location, 25)
env.cr.commit()
"""


@pytest.fixture(scope="module")
def generated(world, settings):
    """The package that openapi-python-client makes, below the state folder."""
    folder = settings.state / "generated" / f"client_{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    document = folder / "openapi.json"
    document.write_bytes(
        requests.get(f"{world.url}/sync/v1/openapi.json", timeout=60).content
    )
    programs = settings.venv / "bin"
    done = subprocess.run(
        [
            *(programs / "openapi-python-client", "generate", "--meta", "none"),
            *("--path", document, "--output-path", folder / "sync_client"),
        ],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("sync_client")
    finally:
        sys.path.remove(str(folder))
        shutil.rmtree(folder)


class Client:
    """Calls generated functions by the operation's name and parses as they do."""

    def __init__(self, package, api):
        self.package = package.__name__
        self.client = package.AuthenticatedClient(base_url=api.base, token=api.key)

    def call(self, operation, status, body=None, kind=None, **parameters):
        """:param kind: generated type of the body; from the operation if not given"""
        resource = operation.partition("_")[2]
        module = importlib.import_module(f"{self.package}.api.{resource}.{operation}")
        if body is not None:
            parameters["body"] = self.model(kind or operation).from_dict(body)
        answer = module.sync_detailed(client=self.client, **parameters)
        assert answer.status_code == status, answer.content.decode()
        return answer.parsed

    def model(self, operation):
        """``create_orders`` -> ``OrdersCreate``"""
        verb, _, resource = operation.partition("_")
        models = importlib.import_module(f"{self.package}.models")
        return getattr(models, f"{resource}_{verb}".title().replace("_", ""))


def key():
    return {"idempotency_key": uuid.uuid4().hex}


def test_an_order_from_customer_to_payment(world, api_of, generated):
    shop = Client(generated, api_of("e2e_client"))
    run = uuid.uuid4().hex[:8]
    names = {
        kind: f"{kind}-{run}"
        for kind in ("customer", "product", "price", "order", "invoice", "payment")
    }

    customer = shop.call(
        "create_customers",
        201,
        {
            "external_id": names["customer"],
            "name": f"Generated {run} GmbH",
            "is_company": True,
            "address": {"street": "Kai 1", "city": "Hamburg", "country": "DE"},
        },
        **key(),
    )
    assert customer.name == f"Generated {run} GmbH"
    # the demo's policy gives addresses to the shop
    assert "address.city" in [one.field for one in customer.sync.held]
    currency = customer.currency

    product = shop.call(
        "create_products",
        201,
        {
            "external_id": names["product"],
            "name": f"Crate {run}",
            "type": "goods",
            "stocked": True,
            "list_price": "20.00",
        },
        **key(),
    )
    assert product.list_price == "20.00"
    world.shell(GOODS_ARRIVE.format(product=names["product"]))

    order = shop.call(
        "create_orders",
        201,
        {
            "external_id": names["order"],
            "customer": {"external_id": names["customer"]},
            "currency": currency,
            "lines": [
                {
                    "line_id": "1",
                    "product": {"external_id": names["product"]},
                    "quantity": "4",
                    "unit_price": "18.50",
                }
            ],
        },
        **key(),
    )
    assert order.state == "draft"
    assert order.totals.net == "74.00"

    confirmed = shop.call(
        "confirm_orders", 200, {}, external_id=names["order"], **key()
    )
    assert confirmed.state == "confirmed"
    # the same again is no error and no second effect
    again = shop.call("confirm_orders", 200, {}, external_id=names["order"], **key())
    assert again.state == "confirmed"

    (parcel,) = [
        one
        for one in shop.call("list_shipments", 200, limit=500).data
        if one.order and one.order.external_id == names["order"]
    ]
    dispatched = shop.call(
        "milestones_shipments",
        200,
        {
            "milestone": "dispatched",
            "occurred_at": "2026-02-01T16:20:00Z",
            "carrier": "DHL",
            "tracking_number": run,
        },
        external_id=parcel.ref,
        **key(),
    )
    assert dispatched.state == "done"
    assert dispatched.tracking_number == run

    invoice = shop.call(
        "create_invoices",
        201,
        {
            "external_id": names["invoice"],
            "order": {"external_id": names["order"]},
            "invoice_date": "2026-02-01",
        },
        **key(),
    )
    assert invoice.totals.net == "74.00"
    posted = shop.call("post_invoices", 200, {}, external_id=names["invoice"], **key())
    assert posted.state == "posted"
    assert posted.totals.due == posted.totals.total

    payment = shop.call(
        "create_payments",
        201,
        {
            "external_id": names["payment"],
            "invoice": {"external_id": names["invoice"]},
            "amount": posted.totals.total,
            "currency": posted.currency,
            "date": "2026-02-20",
        },
        **key(),
    )
    assert payment.amount == posted.totals.total
    settled = shop.call("read_invoices", 200, external_id=names["invoice"])
    assert settled.totals.due == "0.00"
    assert settled.payment_state in ("paid", "in_payment")


def test_errors_are_typed(api_of, generated):
    shop = Client(generated, api_of("e2e_client"))
    problem = shop.call("read_orders", 404, external_id="nobody")
    assert problem.code == "not_found"
    problem = shop.call(
        "create_customers",
        422,
        {"external_id": "X", "name": "X", "address": {"country": "germany"}},
        **key(),
    )
    assert [fault.pointer for fault in problem.errors] == ["/address/country"]


def test_a_feed_is_read(api_of, generated):
    shop = Client(generated, api_of("e2e_client"))
    page = shop.call("list_events", 200, limit=5, types="order.*")
    assert json.loads(json.dumps(page.to_dict()))["next_cursor"]
