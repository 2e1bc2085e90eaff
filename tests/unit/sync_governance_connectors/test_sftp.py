"""Files over SFTP, with a real server of another implementation."""

import dataclasses
from ipaddress import ip_network
from pathlib import Path
from runpy import run_path

import pytest

from odoo.addons.sync_governance_connectors.exchange.sftp import (
    Sftp,
    SftpTarget,
    read_host_key,
    read_private_key,
)
from odoo.addons.sync_governance_connectors.exchange.store import StoreError

SERVER = "sync_governance_connectors/tests/sftp_server.py"
# The addon's tests are a package that needs Odoo; this one module does not.
SftpServer = run_path(str(Path(__file__).parents[3] / SERVER))["SftpServer"]
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    instance = SftpServer(tmp_path_factory.mktemp("sftp"))
    (instance.folder / "out").mkdir()
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def target(server):
    return SftpTarget(
        host="wms.example",
        port=server.port,
        folder="out",
        user=server.user,
        host_key=server.host_key,
        password=server.password,
    )


@pytest.fixture
def session(target):
    one = connect(target)
    yield one
    one.close()


def connect(target, allowed=LOOPBACK, found=("127.0.0.1",)):
    return Sftp(target, allowed, lambda host, port: found)


def test_put_list_open_move(session, server):
    assert session.put("a.csv", [b"id\n", b"1\n" * 50_000]) == 100_003
    (entry,) = session.entries()
    assert (entry.name, entry.size) == ("a.csv", 100_003)
    with session.open("a.csv") as stream:
        assert stream.read(3) == b"id\n"
    session.put("a.csv", [b"new"])
    session.move("a.csv", "processed")
    assert session.entries() == []
    assert (server.folder / "out/processed/a.csv").read_bytes() == b"new"
    session.put("a.csv", [b"newer"])
    session.move("a.csv", "processed")
    assert (server.folder / "out/processed/a.csv").read_bytes() == b"newer"


def test_a_private_key_instead_of_a_password(target, server):
    session = connect(
        dataclasses.replace(target, password="", private_key=server.private_key)
    )
    session.entries()
    session.close()


def test_a_changed_host_key_is_refused(target, server):
    server.close()
    server.change_host_key()
    server.start()
    with pytest.raises(StoreError, match="another host key") as refusal:
        connect(target)
    assert not refusal.value.is_outage
    connect(dataclasses.replace(target, host_key=server.host_key)).close()


def test_a_revoked_login_is_told_from_an_outage(target, server):
    server.accepts_login = False
    try:
        with pytest.raises(StoreError, match="revoked") as refusal:
            connect(dataclasses.replace(target, host_key=server.host_key))
    finally:
        server.accepts_login = True
    assert not refusal.value.is_outage
    assert server.password not in str(refusal.value)


def test_a_server_that_is_down_is_an_outage(target, server):
    server.close()
    try:
        with pytest.raises(StoreError) as outage:
            connect(target)
    finally:
        server.start()
    assert outage.value.is_outage


@pytest.mark.parametrize("found", [("127.0.0.1",), ("93.184.216.34", "127.0.0.1")])
def test_private_addresses_are_refused(target, found):
    with pytest.raises(StoreError, match="private or reserved"):
        connect(target, allowed=(), found=found)


def test_a_folder_or_file_that_is_not_there(target, server):
    known = dataclasses.replace(target, host_key=server.host_key)
    with pytest.raises(StoreError, match="no such"):
        connect(dataclasses.replace(known, folder="nowhere"))
    session = connect(known)
    with pytest.raises(StoreError, match="no such"):
        session.open("missing.csv")
    session.close()


def test_keys_that_are_none_say_so_without_quoting_them():
    with pytest.raises(StoreError, match="ssh-keyscan"):
        read_host_key("ssh-ed25519 nonsense")
    with pytest.raises(StoreError) as refusal:
        read_private_key("-----BEGIN PRIVATE KEY----- topsecret")
    assert "topsecret" not in str(refusal.value)


def test_a_line_of_ssh_keyscan_is_a_host_key(server):
    key = read_host_key(f"wms.example {server.host_key}")
    assert key.get_name() == "ssh-ed25519"
