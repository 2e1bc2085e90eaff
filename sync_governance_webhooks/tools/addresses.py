"""Which network addresses an outgoing request may reach (SSRF protection).

Addresses are judged, never host names: decimal, octal or DNS tricks are undone by the
resolver first. ``ipaddress.is_global`` alone is not enough on Python 3.11 (it lets
multicast, 6to4, NAT64 and 100.64/10 pass in one attribute or another), hence the
explicit list: the union of those of Svix, smokescreen and Convoy.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

DENIED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # unspecified, loopback, and IPv4 addresses in two old disguises
        "::/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/32",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


class AddressRefused(Exception):
    """The target resolves to an address that is not allowed."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read a comma separated list of CIDR blocks.

    :raises ValueError: naming the first block that is none
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse_address(text: str) -> Address:
    """Read an address as resolvers print it: brackets and ``%scope``
    are dropped, an IPv4 address mapped into IPv6 is unwrapped."""
    address = ip_address(text.strip("[]").partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def is_allowed(text: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a request may connect to the address ``text``."""
    address = parse_address(text)
    if any(address in network for network in allowed):
        return True
    return not any(address in network for network in DENIED)


def check(
    host: str, resolved: Iterable[str], allowed: Iterable[Network] = ()
) -> list[str]:
    """Return the resolved addresses of ``host`` if **every** one is allowed.

    One bad address condemns the name: a mixed answer is how rebinding attacks look.

    :raises AddressRefused: otherwise, naming the
        address and the setting that could allow it
    """
    addresses = list(dict.fromkeys(resolved))
    allowed = tuple(allowed)
    for address in addresses:
        if not is_allowed(address, allowed):
            raise AddressRefused(
                f"{host} resolves to {address}, a private or reserved address. "
                "An administrator can allow it in sync_governance.allowed_networks."
            )
    return addresses
