"""A private PostgreSQL cluster: no TCP, one Unix socket, gone when nobody uses it.

Who uses the cluster holds a shared lock on ``users.lock``: a test run while it runs,
a background server through a file descriptor it inherits. Who leaves last stops the
cluster, so nothing that was started here stays behind.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import system
from .console import Problem, run, say
from .locks import exclusive

ROLE = "odoo"
SOCKET_PATH_LIMIT = 100  # the kernel's is 107 bytes
CONFIGURATION = """
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
"""


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is, and the programs that serve it."""

    data: Path
    socket: Path
    log: Path
    programs: Path

    @property
    def environment(self):
        """What makes libpq's programs and libraries connect to this cluster."""
        return {"PGHOST": str(self.socket), "PGUSER": ROLE, "PGPORT": "5432"}

    def sql(self, statement, database="postgres", user=ROLE):
        """Run one statement; return its rows as lines of text."""
        command = [self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
        return run(
            [*command, "-d", database, "-U", user, "-c", statement],
            env={**os.environ, **self.environment},
            problem=f"PostgreSQL refused: {statement}",
        ).splitlines()

    def command(self, program, *arguments):
        """Run one of PostgreSQL's client programs."""
        return run(
            [self.programs / program, *arguments],
            env={**os.environ, **self.environment},
        )


@contextmanager
def running(settings):
    """Start the cluster if need be, and stop it if no one else uses it at the end."""
    cluster = locate(settings)
    try:
        with user(settings):
            with exclusive(settings, "postgres"):
                _start(settings, cluster)
            yield cluster
    finally:
        stop_if_unused(settings)


@contextmanager
def user(settings, operation=fcntl.LOCK_SH):
    """Be counted as a user of the cluster, or make who inherits the file be one.

    :return: the lock's file, or None if ``operation`` does not wait and failed
    """
    path = settings.state / "locks" / "postgres-users.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, operation)
        except BlockingIOError:
            lock = None
        yield lock


def stop_if_unused(settings):
    """Stop the cluster unless someone is counted as a user."""
    cluster = locate(settings)
    with user(settings, fcntl.LOCK_EX | fcntl.LOCK_NB) as is_alone:
        if is_alone and _is_up(cluster):
            _pg_ctl(cluster, "stop", "--mode=fast")


def locate(settings):
    """Say where the cluster is; it need not exist yet."""
    programs = system.postgresql_bin()
    if not programs:
        raise Problem("PostgreSQL's server programs were not found.")
    home = _home(settings)
    socket = home / "socket"
    if len(str(socket / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
        socket = Path(tempfile.gettempdir()) / f"sg-{settings.key}"
    return Cluster(home / "data", socket, home / "postgresql.log", programs)


def crash(cluster):
    """End every server process at once, as when the machine does, and start again."""
    _pg_ctl(cluster, "restart", "--mode=immediate", "--log", cluster.log)


def remove(settings):
    """Delete the stopped cluster."""
    cluster = locate(settings)
    shutil.rmtree(cluster.data.parent, ignore_errors=True)
    shutil.rmtree(cluster.socket, ignore_errors=True)


def _home(settings):
    """The cluster's folder: in the state folder if its user may go there.

    PostgreSQL refuses to run as root, and the user it then runs as may not enter
    a folder below /root, for example.
    """
    if os.geteuid() != 0 or _may_enter(settings.state):
        return settings.state / "postgres"
    return Path("/var/tmp") / f"sync-governance-{settings.key}"


def _may_enter(folder):
    command = _as_server_user(["test", "-x", folder])
    return subprocess.run(command, capture_output=True).returncode == 0


def _as_server_user(command):
    """PostgreSQL's programs do not run as root."""
    command = [str(part) for part in command]
    return ["runuser", "-u", "postgres", "--", *command] if _is_root() else command


def _is_root():
    return os.geteuid() == 0


def _start(settings, cluster):
    if not (cluster.data / "PG_VERSION").exists():
        _create(settings, cluster)
    if _is_up(cluster):
        return
    _own_folder(cluster.socket)
    _pg_ctl(cluster, "start", "--log", cluster.log, "--timeout=60")
    if not cluster.sql(
        f"SELECT 1 FROM pg_roles WHERE rolname='{ROLE}'", user="postgres"
    ):
        cluster.sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB", user="postgres")


def _create(settings, cluster):
    say(f"creating a PostgreSQL cluster in {cluster.data.parent}")
    _own_folder(cluster.data.parent)
    partial = cluster.data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    run(
        _as_server_user(
            [
                cluster.programs / "initdb",
                f"--pgdata={partial}",
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ]
        ),
        cwd="/",
        problem="PostgreSQL could not create a cluster.",
    )
    with (partial / "postgresql.conf").open("a") as stream:
        stream.write(CONFIGURATION)
        stream.write(f"unix_socket_directories = '{cluster.socket}'\n")
    partial.rename(cluster.data)


def _own_folder(folder):
    """A folder that only PostgreSQL's user (and root) can enter: hence 'trust'."""
    folder.mkdir(parents=True, exist_ok=True)
    if _is_root():
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o700)


def _is_up(cluster):
    command = _as_server_user(
        [cluster.programs / "pg_ctl", "-D", cluster.data, "status"]
    )
    return subprocess.run(command, cwd="/", capture_output=True).returncode == 0


def _pg_ctl(cluster, verb, *options):
    # the server inherits pg_ctl's output: a pipe would never end
    command = [cluster.programs / "pg_ctl", "-D", cluster.data, "-w", verb, *options]
    done = subprocess.run(
        _as_server_user(command),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if done.returncode:
        raise Problem(f"PostgreSQL did not {verb}; its log is {cluster.log}.")
