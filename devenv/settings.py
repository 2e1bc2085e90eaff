"""Every setting of the environment, each with an environment variable and a default."""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# variable: (default, what it means); the CLI's --help prints this table.
VARIABLES = {
    "SG_STATE_DIR": (".local", "folder of everything generated"),
    "ODOO_SRC": ("", "your own checkout of Odoo 19.0, used instead of the package"),
    "SG_DEBIAN_MIRROR": ("", "Debian archive to take Odoo from, if apt has none"),
    "SG_HTTP_PORT": ("8069", "port of the demo server, on 127.0.0.1"),
    "SG_GEVENT_PORT": ("8072", "websocket port, used only with workers"),
    "SG_RECEIVER_PORT": ("8075", "port of the demo's webhook receivers"),
    "SG_WORKERS": ("0", "HTTP workers of the demo server; 0 = threads, one port"),
    "SG_CHANNELS": ("root:4", "channels of the queue_job runner"),
    "SG_DB": ("sync_governance_demo", "name of the demo database"),
    "SG_PYTHON": (sys.executable, "interpreter the virtual environment is made from"),
    "SG_CHROMIUM": ("", "browser for tours and browser tests; found when empty"),
}


@dataclass(frozen=True)
class Settings:
    """The values in force, and the paths that follow from them."""

    state: Path
    odoo_src: str
    debian_mirror: str
    http_port: int
    gevent_port: int
    receiver_port: int
    workers: int
    channels: str
    database: str
    python: str
    chromium: str
    root: Path = ROOT

    @classmethod
    def from_environment(cls):
        values = {
            name: os.environ.get(name) or default
            for name, (default, _meaning) in VARIABLES.items()
        }
        return cls(
            state=(ROOT / values["SG_STATE_DIR"]).resolve(),
            odoo_src=values["ODOO_SRC"],
            debian_mirror=values["SG_DEBIAN_MIRROR"],
            http_port=int(values["SG_HTTP_PORT"]),
            gevent_port=int(values["SG_GEVENT_PORT"]),
            receiver_port=int(values["SG_RECEIVER_PORT"]),
            workers=int(values["SG_WORKERS"]),
            channels=values["SG_CHANNELS"],
            database=values["SG_DB"],
            python=values["SG_PYTHON"],
            chromium=values["SG_CHROMIUM"],
        )

    @property
    def venv(self):
        return self.state / "venv"

    @property
    def venv_python(self):
        return self.venv / "bin" / "python"

    @property
    def data_dir(self):
        """Odoo's data folder: filestores and sessions."""
        return self.state / "odoo-data"

    @property
    def log_dir(self):
        return self.state / "log"

    @property
    def key(self):
        """A short name for this state folder, the same at each call."""
        return hashlib.sha256(str(self.state).encode()).hexdigest()[:12]
