# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Who sent this webhook? One function a vendor's scheme, over the raw bytes.

Each verifier answers :class:`Verified` or raises :class:`Rejected`. Comparisons are
constant-time; an empty secret never verifies. Schemes: Standard Webhooks 1.0.0,
Shopify, GitHub, Stripe (their public documentation), a shared secret in a header, and
HTTP Basic (RFC 7617).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

TOLERANCE_S = 300
SECRET_HEADER = "x-sync-secret"


class Rejected(Exception):
    """The message does not prove that the partner sent it.

    :ivar code: stable word for screens and metrics
    """

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Inbound:
    """A received message.

    :ivar headers: names in lower case
    :ivar body: the raw bytes, as they came
    :ivar now: unix seconds of the receipt
    """

    headers: Mapping[str, str]
    body: bytes
    now: float

    def header(self, name: str) -> str:
        value = self.headers.get(name, "").strip()
        if not value:
            raise Rejected("header_missing", f"The header {name} is missing.")
        return value


@dataclass(frozen=True)
class Verified:
    """A message whose sender is proven.

    :ivar event_id: the partner's own id of the event, for de-duplication
    :ivar event_type: the partner's name of the event, empty when it names none
    """

    event_id: str
    event_type: str


def _usable(secrets: Iterable[str]) -> list[str]:
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected("no_secret", "No verification secret is set for this system.")
    return usable


def _mac(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, hashlib.sha256).digest()


def _any_equal(expected: Iterable[bytes], given: Iterable[bytes]) -> bool:
    """Compares each pair, without leaving early."""
    given = list(given)
    found = False
    for wanted in expected:
        for candidate in given:
            found |= hmac.compare_digest(wanted, candidate)
    return found


def _check_age(stamp: str, now: float) -> None:
    try:
        sent_at = int(stamp)
    except ValueError:
        raise Rejected(
            "timestamp_invalid", "The timestamp is not an integer."
        ) from None
    if sent_at < now - TOLERANCE_S:
        raise Rejected("timestamp_stale", "The timestamp is too old.")
    if sent_at > now + TOLERANCE_S:
        raise Rejected("timestamp_future", "The timestamp lies in the future.")


def _decoded(text: str) -> bytes:
    """Base64, strictly; anything else is a signature that cannot match."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _body_member(body: bytes, name: str) -> str:
    """A text member at the top of a JSON body, empty when there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _content_id(body: bytes) -> str:
    """Stands in for a missing event id: same bytes, same event."""
    return "sha256-" + hashlib.sha256(body).hexdigest()


def standard_webhooks(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """Standard Webhooks 1.0.0, ``v1`` signatures; secrets ``whsec_`` + base64."""
    keys = [_decoded(secret.removeprefix("whsec_")) for secret in _usable(secrets)]
    event_id = inbound.header("webhook-id")
    stamp = inbound.header("webhook-timestamp")
    _check_age(stamp, inbound.now)
    signed = f"{event_id}.{stamp}.".encode() + inbound.body
    given = [
        _decoded(entry.removeprefix("v1,"))
        for entry in inbound.header("webhook-signature").split()
        if entry.startswith("v1,")
    ]
    if not _any_equal((_mac(key, signed) for key in keys if key), given):
        raise Rejected("signature_mismatch", "No signature matches.")
    named = _body_member(inbound.body, "type")
    return Verified(event_id, named or inbound.headers.get("x-event-type", ""))


def shopify(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """``X-Shopify-Hmac-Sha256``: base64 HMAC of the body with the app's secret."""
    given = _decoded(inbound.header("x-shopify-hmac-sha256"))
    expected = (_mac(secret.encode(), inbound.body) for secret in _usable(secrets))
    if not _any_equal(expected, [given]):
        raise Rejected("signature_mismatch", "The HMAC does not match.")
    return Verified(
        inbound.headers.get("x-shopify-event-id") or _content_id(inbound.body),
        inbound.headers.get("x-shopify-topic", ""),
    )


def github(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """``X-Hub-Signature-256``: ``sha256=`` + hex HMAC of the body."""
    scheme, _, digest = inbound.header("x-hub-signature-256").partition("=")
    try:
        given = bytes.fromhex(digest)
    except ValueError:
        given = b""
    expected = (_mac(secret.encode(), inbound.body) for secret in _usable(secrets))
    if scheme != "sha256" or not _any_equal(expected, [given]):
        raise Rejected("signature_mismatch", "The HMAC does not match.")
    return Verified(
        inbound.headers.get("x-github-delivery") or _content_id(inbound.body),
        inbound.headers.get("x-github-event", ""),
    )


def stripe(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """``Stripe-Signature: t=…,v1=…``; HMAC of ``t.body``, several while rotated."""
    pairs = [
        entry.strip().partition("=")
        for entry in inbound.header("stripe-signature").split(",")
    ]
    stamps = [value for name, _, value in pairs if name == "t"]
    if len(stamps) != 1:
        raise Rejected("timestamp_invalid", "The signature names no single timestamp.")
    _check_age(stamps[0], inbound.now)
    signed = stamps[0].encode() + b"." + inbound.body
    expected = [
        _mac(secret.encode(), signed).hex().encode() for secret in _usable(secrets)
    ]
    given = [value.encode() for name, _, value in pairs if name == "v1"]
    if not _any_equal(expected, given):
        raise Rejected("signature_mismatch", "No signature matches.")
    return Verified(
        _body_member(inbound.body, "id") or _content_id(inbound.body),
        _body_member(inbound.body, "type"),
    )


def shared_secret(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """The secret itself in ``X-Sync-Secret``, for partners that cannot sign."""
    given = inbound.header(SECRET_HEADER).encode()
    if not _any_equal((secret.encode() for secret in _usable(secrets)), [given]):
        raise Rejected("secret_mismatch", "The secret does not match.")
    return _named_by_body(inbound)


def basic(inbound: Inbound, secrets: Iterable[str]) -> Verified:
    """HTTP Basic; the stored secret is ``user:password``."""
    scheme, _, credentials = inbound.header("authorization").partition(" ")
    given = _decoded(credentials.strip()) if scheme.lower() == "basic" else b""
    if not _any_equal((secret.encode() for secret in _usable(secrets)), [given]):
        raise Rejected("secret_mismatch", "User or password do not match.")
    return _named_by_body(inbound)


def _named_by_body(inbound: Inbound) -> Verified:
    """Event id and type of a message whose headers name neither."""
    body = inbound.body
    return Verified(
        inbound.headers.get("x-event-id")
        or _body_member(body, "id")
        or _content_id(body),
        inbound.headers.get("x-event-type") or _body_member(body, "type"),
    )


STRATEGIES: dict[str, Callable[[Inbound, Iterable[str]], Verified]] = {
    "standard": standard_webhooks,
    "shopify": shopify,
    "github": github,
    "stripe": stripe,
    "shared_secret": shared_secret,
    "basic": basic,
}
