"""Bearer credentials: ``sgk_<prefix>_<secret>``, and the short-lived access tokens
that the OAuth endpoint derives from them.

The secret is 32 random bytes, so a plain SHA-256 is a sound store for it: there is
nothing to guess that a slow hash would protect. The *prefix* finds the row; it is
random and no secret. A secret is compared in constant time, also when the prefix is
unknown, and neither the answer nor its time tells which prefixes exist.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

KEY_TAG = "sgk"
ACCESS_TAG = "sgt"
PREFIX_BYTES = 5  # 8 base32 characters
SECRET_BYTES = 32
# What an unknown prefix is compared with: the digest of nothing that can be sent.
NO_DIGEST = hashlib.sha256(b"no credential has this secret").hexdigest()
_KEY = re.compile(r"(sgk)_([a-z2-7]{8})_([a-z2-7]{52})\Z", re.ASCII)
_ACCESS = re.compile(
    r"(sgt)_([a-z2-7]{8})_([A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{43})\Z", re.ASCII
)


@dataclass(frozen=True)
class Bearer:
    """What an ``Authorization`` header says, not yet checked."""

    kind: str  # KEY_TAG or ACCESS_TAG
    prefix: str
    secret: str


@dataclass(frozen=True)
class AccessClaims:
    """What an access token grants: these scopes until ``expires_at`` (unix s)."""

    expires_at: int
    scopes: tuple[str, ...]


def generate(random_bytes: Callable[[int], bytes]) -> Bearer:
    """A new key; ``random_bytes`` is ``secrets.token_bytes`` outside of tests."""
    return Bearer(
        KEY_TAG,
        _base32(random_bytes(PREFIX_BYTES)),
        _base32(random_bytes(SECRET_BYTES)),
    )


def render(bearer: Bearer) -> str:
    return f"{bearer.kind}_{bearer.prefix}_{bearer.secret}"


def digest(secret: str) -> str:
    """What is stored of a secret (hex SHA-256)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str | None) -> bool:
    """Constant-time check; an absent digest costs the same and never matches."""
    same = hmac.compare_digest(digest(secret), stored or NO_DIGEST)
    return same and stored is not None


def parse(text: str) -> Bearer | None:
    """A key or access token, or None for anything else."""
    match = _KEY.match(text) or _ACCESS.match(text)
    return Bearer(*match.groups()) if match else None


def parse_authorization(header: str | None) -> Bearer | None:
    """The bearer of an ``Authorization`` header (scheme in any case), or None."""
    scheme, _space, value = (header or "").partition(" ")
    return parse(value.strip()) if scheme.lower() == "bearer" else None


def seal(claims: AccessClaims, prefix: str, key: bytes) -> Bearer:
    """An access token for ``claims``, valid while the credential's key is."""
    payload = json.dumps({"exp": claims.expires_at, "scp": list(claims.scopes)})
    body = _base64(payload.encode())
    return Bearer(ACCESS_TAG, prefix, f"{body}.{_signature(body, prefix, key)}")


def unseal(bearer: Bearer, stored: str | None, now: int) -> AccessClaims | None:
    """The claims of a sealed token, or None when forged or expired.

    :param stored: digest of the key that sealed it; without one, what a token sealed
        with ``NO_DIGEST`` says is not even read: everybody could seal that
    """
    body, _dot, signature = bearer.secret.partition(".")
    key = (stored or NO_DIGEST).encode()
    same = hmac.compare_digest(signature, _signature(body, bearer.prefix, key))
    if not same or stored is None:
        return None
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if payload["exp"] <= now:
        return None
    return AccessClaims(payload["exp"], tuple(payload["scp"]))


def _signature(body: str, prefix: str, key: bytes) -> str:
    signed = f"{prefix}.{body}".encode()
    return _base64(hmac.new(key, signed, hashlib.sha256).digest())


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=").lower()


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
