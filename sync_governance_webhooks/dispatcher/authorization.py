"""How we prove to a receiver who we are: HTTP Basic, a bearer token, or OAuth 2.0.

TLS client certificates are part of the connection, see ``http_client.TlsSettings``.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from .http_client import Answer, HttpClient

# RFC 6750, 2.1: what a bearer token is made of; nothing that could end a header.
TOKEN_RE = re.compile(r"[A-Za-z0-9._~+/-]+=*")
MARGIN_S = 30.0
DEFAULT_LIFETIME_S = 300.0
MIN_REDACTED = 4


class AuthorizationError(Exception):
    """The authorization server gave no token. The message holds no secret."""


class Authorization:
    """A fixed header, or none."""

    def __init__(
        self, headers: Mapping[str, str] | None = None, secrets: Iterable[str] = ()
    ):
        """:param secrets: what must never be seen in a stored request or answer"""
        self._headers = dict(headers or {})
        self._secrets = tuple(secrets)

    @classmethod
    def basic(cls, user: str, password: str) -> "Authorization":
        """HTTP Basic, RFC 7617, in UTF-8."""
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return cls({"authorization": f"Basic {encoded}"}, (password, encoded))

    @classmethod
    def bearer(cls, token: str) -> "Authorization":
        """A bearer token, RFC 6750."""
        return cls({"authorization": f"Bearer {token}"}, (token,))

    @classmethod
    def key(cls, header: str, key: str) -> "Authorization":
        """A key in a header of the receiver's choice."""
        return cls({header: key}, (key,))

    def headers(self, client: HttpClient, deadline: float) -> dict[str, str]:
        """Headers of the next request; may ask an authorization server.

        :raises AuthorizationError: it gave no token
        """
        return self._headers

    def renew(self) -> bool:
        """After a 401: whether it is worth trying once more, at once."""
        return False

    def redact(self, text: str) -> str:
        """A receiver's answer without our secrets, should it echo them."""
        for secret in self._known_secrets():
            if len(secret) >= MIN_REDACTED:
                text = text.replace(secret, "***")
        return text

    def _known_secrets(self):
        return self._secrets


@dataclass(frozen=True)
class ClientCredentials:
    """What the client-credentials grant of OAuth 2.0 (RFC 6749, 4.4) needs.

    ``in_body``: id and secret travel as form fields rather than by HTTP Basic.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""
    in_body: bool = False

    def request(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the request to the token endpoint."""
        form = {
            "grant_type": "client_credentials",
            "scope": self.scope,
            "audience": self.audience,
        }
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        if self.in_body:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            # RFC 6749, 2.3.1: encoded as in a form before Basic encodes them.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["authorization"] = (
                f"Basic {base64.b64encode(pair.encode()).decode()}"
            )
        filled = {name: value for name, value in form.items() if value}
        return urlencode(filled).encode(), headers


class _Token:
    """The token of one set of credentials, asked for by one thread at a time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.value = ""
        self.valid_until = 0.0


class Tokens:
    """Access tokens of this process, in memory alone; they outlive the slices."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._tokens: dict[ClientCredentials, _Token] = {}

    def get(
        self, credentials: ClientCredentials, client: HttpClient, deadline: float
    ) -> str:
        """The token, fetched if there is none or it is about to expire.

        :raises AuthorizationError: the server refused, or time is up
        """
        token = self._tokens.setdefault(credentials, _Token())
        if not token.lock.acquire(timeout=max(0.0, deadline - self._clock())):
            raise TimeoutError("Another request for the token has not ended in time")
        try:
            if self._clock() >= token.valid_until:
                self._fetch(token, credentials, client, deadline)
            return token.value
        finally:
            token.lock.release()

    def forget(self, credentials: ClientCredentials, value: str) -> None:
        """The receiver refused a token: the next request gets a new one.

        Not if another thread has done so already.
        """
        token = self._tokens.get(credentials)
        if token and token.value == value:
            token.valid_until = 0.0

    def known(self, credentials: ClientCredentials) -> str:
        """The last token, for redaction; empty if there was none."""
        token = self._tokens.get(credentials)
        return token.value if token else ""

    def _fetch(self, token, credentials, client, deadline):
        body, headers = credentials.request()
        answer = client.post(credentials.token_url, body, headers, deadline)
        token.value, lifetime = _read_token(answer)
        # Half of a short life rather than nothing of it.
        token.valid_until = self._clock() + max(lifetime - MARGIN_S, lifetime / 2)


def _read_token(answer: Answer) -> tuple[str, float]:
    try:
        content = json.loads(answer.raw)
    except ValueError:
        content = None
    if not isinstance(content, Mapping):
        content = {}
    value = content.get("access_token")
    if answer.status != 200 or not isinstance(value, str):
        reason = content.get("error")
        raise AuthorizationError(
            f"The token endpoint answered {answer.status}"
            + (f": {reason[:100]}" if isinstance(reason, str) else "")
        )
    if not TOKEN_RE.fullmatch(value):
        raise AuthorizationError("The token endpoint gave a malformed token")
    try:
        return value, max(1.0, float(content.get("expires_in") or DEFAULT_LIFETIME_S))
    except (TypeError, ValueError):
        return value, DEFAULT_LIFETIME_S


class OAuth2(Authorization):
    """A bearer token that an authorization server gives for client credentials."""

    def __init__(self, credentials: ClientCredentials, tokens: Tokens):
        super().__init__(secrets=(credentials.client_secret,))
        self._credentials = credentials
        self._tokens = tokens
        self._last = threading.local()

    def headers(self, client, deadline):
        token = self._tokens.get(self._credentials, client, deadline)
        self._last.token = token
        return {"authorization": f"Bearer {token}"}

    def renew(self):
        self._tokens.forget(self._credentials, self._last.token)
        return True

    def _known_secrets(self):
        return (*self._secrets, self._tokens.known(self._credentials))
