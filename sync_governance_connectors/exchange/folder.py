# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A folder of this machine (or of a mounted share) as a partner's store."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .store import MAX_ENTRIES, PART, Entry, StoreError, greeting, safe_name


class Folder:
    """Files below ``root``, which symbolic links do not leave."""

    def __init__(self, root: Path, path: str):
        """
        :param root: what the server's administrator has set aside for exchange
        :param path: of the folder, below it
        :raise StoreError: it is not below the root, or not there
        """
        self._root = root.resolve()
        self._folder = (self._root / path).resolve()
        if not self._folder.is_relative_to(self._root):
            raise StoreError("The folder is outside of the exchange folder.", False)
        if not self._folder.is_dir():
            raise StoreError(f"There is no folder {path!r} to exchange files in.")

    def entries(self) -> list[Entry]:
        found = []
        with _told(), os.scandir(self._folder) as files:
            for file in files:
                if file.is_file(follow_symlinks=False):
                    facts = file.stat(follow_symlinks=False)
                    found.append(Entry(facts.st_mtime, file.name, facts.st_size))
                if len(found) > MAX_ENTRIES:
                    raise StoreError(f"More than {MAX_ENTRIES} files wait there.")
        return found

    def open(self, name: str) -> BinaryIO:
        with _told():
            handle = os.open(
                self._folder / safe_name(name), os.O_RDONLY | os.O_NOFOLLOW
            )
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise StoreError(f"{name} is not a plain file.", is_outage=False)
            return os.fdopen(handle, "rb")

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        target = self._folder / safe_name(name)
        part, size = target.with_name(name + PART), 0
        with _told(), part.open("wb") as file:
            for chunk in chunks:
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        with _told():
            part.replace(target)
        return size

    def move(self, name: str, folder: str) -> None:
        with _told():
            target = self._folder / safe_name(folder)
            target.mkdir(exist_ok=True)
            (self._folder / safe_name(name)).replace(target / name)

    def greet(self) -> str:
        return greeting(self.entries())

    def close(self) -> None:
        pass


@contextmanager
def _told() -> Iterator[None]:
    """The operating system's errors as a person reads them."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.strerror}: {Path(error.filename or '').name}"
        ) from error
