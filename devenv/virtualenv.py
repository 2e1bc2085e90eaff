"""The virtual environment: Odoo's requirements, queue_job, ours and the tools."""

import hashlib
import shutil

from .console import run, step
from .locks import exclusive

# asks pip for a distribution "odoo", which PyPI does not have: hence --no-deps
QUEUE_JOB = "odoo-addon-queue-job==19.0.2.4.0.1"
REQUIREMENTS = (
    "devenv/requirements-odoo.txt",
    "requirements.txt",
    "devenv/requirements-dev.txt",
)


def ensure(settings, source):
    """Make the environment, or bring it up to date with the requirement files.

    The stamp is written last: an interrupted run starts pip again, whose cache
    makes it continue where it was.
    """
    stamp = settings.venv / "requirements.sha256"
    wanted = _fingerprint(settings)
    with exclusive(settings, "venv"):
        if not (stamp.exists() and stamp.read_text() == wanted):
            with step("installing Python packages into the virtual environment"):
                _install(settings)
            stamp.write_text(wanted)
        _link_odoo(settings, source)


def _install(settings):
    if not (settings.venv / "bin" / "pip").exists():
        shutil.rmtree(settings.venv, ignore_errors=True)
        run([settings.python, "-m", "venv", settings.venv])
    files = [part for name in REQUIREMENTS for part in ("-r", settings.root / name)]
    log = settings.log_dir / "pip.log"
    failed = "pip could not install the Python packages."
    pip = [settings.venv_python, "-m", "pip", "install"]
    run([*pip, "setuptools<81", "wheel"], log=log, problem=failed)
    run([*pip, *files], log=log, problem=failed)
    run([*pip, "--no-deps", QUEUE_JOB], log=log, problem=failed)


def site_packages(settings):
    """The folder of the environment's packages."""
    return next((settings.venv / "lib").glob("python3.*/site-packages"))


def addons(settings):
    """The folder of addons that came from PyPI."""
    return site_packages(settings) / "odoo" / "addons"


def _link_odoo(settings, source):
    """Put Odoo on the environment's path, behind its own packages."""
    link = site_packages(settings) / "odoo-source.pth"
    if not link.exists() or link.read_text() != f"{source.path}\n":
        link.write_text(f"{source.path}\n")


def _fingerprint(settings):
    digest = hashlib.sha256(QUEUE_JOB.encode())
    for name in REQUIREMENTS:
        digest.update((settings.root / name).read_bytes())
    return digest.hexdigest()
