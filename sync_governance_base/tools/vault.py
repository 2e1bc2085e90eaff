"""Encryption at rest of the secrets that must be read back (outbound signing keys,
passwords of other systems).

Fernet (AES-128-CBC with HMAC-SHA256) from ``cryptography``. The first key encrypts,
every key decrypts: a new key is put in front, secrets are re-encrypted, then the old
key is dropped.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

FINGERPRINT_LENGTH = 16


class VaultError(Exception):
    """A secret cannot be encrypted or read. The message never holds key or secret."""


class MissingKeyError(VaultError):
    """No encryption key is configured."""


class InvalidKeyError(VaultError):
    """A configured key is not 32 bytes in url-safe base64."""


class UnreadableError(VaultError):
    """A stored secret was not encrypted with any
    of the configured keys, or was altered.
    """


def split_keys(setting: str | None) -> list[str]:
    """Keys of a comma-separated setting, the current one first."""
    return [key for key in (part.strip() for part in (setting or "").split(",")) if key]


def generate_key() -> str:
    """A fresh key, as it is to be written into the configuration."""
    return Fernet.generate_key().decode()


class Vault:
    """Encrypts and decrypts text with a list of keys.

    :raises MissingKeyError: the list is empty
    :raises InvalidKeyError: a key is malformed
    """

    def __init__(self, keys: Sequence[str]):
        if not keys:
            raise MissingKeyError("no encryption key is configured")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise InvalidKeyError(
                "an encryption key must be 32 bytes in url-safe base64"
            ) from error
        self._fingerprint_key = base64.urlsafe_b64decode(keys[0])

    def encrypt(self, plaintext: str) -> str:
        """The text as a Fernet token; two calls never give the same one."""
        return self._fernet.encrypt(plaintext.encode()).decode()

    def decrypt(self, token: str) -> str:
        """The text of a token.

        :raises UnreadableError: none of the keys fits, or the token was altered
        """
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise UnreadableError(
                "the secret cannot be read with the configured keys"
            ) from None

    def rotate(self, token: str) -> str:
        """The same text encrypted with the current key.

        :raises UnreadableError: none of the keys fits, or the token was altered
        """
        try:
            return self._fernet.rotate(token.encode()).decode()
        except InvalidToken:
            raise UnreadableError(
                "the secret cannot be read with the configured keys"
            ) from None

    def fingerprint(self, plaintext: str) -> str:
        """A short name for a secret that can be shown. Keyed, so that a weak secret
        cannot be guessed from it.
        """
        digest = hmac.new(
            self._fingerprint_key, plaintext.encode(), hashlib.sha256
        ).hexdigest()
        return digest[:FINGERPRINT_LENGTH]
