# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Places where partners leave and fetch files: what they have in common.

Sockets and files only: nothing here knows of Odoo.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO, Protocol

PART = ".part"
MAX_ENTRIES = 10_000


class StoreError(Exception):
    """The other side cannot be worked with; the text says why and what to do.

    :ivar is_outage: trying again later may help
    """

    def __init__(self, text: str, is_outage: bool = True):
        super().__init__(text)
        self.is_outage = is_outage


@dataclass(frozen=True, order=True)
class Entry:
    """A file that waits.

    :ivar modified: unix seconds, by the other side's clock
    """

    modified: float
    name: str
    size: int


class FileStore(Protocol):
    """One folder of the other side, for the length of a session.

    Names are plain file names. Every method raises :class:`StoreError`.
    """

    def entries(self) -> list[Entry]:
        """The files that are there, without folders."""

    def open(self, name: str) -> BinaryIO:
        """A file's content, as a stream to be closed."""

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Write a file under another name, then give it its own.

        :return: bytes written
        """

    def move(self, name: str, folder: str) -> None:
        """Put a file away, replacing one of that name."""

    def greet(self) -> str:
        """What a person wants to hear of a session that came about."""

    def close(self) -> None: ...


def waiting(
    entries: Iterable[Entry],
    pattern: str,
    *,
    seen: dict[str, tuple[int, float]],
    marker: str = "",
) -> Iterator[Entry]:
    """Files that are complete, the oldest first.

    A file is complete once its marker stands beside it (``orders.csv.done`` for the
    marker ``.done``), or, without markers, once two looks at it found the same size
    and time: who is still writing has not been seen twice alike.

    :param seen: ``{name: (size, modified)}`` of the look before
    """
    entries = list(entries)
    names = {entry.name for entry in entries}
    for entry in sorted(entries):
        if not fnmatchcase(entry.name, pattern) or entry.name.endswith(PART):
            continue
        if marker:
            if entry.name + marker in names:
                yield entry
        elif seen.get(entry.name) == (entry.size, entry.modified):
            yield entry


def greeting(entries: list[Entry]) -> str:
    """How many files a store holds."""
    return f"{len(entries)} files"


def safe_name(name: str) -> str:
    """A file name that cannot lead elsewhere.

    :raise StoreError: it would
    """
    if (
        not name
        or name in (".", "..")
        or posixpath.basename(name) != name
        or "\\" in name
        or not name.isprintable()
        or len(name) > 200
    ):
        raise StoreError(f"{name!r} is not a usable file name.", is_outage=False)
    return name
