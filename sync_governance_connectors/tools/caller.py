"""Who calls, and whether a key that was proven may be used."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .problem import Problem
from .ratelimit import Limit

# States in which a system takes no part in the exchange any more.
CLOSED = ("paused", "retired")
CHALLENGE = 'Bearer realm="sync"'
INVALID_TOKEN = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}


@dataclass(frozen=True)
class Allowance:
    """How much somebody may ask for, by a plan.

    :ivar kind: what it is for: ``credential`` calls with a key, ``hooks`` webhooks
    :ivar holder_id: of the credential, or of the system that sends webhooks
    :ivar plan: its name in the RateLimit headers
    :ivar concurrency: calls at the same time; 0 is any number
    :ivar max_body: bytes
    """

    kind: str
    holder_id: int
    plan: str
    limit: Limit
    concurrency: int
    max_body: int

    @classmethod
    def of_plan(cls, kind: str, holder_id: int, plan: Mapping[str, Any]) -> "Allowance":
        """:param plan: columns of ``sync.plan``; its code as ``plan``"""
        return cls(
            kind,
            holder_id,
            plan["plan"],
            Limit(plan["per_minute"], plan["burst"], plan["per_day"] or 0),
            plan["concurrency"] or 0,
            plan["max_body_kb"] * 1024,
        )


@dataclass(frozen=True)
class Caller:
    """A recognised credential, with all that the gate needs, from one query."""

    credential_id: int
    user_id: int
    system_id: int
    system_code: str
    company_id: int
    scopes: Mapping[str, str | None]  # "domain:operation" -> day of last use
    allowance: Allowance
    sandbox: bool

    @classmethod
    def of_row(cls, row: Mapping[str, Any], scopes: Mapping[str, str | None]):
        """The caller behind a row of the gate's query."""
        return cls(
            credential_id=row["credential_id"],
            user_id=row["user_id"],
            system_id=row["system_id"],
            system_code=row["system_code"],
            company_id=row["company_id"],
            scopes=scopes,
            allowance=Allowance.of_plan("credential", row["credential_id"], row),
            sandbox=bool(row["sandbox"]),
        )


def check_usable(row: Mapping[str, Any], address: str, now: datetime) -> None:
    """The secret is right, so the caller may know why it does not open.

    :raise Problem: 401 for a key that is over, 403 for a wrong place
    """
    expired = row["expires_at"].replace(tzinfo=timezone.utc) <= now
    if row["state"] not in ("active", "overlapping") or expired or not row["active"]:
        state = "expired" if expired else row["state"]
        if state in ("active", "overlapping"):
            state = "without an account"
        raise Problem(
            401,
            "credential_not_usable",
            f"This key is {state}.",
            headers=INVALID_TOKEN,
        )
    check_system(row)
    if row["allowed_networks"] and not is_within(address, row["allowed_networks"]):
        raise Problem(403, "address_refused", "This key may not be used from here.")


def check_system(row: Mapping[str, Any], *_where_and_when: Any) -> None:
    """Whether the caller's system takes part in the exchange, whatever the key is.

    :raise Problem: 403
    """
    if row["system_state"] in CLOSED:
        raise Problem(403, "system_paused", f"Your system is {row['system_state']}.")


def networks(text: str | None) -> list:
    """Networks of a comma separated list. :raise ValueError: one of them is none"""
    parts = (text or "").split(",")
    return [ipaddress.ip_network(part.strip()) for part in parts if part.strip()]


def origin(address: str) -> str:
    """What failures are counted by: the address, of IPv6 the network of its host.

    A single host there has 2^64 addresses to call from.
    """
    try:
        caller = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if caller.version == 4:
        return str(caller)
    if caller.ipv4_mapped:
        return str(caller.ipv4_mapped)
    return str(ipaddress.ip_network((caller, 64), strict=False))


def is_within(address: str, text: str) -> bool:
    """Whether an address is in one of the networks of a comma separated list."""
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in network for network in networks(text))


def scope_missing(scope: str) -> Problem:
    """403 that names the scope (RFC 6750)."""
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return Problem(
        403,
        "scope_missing",
        f"This key does not have the scope {scope}.",
        headers={"WWW-Authenticate": challenge},
    )
