"""An Odoo server with its job runner, and the partners' receivers beside it.

The demo is one with fixed ports; the tests over HTTP and in the browser start one
with free ports on a database of their own.
"""

import os
import re
import shutil
import subprocess
import time

from . import processes
from .console import Problem
from .server import check_port_free

# what the receivers answer before they accept: two retries to see
OUTAGE = "wms:order.confirmed:2"


class World:
    """A server and its receivers; ``folder`` remembers what was started."""

    def __init__(self, settings, odoo, folder, receiver_port):
        self.settings = settings
        self.odoo = odoo
        self.url = odoo.url
        self.db = odoo.database
        self.config = odoo.config
        self.folder = folder
        self.receiver_port = receiver_port
        self.receiver_url = f"http://127.0.0.1:{receiver_port}"
        self.receiver_log = folder / "receivers.jsonl"

    def start(self):
        """Start both; return when both answer, or stop what was started."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            if has_story(self.settings):
                self._start_receivers()
            server = self.odoo.start()
            server.save(pid_file(self.folder, "server"))
            self.odoo.wait_until_it_answers(server)
        except BaseException:
            stop(self.folder)
            raise

    def stop(self):
        """Stop both."""
        stop(self.folder)

    def shell(self, code):
        """Run Python in ``odoo shell`` here; see :meth:`Odoo.evaluate`."""
        return self.odoo.evaluate(code)

    def story_command(self, *options):
        """The command line that plays the story here."""
        command = [
            *(self.settings.venv_python, "-m", "devenv.story"),
            *("--config", self.config, "--db", self.db, "--url", self.url),
            *("--receiver-url", self.receiver_url, "--state", self.folder.parent),
            *options,
        ]
        return [str(part) for part in command]

    def _start_receivers(self):
        check_port_free(self.receiver_port, "SG_RECEIVER_PORT")
        log = self.folder / "receiver.log"
        command = [
            *(str(self.settings.venv_python), "-m", "devenv.story.receiver"),
            *("--port", str(self.receiver_port), "--outage", OUTAGE),
            *("--log", str(self.receiver_log)),
            *("--secrets", str(self.folder / "receiver_secrets.json")),
        ]
        with log.open("w") as stream:
            child = subprocess.Popen(
                command,
                cwd=self.settings.root,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = processes.Process.of(child.pid)
        process.save(pid_file(self.folder, "receiver"))
        # they print their port first
        while not re.match(r"\d+\n", log.read_text()):
            if not process.is_alive():
                raise Problem(f"The receivers did not start; their log is {log}.")
            time.sleep(0.1)


def stop(folder):
    """Stop what a world with this folder started, and nothing else."""
    for name in ("server", "receiver"):
        path = pid_file(folder, name)
        process = processes.Process.load(path)
        if process:
            process.stop()
        path.unlink(missing_ok=True)


def sweep(settings):
    """Stop and forget the worlds of test runs that were killed."""
    for state in settings.state.glob("worlds/*"):
        if not os.path.exists(f"/proc/{state.name.rpartition('_')[2]}"):
            stop(state / "demo")
            shutil.rmtree(state)


def pid_file(folder, name):
    return folder / f"{name}.pid"


def has_story(settings):
    return (settings.root / "devenv/story/__main__.py").exists()
