"""Odoo's configuration and processes."""

import base64
import json
import os
import re
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import postgres, processes, virtualenv
from .console import Problem, run

RESULT = "sync-governance-result:"

CONFIGURATION = """\
[options]
addons_path = {addons_path}
data_dir = {data_dir}
db_host = {db_host}
db_user = {db_user}
db_name = {database}
dbfilter = ^{database}$
list_db = False
admin_passwd = {admin_password}
server_wide_modules = base,rpc,web,queue_job
with_demo = True
http_interface = 127.0.0.1
http_port = {http_port}
gevent_port = {gevent_port}
proxy_mode = False
workers = {workers}
max_cron_threads = {cron_threads}
limit_time_real = 600
limit_time_cpu = 600
limit_memory_soft = 0
limit_memory_hard = 0

[queue_job]
channels = {channels}

[sync_governance]
encryption_key = {key}
"""


class Odoo:
    """One configured Odoo: a database, ports, a configuration file."""

    def __init__(self, settings, source, cluster, database, **options):
        """Write the configuration.

        :param options: ``workers``, ``http_port``, ``gevent_port``, ``channels``,
            ``cron_threads``; what is not given is quiet: free ports, no workers,
            no cron, no job runner. ``suite``: the folder our modules come from,
            if not this tree. ``name``: of its configuration and log, for a second
            node of a database. ``variables``: more of its environment
        """
        self.settings = settings
        self.cluster = cluster
        self.database = database
        self.http_port = options.get("http_port") or free_port()
        self.variables = options.get("variables", {})
        name = options.get("name", database)
        self.config = settings.state / "conf" / f"{name}.conf"
        self.log = settings.log_dir / f"{name}.log"
        addons = [*addons_path(settings, source), options.get("suite", settings.root)]
        text = CONFIGURATION.format(
            addons_path=",".join(map(str, addons)),
            data_dir=settings.data_dir,
            db_host=cluster.socket,
            db_user=cluster.environment["PGUSER"],
            database=database,
            key=encryption_key(settings),
            admin_password=secrets.token_urlsafe(),
            http_port=self.http_port,
            gevent_port=options.get("gevent_port") or free_port(),
            workers=options.get("workers", 0),
            cron_threads=options.get("cron_threads", 0),
            channels=options.get("channels", "root:0"),
        )
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def environment(self):
        """The environment of this Odoo's processes."""
        return {
            **os.environ,
            **self.cluster.environment,
            "SYNC_GOVERNANCE_KEY": encryption_key(self.settings),
            "ODOO_RC": str(self.config),
            **self.variables,
        }

    def command(self, *arguments):
        """The command line of ``odoo`` with this configuration."""
        return [str(self.settings.venv_python), "-m", "odoo", *arguments]

    def evaluate(self, code):
        """Run Python in ``odoo shell``; what it assigns to ``result`` comes back.

        Its values pass through JSON, dates and the like as text. The code commits
        with ``env.cr.commit()`` if it wants to.
        """
        tail = f"\nimport json; print({RESULT!r} + json.dumps(result, default=str))\n"
        output = run(
            self.command("shell", "--config", self.config, "--no-http"),
            input="result = None\n" + code + tail,
            env=self.environment,
            problem="The code in odoo shell failed.",
        )
        found = re.search(rf"^{RESULT}(.*)$", output, re.MULTILINE)
        if not found:
            raise Problem(f"The code in odoo shell had no result:\n{output[-3000:]}")
        return json.loads(found[1])

    def start(self):
        """Start the server in the background; PostgreSQL runs as long as it does."""
        check_port_free(self.http_port)
        with self.log.open("ab") as log, postgres.user(self.settings) as lock:
            process = subprocess.Popen(
                self.command("server", "--config", str(self.config)),
                cwd=self.settings.state,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
        return processes.Process.of(process.pid)

    def wait_until_it_answers(self, process, seconds=180):
        """Return when the server answers HTTP requests for its database."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not process.is_alive():
                raise Problem(f"Odoo stopped while starting; its log is {self.log}.")
            if self._answers():
                return
            time.sleep(0.2)
        raise Problem(f"Odoo did not answer in {seconds} s; its log is {self.log}.")

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/web/login", timeout=60) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def addons_path(settings, source):
    """The folders of addons that are not ours: Odoo's, and those from PyPI."""
    return [*source.addons, virtualenv.addons(settings)]


def encryption_key(settings):
    """The key of secrets at rest: made once per state folder, never in the tree."""
    path = settings.state / "encryption.key"
    if not path.exists():
        partial = path.with_name(f"encryption.key.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        partial.rename(path)
    return path.read_text()


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_port_free(port, variable="SG_HTTP_PORT"):
    """Say in time, and in one sentence, that a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"Port {port} is in use: stop what listens there or set {variable}."
            ) from error
