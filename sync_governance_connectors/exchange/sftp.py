# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A folder on an SFTP server as a partner's store (paramiko).

The server proves who it is by the host key that was agreed: another one is refused,
never learned. The address is checked before it is connected to, and that very address
is used.
"""

import base64
import io
import posixpath
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

import paramiko
from paramiko.pkey import PKey

from odoo.addons.sync_governance_webhooks.tools import addresses

from .store import MAX_ENTRIES, PART, Entry, StoreError, greeting, safe_name

TIMEOUT_S = 20.0
MAX_PREFETCH = 128 * 1024 * 1024


@dataclass(frozen=True)
class SftpTarget:
    """Where, and who we are there.

    :ivar host_key: the server's public key as OpenSSH writes it
        (``ssh-ed25519 AAAA…``)
    :ivar private_key: PEM or OpenSSH text; empty: the password counts
    """

    host: str
    port: int
    folder: str
    user: str
    host_key: str
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)


class Sftp:
    """One session with an SFTP server."""

    def __init__(
        self,
        target: SftpTarget,
        allowed: Iterable[addresses.Network],
        resolver: Callable[[str, int], Iterable[str]],
    ):
        """:raise StoreError: no session came about"""
        self._transport = None
        try:
            with _told(target):
                self._transport = _connect(target, allowed, resolver)
                self._client = paramiko.SFTPClient.from_transport(self._transport)
                self._client.get_channel().settimeout(TIMEOUT_S)
                self._client.chdir(target.folder or ".")
        except BaseException:
            self.close()
            raise
        self._target = target

    def entries(self) -> list[Entry]:
        found = []
        with _told(self._target):
            for facts in self._client.listdir_iter():
                if stat.S_ISREG(facts.st_mode or 0):
                    modified, size = float(facts.st_mtime or 0), facts.st_size or 0
                    found.append(Entry(modified, facts.filename, size))
                if len(found) > MAX_ENTRIES:
                    raise StoreError(f"More than {MAX_ENTRIES} files wait there.")
        return found

    def open(self, name: str) -> BinaryIO:
        with _told(self._target):
            file = self._client.open(safe_name(name), "rb")
            size = file.stat().st_size or 0
            # The server says how much; we say how much of it is asked for ahead.
            if size <= MAX_PREFETCH:
                file.prefetch(size)
            return file

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        size, part = 0, safe_name(name) + PART
        with _told(self._target):
            with self._client.open(part, "wb") as file:
                file.set_pipelined(True)
                for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
            if self._client.stat(part).st_size != size:
                raise StoreError(f"{name} did not arrive as a whole.")
            self._replace(part, name)
        return size

    def move(self, name: str, folder: str) -> None:
        with _told(self._target):
            with suppress(OSError):  # It is there already.
                self._client.mkdir(safe_name(folder))
            self._replace(safe_name(name), posixpath.join(folder, name))

    def _replace(self, old: str, new: str) -> None:
        try:
            self._client.posix_rename(old, new)
        except OSError:
            # Servers without OpenSSH's extension refuse to rename onto a file.
            with suppress(OSError):
                self._client.remove(new)
            self._client.rename(old, new)

    def greet(self) -> str:
        return greeting(self.entries())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _connect(target, allowed, resolver):
    found = resolver(target.host, target.port)
    checked = addresses.check(target.host, found, allowed)
    known = read_host_key(target.host_key)
    wire = socket.create_connection((checked[0], target.port), timeout=TIMEOUT_S)
    transport = paramiko.Transport(wire)
    try:
        transport.banner_timeout = transport.auth_timeout = TIMEOUT_S
        # Ask for the kind of key we know, or the server may show another one.
        transport.get_security_options().key_types = _algorithms(known)
        transport.start_client(timeout=TIMEOUT_S)
        shown = transport.get_remote_server_key()
        if (shown.get_name(), shown.asbytes()) != (known.get_name(), known.asbytes()):
            raise StoreError(
                "The server shows another host key than was agreed: it may not be the"
                " partner's. Ask the partner before you change the key here.",
                is_outage=False,
            )
        if target.private_key:
            transport.auth_publickey(target.user, read_private_key(target.private_key))
        else:
            transport.auth_password(target.user, target.password)
    except BaseException:
        transport.close()
        raise
    return transport


def _algorithms(key: PKey) -> tuple[str, ...]:
    if key.get_name() == "ssh-rsa":
        return ("rsa-sha2-512", "rsa-sha2-256")
    return (key.get_name(),)


def read_host_key(text: str) -> PKey:
    """A host key as ``ssh-keyscan`` prints it, with or without the host's name.

    :raise StoreError: it is none
    """
    words = text.split()
    for kind, encoded in zip(words, words[1:], strict=False):
        if kind.startswith(("ssh-", "ecdsa-")):
            try:
                return PKey.from_type_string(
                    kind, base64.b64decode(encoded, validate=True)
                )
            except (paramiko.SSHException, ValueError):
                break
    raise StoreError(
        "The host key is not one as ssh-keyscan prints it: ssh-ed25519 AAAA…",
        is_outage=False,
    )


def read_private_key(text: str) -> PKey:
    """An unencrypted private key.

    :raise StoreError: it is none; the text is not quoted
    """
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text))
    raise StoreError(
        "This is not an unencrypted private key (Ed25519, ECDSA or RSA).",
        is_outage=False,
    )


@contextmanager
def _told(target: SftpTarget) -> Iterator[None]:
    """What went wrong as a person reads it; secrets are in none of it."""
    where = f"{target.host}:{target.port}"
    try:
        yield
    except addresses.AddressRefused as error:
        raise StoreError(str(error), is_outage=False) from error
    except paramiko.AuthenticationException as error:
        raise StoreError(
            f"{where} does not accept the user {target.user} with this key or"
            " password. Was it revoked?",
            is_outage=False,
        ) from error
    except FileNotFoundError as error:
        raise StoreError(f"{where} has no such file or folder.") from error
    except PermissionError as error:
        raise StoreError(f"{where} does not let us do that.") from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise StoreError(f"{where}: {error or type(error).__name__}") from error
