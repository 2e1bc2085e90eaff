import pytest

from odoo.addons.sync_governance_webhooks.tools.capture import (
    Change,
    EventSpec,
    happened,
    net_changes,
)


def change(operation="write", after="", before=None, systems=()):
    spec = EventSpec(
        1, "order.confirmed", "sale.order", operation, ("state",), "", after
    )
    return Change(spec, 7, before=before, systems=set(systems))


def test_to_and_fro_is_no_change():
    assert net_changes({"a": 1, "b": 2}, {"a": 1, "b": 3}, ("a", "b")) == {"b": [2, 3]}


def test_of_a_new_record_everything_is_new():
    assert net_changes(None, {"a": 1}, ("a",)) == {"a": [None, 1]}


@pytest.mark.parametrize(
    ("case", "changes", "matches", "expected"),
    [
        (change("create"), {}, True, True),
        (change("create"), {}, False, False),
        (change(before={"state": "a"}), {"state": ["a", "b"]}, True, True),
        (change(before={"state": "a"}), {}, True, False),
        (change(before={"state": "a"}), {"state": ["a", "b"]}, False, False),
        (change(), {"state": [None, "b"]}, True, False),
        (change(after="[...]"), {"state": [None, "b"]}, True, True),
        (change("archive"), {"active": [None, False]}, True, False),
    ],
)
def test_happened(case, changes, matches, expected):
    assert happened(case, changes, matches) is expected


@pytest.mark.parametrize(
    ("systems", "source"), [((), None), ((3,), 3), ((3, None), None), ((3, 4), None)]
)
def test_only_a_single_author_is_spared_the_echo(systems, source):
    assert change(systems=systems).source_system_id == source
