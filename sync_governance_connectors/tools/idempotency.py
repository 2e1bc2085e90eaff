"""What makes two calls the same call (IETF draft idempotency-key-header, Stripe).

A key only means something together with who sent it and where to: the lookup is by
(credential, method, route, key). The *fingerprint* tells whether the same key came
back with the same request.
"""

import hashlib
import re
from typing import NamedTuple

from .call import Answer
from .problem import Problem

MAX_LENGTH = 255
# Structured-field string: printable ASCII, quote and backslash escaped.
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\Z', re.ASCII)
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x7e]+\Z", re.ASCII)


class Claim(NamedTuple):
    """A call's wish to be the one that works on a key."""

    key_hash: str
    fingerprint: str
    request_ref: str


class Outcome(NamedTuple):
    """What came of the first call with a key."""

    fingerprint: str
    request_ref: str
    answer: Answer


def judge(
    claim: Claim, known: Outcome | None, locked: bool
) -> Outcome | Problem | None:
    """What a claim comes to.

    :param known: what came of the key before
    :param locked: whether nobody else works on the key
    :return: the outcome to repeat, why the call cannot be done now, or None: do it
    """
    if known is None:
        return None if locked else _in_use()
    if known.fingerprint != claim.fingerprint:
        return Problem(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was used for a different request.",
        )
    return known


def twice_in_one_call() -> Problem:
    """Two items of one bulk call with one key."""
    return Problem(
        422,
        "idempotency_key_reused",
        "Another item of this call has the same idempotency_key.",
    )


def _in_use() -> Problem:
    return Problem(
        409,
        "idempotency_key_in_use",
        "The first call with this Idempotency-Key is still running.",
        headers={"Retry-After": "1"},
    )


def parse_key(header: str | None) -> str | None:
    """The key of an ``Idempotency-Key`` header, sent quoted or bare.

    :return: the key without its outer quotes; None when there is no header
    :raise Problem: 400 for an empty, too long, non-ASCII or malformed key
    """
    if header is None:
        return None
    value = header.strip()
    quoted = _QUOTED.match(value)
    if quoted:
        key = re.sub(r'\\(["\\])', r"\1", quoted.group(1))
    elif _BARE.match(value):
        key = value
    else:
        key = ""
    if not key or len(key) > MAX_LENGTH:
        raise Problem(
            400,
            "idempotency_key_invalid",
            f"Idempotency-Key must be 1 to {MAX_LENGTH} printable ASCII characters,"
            " bare or as a quoted string.",
        )
    return key


def missing() -> Problem:
    return Problem(
        400,
        "idempotency_key_missing",
        "This operation needs an Idempotency-Key header: send the same key when you"
        " repeat the same call, a new one for a new call.",
        headers={"Link": '</sync/v1/openapi.json>; rel="describedby"'},
    )


def key_hash(method: str, route: str, key: str) -> str:
    """Lookup value of a key within one credential (hex SHA-256)."""
    return _sha256(method.encode(), route.encode(), key.encode()).hexdigest()


def lock_id(credential_id: int, hashed_key: str) -> int:
    """Signed 64-bit advisory lock number of a key."""
    value = _sha256(str(credential_id).encode(), hashed_key.encode()).digest()[:8]
    return int.from_bytes(value, "big", signed=True)


def fingerprint(
    method: str, path: str, query: str, content_type: str, body: bytes
) -> str:
    """Digest of everything that changes what a call means (hex SHA-256)."""
    head = [part.encode() for part in (method, path, query, content_type)]
    return _sha256(*head, body).hexdigest()


def _sha256(*parts: bytes) -> "hashlib._Hash":
    """Hash of the parts, each with its length, so that no two lists collide."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher
