# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A partner's HTTP API or document server, asked page by page."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from urllib3.exceptions import HTTPError

from odoo.addons.sync_governance_webhooks.dispatcher.authorization import (
    Authorization,
    AuthorizationError,
)
from odoo.addons.sync_governance_webhooks.dispatcher.http_client import (
    Answer,
    Deadlines,
    HttpClient,
)
from odoo.addons.sync_governance_webhooks.tools import addresses

from ..tools.paging import PagingError, Style, Walk, origin
from .store import StoreError

MAX_PAGE = 16 * 1024 * 1024
MAX_DOCUMENT = 128 * 1024 * 1024
#: Of all pages of one list together.
MAX_LIST = 1024 * 1024 * 1024
RETRIES = 3
# Told to wait longer than this, the run ends and is begun again later.
PATIENCE_S = 30.0
BUSY = frozenset({429, 500, 502, 503, 504})


class Pages:
    """One session with a partner's API. Every method raises :class:`StoreError`."""

    def __init__(
        self,
        client: HttpClient,
        base: str,
        authorization: Authorization,
        timeout_s: float,
    ):
        self._client = client
        self._base = base
        self._authorization = authorization
        self._timeout_s = timeout_s
        self.server_time = 0.0

    def rows(
        self, path: str, query: Mapping[str, str], style: Style
    ) -> Iterator[dict[str, Any]]:
        """The rows of a list, page by page.

        :param path: below the base address
        """
        walk = Walk.begin(style, self._address(path), query)
        try:
            size = 0
            while walk.address:
                answer = self._ask(walk.address, MAX_PAGE, "application/json")
                size += len(answer.raw)
                if size > MAX_LIST:
                    raise PagingError(
                        f"The list is longer than {MAX_LIST // 1024**2} MB; ask for"
                        " less at a time."
                    )
                page = _json(answer, walk.address)
                yield from walk.turn(page, answer.headers.get("link", ""))
            walk.check_complete()
        except PagingError as error:
            raise StoreError(str(error), is_outage=False) from error

    def document(self, path: str) -> bytes:
        """A whole document."""
        return self._ask(self._address(path), MAX_DOCUMENT, "*/*").raw

    def greet(self) -> str:
        answer = self._ask(self._base, MAX_PAGE, "*/*")
        return f"HTTP {answer.status}, {answer.size} bytes"

    def close(self) -> None:
        pass

    def _address(self, path: str) -> str:
        """An address of the remote's own host: our credentials go nowhere else."""
        if not path:
            return self._base
        address = urljoin(self._base.rstrip("/") + "/", path.lstrip("/"))
        if origin(address) != origin(self._base):
            raise StoreError(
                "The path leads to another host than the remote's.", is_outage=False
            )
        return address

    def _ask(self, address: str, limit: int, accept: str) -> Answer:
        """A successful answer; a busy server is asked again, as it wishes."""
        for attempt in range(RETRIES):
            answer = self._get(address, limit, accept)
            if answer.status not in BUSY or attempt == RETRIES - 1:
                break
            pause = _pause(answer, attempt)
            if pause > PATIENCE_S:
                break
            time.sleep(pause)
        self._check(answer, limit)
        return answer

    def _get(self, address: str, limit: int, accept: str) -> Answer:
        deadline = time.monotonic() + self._timeout_s
        headers = {"accept": accept, "user-agent": "sync-governance/1.0"}
        deadlines = Deadlines()
        deadlines.begin(deadline)
        # A server that drips a byte now and then never times out by itself.
        watch = threading.Timer(self._timeout_s + 0.1, deadlines.enforce)
        watch.start()
        try:
            headers |= self._authorization.headers(self._client, deadline)
            answer = self._client.get(address, headers, deadline, limit)
            if answer.status == 401 and self._authorization.renew():
                headers |= self._authorization.headers(self._client, deadline)
                answer = self._client.get(address, headers, deadline, limit)
        except (addresses.AddressRefused, AuthorizationError) as error:
            raise StoreError(str(error), is_outage=False) from error
        except (HTTPError, OSError) as error:
            raise StoreError(self._authorization.redact(str(error))) from error
        finally:
            watch.cancel()
            deadlines.end()
        self.server_time = _date(answer)
        return answer

    def _check(self, answer: Answer, limit: int) -> None:
        if answer.status in (401, 403):
            raise StoreError(
                f"The partner refuses us (HTTP {answer.status}). Was the credential"
                " revoked?",
                is_outage=False,
            )
        if not 200 <= answer.status < 300:
            raise StoreError(
                f"The partner answered HTTP {answer.status}.",
                is_outage=answer.status in BUSY,
            )
        if answer.size > limit or len(answer.raw) >= limit:
            raise StoreError(
                f"The answer is longer than {limit // 1024**2} MB.", is_outage=False
            )


def _json(answer: Answer, address: str) -> Any:
    try:
        return json.loads(answer.raw)
    except ValueError:
        kind = answer.headers.get("content-type", "nothing")
        raise StoreError(
            f"The partner answered HTTP {answer.status} with {kind[:60]} instead of"
            f" JSON: {answer.raw[:80].decode(errors='replace')!r}",
            is_outage=False,
        ) from None


def _pause(answer: Answer, attempt: int) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else float(2**attempt)


def _date(answer: Answer) -> float:
    """The partner's clock, unix seconds; 0 if it does not say."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return 0.0
