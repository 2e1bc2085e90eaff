"""Standard Webhooks 1.0.0 signatures: HMAC-SHA256 (``v1``) and ed25519 (``v1a``).

The signed bytes are ``{id}.{timestamp}.{body}`` and are the bytes that travel.
Source: https://www.standardwebhooks.com, specification 1.0.0.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HMAC_PREFIX = "whsec_"
ED25519_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
_VERSIONS = {HMAC_PREFIX: "v1", ED25519_PREFIX: "v1a"}
SECRET_BYTES = 32
TOLERANCE_S = 300


class SignatureError(ValueError):
    """The message is not signed by any of the given keys, or not now."""


class SecretFormatError(ValueError):
    """The text is not a secret of a known kind."""


@dataclass(frozen=True)
class SigningKey:
    """One decoded secret. ``version`` is ``v1`` or ``v1a``; ``raw`` the key bytes."""

    version: str
    raw: bytes

    @classmethod
    def parse(cls, secret: str) -> "SigningKey":
        """Decode ``whsec_…`` (new ones have 24 to 64 bytes; shorter ones are about) or
        ``whsk_…`` (32 bytes seed, or seed + public key).

        :raises SecretFormatError: on anything else; the message never holds the secret
        """
        prefix = next((p for p in _VERSIONS if secret.startswith(p)), None)
        if prefix is None:
            raise SecretFormatError("A secret starts with whsec_ or whsk_")
        version, raw = _VERSIONS[prefix], _decode(secret[len(prefix) :])
        if version == "v1" and not 16 <= len(raw) <= 64:
            raise SecretFormatError("A whsec_ secret holds 16 to 64 bytes")
        if version == "v1a" and len(raw) not in (32, 64):
            raise SecretFormatError("A whsk_ secret holds 32 or 64 bytes")
        return cls(version, raw)

    def sign(self, message: bytes) -> str:
        """Return one signature entry, e.g. ``v1,K5oZ…=``."""
        if self.version == "v1":
            signature = hmac.new(self.raw, message, hashlib.sha256).digest()
        else:
            signature = self._private().sign(message)
        return f"{self.version},{base64.b64encode(signature).decode()}"

    def matches(self, entry: str, message: bytes) -> bool:
        """Whether ``entry`` (``version,base64``)
        is this key's signature of ``message``.
        """
        version, _comma, encoded = entry.partition(",")
        if version != self.version:
            return False
        if version == "v1":
            return hmac.compare_digest(self.sign(message).encode(), entry.encode())
        try:
            self._private().public_key().verify(_decode(encoded), message)
        except (InvalidSignature, SecretFormatError):
            return False
        return True

    def public(self) -> str:
        """The ``whpk_…`` key a receiver of ``v1a`` needs. Empty for HMAC keys."""
        if self.version != "v1a":
            return ""
        raw = self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PUBLIC_PREFIX + base64.b64encode(raw).decode()

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.raw[:32])


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecretFormatError("Not valid base64") from error


def generate_secret(random_bytes: Callable[[int], bytes], version: str = "v1") -> str:
    """A new secret; ``random_bytes`` is ``secrets.token_bytes`` outside of tests."""
    seed = random_bytes(SECRET_BYTES)
    if version == "v1":
        return HMAC_PREFIX + base64.b64encode(seed).decode()
    public = SigningKey("v1a", seed)._private().public_key()
    # Seed and public key together, the form Svix uses and its tools expect.
    raw = seed + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return ED25519_PREFIX + base64.b64encode(raw).decode()


def signed_bytes(message_id: str, timestamp: int, body: bytes) -> bytes:
    """``{id}.{timestamp}.{body}``."""
    return f"{message_id}.{timestamp}.".encode() + body


def signature_headers(
    keys: Iterable[SigningKey], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of one attempt; two keys (rotation) give two signatures."""
    message = signed_bytes(message_id, timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(key.sign(message) for key in keys),
    }


def verify(
    keys: Iterable[SigningKey],
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: float,
) -> None:
    """Accept a message signed by one of ``keys``
    within five minutes of ``now`` (unix seconds).

    :raises SignatureError: too old, too new, unreadable, or no signature matches
    """
    try:
        sent_at = int(timestamp)
    except ValueError as error:
        raise SignatureError("The timestamp is not an integer") from error
    if abs(now - sent_at) > TOLERANCE_S:
        raise SignatureError("The timestamp is too far from now")
    message = signed_bytes(message_id, sent_at, body)
    entries = signatures.split()
    if not any(key.matches(entry, message) for key in keys for entry in entries):
        raise SignatureError("No signature matches")
