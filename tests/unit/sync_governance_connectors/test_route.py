import pytest

from odoo.addons.sync_governance_connectors.tools import route
from odoo.addons.sync_governance_connectors.tools.problem import Problem

ALL = frozenset({"create", "read", "replace", "patch", "list", "bulk"})
TRANSITIONS = {"confirm": "Confirm it"}


@pytest.mark.parametrize(
    "method, path, operation, access, template",
    [
        ("GET", "orders", "list", "read", "/orders"),
        ("HEAD", "orders", "list", "read", "/orders"),
        ("POST", "orders", "create", "write", "/orders"),
        ("POST", "orders/bulk", "bulk", "write", "/orders/bulk"),
        ("GET", "orders/1", "read", "read", "/orders/{external_id}"),
        ("PUT", "orders/1", "replace", "write", "/orders/{external_id}"),
        ("PATCH", "orders/1", "patch", "write", "/orders/{external_id}"),
        ("POST", "orders/1/confirm", "transition", "transition", None),
    ],
)
def test_every_operation(method, path, operation, access, template):
    found = route.resolve(method, path.split("/"), ALL, TRANSITIONS)
    assert (found.operation, found.access) == (operation, access)
    assert found.template == (template or "/orders/{external_id}/confirm")


@pytest.mark.parametrize(
    "method, path, status, allow",
    [
        ("POST", "orders/1", 405, "GET, HEAD, PUT, PATCH"),
        ("DELETE", "orders", 405, "GET, HEAD, POST"),
        ("DELETE", "orders/bulk", 405, "POST"),
        ("GET", "orders/bulk", 405, "POST"),
        ("GET", "orders/1/confirm", 405, "POST"),
        ("POST", "orders/1/nothing", 404, None),
        ("GET", "orders/1/confirm/2", 404, None),
        ("GET", f"orders/{'9' * 129}", 400, None),
        ("PUT", "orders/ 1", 400, None),
        ("POST", "orders//confirm", 400, None),
    ],
)
def test_everything_else_is_refused(method, path, status, allow):
    with pytest.raises(Problem) as caught:
        route.resolve(method, path.split("/"), ALL, TRANSITIONS)
    assert caught.value.status == status
    assert caught.value.headers.get("Allow") == allow


def test_a_read_only_resource():
    with pytest.raises(Problem) as caught:
        route.resolve("POST", ["stock"], frozenset({"read", "list"}), {})
    assert caught.value.headers["Allow"] == "GET, HEAD"
