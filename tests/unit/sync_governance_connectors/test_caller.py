from datetime import datetime, timedelta, timezone

import pytest

from odoo.addons.sync_governance_connectors.tools import caller
from odoo.addons.sync_governance_connectors.tools.problem import Problem

NOW = datetime(2026, 5, 1, tzinfo=timezone.utc)
ROW = {
    "state": "active",
    "expires_at": datetime(2026, 6, 1),
    "active": True,
    "system_state": "live",
    "allowed_networks": None,
}


def test_a_key_in_force_may_be_used():
    caller.check_usable(ROW, "192.0.2.1", NOW)
    caller.check_usable({**ROW, "state": "overlapping"}, "192.0.2.1", NOW)


@pytest.mark.parametrize(
    "change, code",
    [
        ({"state": "revoked"}, "credential_not_usable"),
        ({"state": "pending"}, "credential_not_usable"),
        ({"active": False}, "credential_not_usable"),
        ({"expires_at": datetime(2026, 5, 1)}, "credential_not_usable"),
        ({"system_state": "paused"}, "system_paused"),
        ({"allowed_networks": "198.51.100.0/24"}, "address_refused"),
    ],
)
def test_why_a_proven_key_does_not_open(change, code):
    with pytest.raises(Problem) as refused:
        caller.check_usable({**ROW, **change}, "192.0.2.1", NOW)
    assert refused.value.code == code


def test_an_expired_key_says_so_whatever_its_state():
    row = {**ROW, "expires_at": (NOW - timedelta(days=1)).replace(tzinfo=None)}
    with pytest.raises(Problem) as refused:
        caller.check_usable(row, "192.0.2.1", NOW)
    assert "expired" in refused.value.detail


def test_a_key_whose_account_is_gone_is_not_called_active():
    with pytest.raises(Problem) as refused:
        caller.check_usable({**ROW, "active": False}, "192.0.2.1", NOW)
    assert refused.value.detail == "This key is without an account."


def test_the_system_alone():
    caller.check_system({**ROW, "state": "revoked"})
    with pytest.raises(Problem) as refused:
        caller.check_system({**ROW, "system_state": "retired"}, "192.0.2.1", NOW)
    assert refused.value.code == "system_paused"


def test_addresses_are_within_networks_of_their_family():
    assert caller.is_within("192.0.2.7", "198.51.100.1, 192.0.2.0/24")
    assert caller.is_within("2001:db8::1", "2001:db8::/32")
    assert not caller.is_within("192.0.2.7", "2001:db8::/32")
    assert not caller.is_within("nonsense", "0.0.0.0/0")
    with pytest.raises(ValueError):
        caller.networks("192.0.2.0/33")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_failures_of_a_host_are_counted_together(address, counted):
    assert caller.origin(address) == counted
