"""Reading and writing the header fields of the API.

Everything that is echoed or logged passes an allow-list first: a header can then
never smuggle a line break, a control character or a forged log line.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import format_datetime

from .ratelimit import Limit, Verdict

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z", re.ASCII)
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\Z", re.ASCII)
KEPT = ("content-type", "if-match", "if-none-match", "prefer", "traceparent")
_ANY = {"", "*/*", "application/*"}


def request_id(header: str | None) -> str | None:
    """The caller's ``X-Request-Id`` if it is harmless, else None."""
    return header if header and _REQUEST_ID.match(header) else None


def traceparent(header: str | None) -> str | None:
    """A valid W3C ``traceparent``, else None (an invalid one is ignored)."""
    match = _TRACEPARENT.match(header or "")
    if not match or set(match.group(1)) == {"0"} or set(match.group(2)) == {"0"}:
        return None
    return header


def printable(text: str) -> str:
    """For columns and logs: no control characters, bounded."""
    return "".join(char if char.isprintable() else "?" for char in text)[:512]


def kept(fields: Mapping[str, str]) -> dict[str, str]:
    """The header fields that change what a call means; never a credential."""
    return {name: printable(fields[name]) for name in KEPT if fields.get(name)}


def media_type(header: str | None) -> tuple[str, str]:
    """``(type, charset)`` of a ``Content-Type``, lower case, charset or ''."""
    kind, *parameters = (header or "").split(";")
    charset = ""
    for parameter in parameters:
        name, _equals, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return kind.strip().lower(), charset


def accepts_json(header: str | None) -> bool:
    """Whether an ``Accept`` header lets us answer JSON."""
    if header is None:
        return True
    for part in header.split(","):
        kind, *parameters = (item.strip().lower() for item in part.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", item) for item in parameters)
        if not refused and (kind in _ANY or kind.endswith(("/json", "+json"))):
            return True
    return False


def prefers_async(header: str | None) -> bool:
    """``Prefer: respond-async`` (RFC 7240)."""
    wishes = re.split(r"[,;]", header or "")
    return any(wish.strip().lower() == "respond-async" for wish in wishes)


def rate_limit(name: str, limit: Limit, verdict: Verdict) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit`` (draft after -10); {} without limits."""
    policies, states = [], []
    if limit.per_minute:
        policies.append(f'"{name}";q={limit.per_minute};w=60')
        if verdict.remaining is not None:
            states.append(f'"{name}";r={verdict.remaining};t={verdict.reset}')
    if limit.per_day:
        policies.append(f'"{name}-daily";q={limit.per_day};w=86400')
    headers = {}
    if policies:
        headers["RateLimit-Policy"] = ", ".join(policies)
    if states:
        headers["RateLimit"] = ", ".join(states)
    return headers


def utc_time(text: str) -> datetime:
    """Naive UTC time of an RFC 3339 text. :raise ValueError: for anything else"""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError("a time needs its offset")
    try:
        return value.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("a time beyond the calendar") from None


def http_date(value: datetime) -> str:
    """IMF-fixdate of an aware or naive-UTC time (``Sunset``, ``Last-Modified``)."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return format_datetime(aware.astimezone(timezone.utc), usegmt=True)


def deprecation(value: datetime) -> str:
    """``Deprecation`` (RFC 9745): ``@`` and unix seconds."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return f"@{int(aware.timestamp())}"
