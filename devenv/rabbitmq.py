"""A private RabbitMQ: its own folder, ports and names, gone when it is stopped."""

import os
import secrets
import shutil
import socket
import subprocess
import time

from . import processes, system
from .console import Problem
from .server import free_port

USER = "erp"
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
loopback_users = none
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
log.console = false
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 1MB
"""
TLS_CONFIGURATION = """\
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {folder}/authority.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
"""


class RabbitMq:
    """One broker on loopback, with one user whom a client certificate may prove too.

    :param folder: everything the broker writes; deleted by :meth:`stop`
    :param authority: PEM of who signs client certificates, and ``server`` certificate
        and key of the broker itself; without both it speaks no TLS
    """

    def __init__(self, folder, authority="", server=""):
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port() if server else 0
        self.user, self.password = USER, secrets.token_urlsafe()
        self._ports = {"node": free_port(), "epmd": free_port()}
        self._log = folder / "broker.log"
        self._process = None
        folder.mkdir(parents=True)
        text = CONFIGURATION.format(
            port=self.port, user=USER, password=self.password, folder=folder
        )
        if server:
            (folder / "authority.pem").write_text(authority)
            (folder / "server.pem").write_text(server)
            text += TLS_CONFIGURATION.format(port=self.tls_port, folder=folder)
        (folder / "rabbitmq.conf").write_text(text)
        plugins = "[rabbitmq_auth_mechanism_ssl].\n" if server else "[].\n"
        (folder / "enabled_plugins").write_text(plugins)

    def start(self, seconds=90):
        """Start it, again after a kill; return when it accepts connections."""
        programs = system.rabbitmq_bin()
        if not programs:
            raise Problem("RabbitMQ is missing: install the package rabbitmq-server.")
        with self._log.open("a") as log:
            child = subprocess.Popen(
                [programs / "rabbitmq-server"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = processes.Process.of(child.pid)
        deadline = time.monotonic() + seconds
        while not self._accepts():
            if time.monotonic() > deadline or not self._process.is_alive():
                self.stop()
                raise Problem(f"RabbitMQ did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()

    def stop(self):
        """End it and the name server that Erlang started for it; delete its folder."""
        if self._process:
            self._process.kill()
        epmd = shutil.which("epmd")
        if epmd:
            command = [epmd, "-port", str(self._ports["epmd"]), "-kill"]
            subprocess.run(command, env=self._environment(), capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accepts(self):
        """Whether the last of its listeners is there: queues are recovered by then."""
        try:
            address = ("127.0.0.1", self.tls_port or self.port)
            with socket.create_connection(address, timeout=1):
                return True
        except OSError:
            return False

    def _environment(self):
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
            "RABBITMQ_NODENAME": f"sg{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._ports["node"]),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
