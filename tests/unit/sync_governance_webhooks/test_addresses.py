import pytest

from odoo.addons.sync_governance_webhooks.tools.addresses import (
    AddressRefused,
    check,
    is_allowed,
    parse_networks,
)

REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1
198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255
:: ::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::c0a8:0
64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:c0a8:1::1 3fff::1 5f00::1
fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 ff02::1 [::1]
""".split()
ALLOWED = """
1.1.1.1 8.8.8.8 100.63.255.255
100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.167.1.1
198.17.255.255 198.20.0.1
223.255.255.255 ::ffff:8.8.8.8 2606:4700:4700::1111 2a00:1450::1
[2606:4700::1]
""".split()


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ALLOWED)
def test_allowed(address):
    assert is_allowed(address)


def test_the_allow_list_opens_exactly_its_networks():
    networks = parse_networks("127.0.0.0/8, ::1/128")
    assert is_allowed("127.0.0.1", networks)
    assert is_allowed("::1", networks)
    assert is_allowed("::ffff:127.0.0.1", networks)
    assert not is_allowed("10.0.0.1", networks)
    assert parse_networks(" ") == ()


def test_one_bad_address_condemns_the_name():
    assert check("shop.example", ["8.8.8.8", "8.8.8.8"]) == ["8.8.8.8"]
    with pytest.raises(AddressRefused, match="10.0.0.1"):
        check("shop.example", ["8.8.8.8", "10.0.0.1"])


def test_unreadable_networks():
    with pytest.raises(ValueError, match="nonsense"):
        parse_networks("10.0.0.0/8,nonsense")
