import pytest

from odoo.addons.sync_governance_base.tools.event_name import problem


@pytest.mark.parametrize(
    "name",
    "order.confirmed customer.merged stock.level_changed shipment.exception sync.ping "
    "invoice.sent price.reset "
    "customer.address.updated shipment.customs_cleared contract.agreed".split(),
)
def test_good_names(name):
    assert problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "order",
        "Order.confirmed",
        "order.confirm",
        "order.confirming",
        "order..confirmed",
        ".confirmed",
        "order.need",
    ]
    + [
        "order confirmed",
        "order.2confirmed",
        "order._confirmed",
        "order.confirmed\n",
        "",
        "o." + "a" * 120 + "ed",
    ],
)
def test_bad_names_are_explained(name):
    assert problem(name)
