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
    """Make the environment, or bring it up to date with the requirement files."""
    with exclusive(settings, "venv"):
        if not (settings.venv / "bin" / "pip").exists():
            shutil.rmtree(settings.venv, ignore_errors=True)
            run([settings.python, "-m", "venv", settings.venv])
        _install(settings, "venv", REQUIREMENTS)
        _link_odoo(settings, source)


def ensure_extra(settings, requirements):
    """Add what only some uses need."""
    if (settings.root / requirements).exists():
        with exclusive(settings, "venv"):
            _install(settings, requirements.replace("/", "-"), [requirements])


def _install(settings, name, requirements):
    """Install requirement files, unless their stamp says that it was done.

    The stamp is written last: an interrupted run starts pip again, whose cache
    makes it continue where it was.
    """
    stamp = settings.venv / f"{name}.sha256"
    wanted = _fingerprint(settings, requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    files = [part for file in requirements for part in ("-r", settings.root / file)]
    with step(f"installing Python packages of {', '.join(requirements)}"):
        _pip(settings, "setuptools<81", "wheel")
        _pip(settings, *files)
        _pip(settings, "--no-deps", QUEUE_JOB)
    stamp.write_text(wanted)


def _pip(settings, *arguments):
    run(
        [settings.venv_python, "-m", "pip", "install", *arguments],
        log=settings.log_dir / "pip.log",
        problem="pip could not install the Python packages.",
    )


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


def _fingerprint(settings, requirements):
    digest = hashlib.sha256(QUEUE_JOB.encode())
    for name in requirements:
        digest.update((settings.root / name).read_bytes())
    return digest.hexdigest()
