"""Packages of the operating system: installed once, with sudo if not root."""

import os
import shutil
import subprocess
from pathlib import Path

from .console import Problem, run, step

# what proves that it is there: the packages that bring it
REQUIREMENTS = {
    "postgresql": "postgresql",
    "chromium": "chromium",
    "venv": "python3-venv",
    "dpkg-deb": "dpkg",
    "roboto": "fonts-roboto-unhinted",
    "rabbitmq": "rabbitmq-server",
    "php": "php-cli",
    "curl": "curl",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def ensure(settings):
    """Install what is missing; costs milliseconds when nothing is."""
    missing = [
        package
        for need, package in REQUIREMENTS.items()
        if not _present(settings, need)
    ]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise Problem(
            f"Install {', '.join(missing)} first: this machine has no apt-get."
        )
    with step(f"installing system packages: {', '.join(missing)}"):
        apt_get("update")
        _check_known(missing)
        apt_get("install", "--yes", "--no-install-recommends", *missing)


def _check_known(packages):
    """Ubuntu's archive, for one, has no package of a Chromium that is not a snap."""
    for package in packages:
        known = subprocess.run(["apt-cache", "show", package], capture_output=True)
        if known.returncode:
            hint = " or set SG_CHROMIUM to one" if package == "chromium" else ""
            raise Problem(f"This machine's apt has no {package}: install it{hint}.")


def apt_get(*arguments):
    """Run apt-get on the machine's own configuration, as root."""
    prefix = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise Problem(
                "System packages are missing and there is neither root nor sudo."
            )
        prefix = ["sudo", "--preserve-env=DEBIAN_FRONTEND"]
    run(
        [*prefix, "apt-get", "--quiet", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        problem=f"apt-get {arguments[0]} failed; the lines above say why.",
    )


def browser(settings):
    """The path of a Chromium, or None."""
    candidates = [settings.chromium] if settings.chromium else BROWSERS
    return next(filter(None, map(shutil.which, candidates)), None)


def postgresql_bin():
    """The folder of the newest PostgreSQL server programs, or None."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
    )
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def rabbitmq_bin():
    """The folder of RabbitMQ's own programs, or None: those on the path want root."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))
    return found[-1].parent if found else None


def _present(settings, need):
    if need == "postgresql":
        return bool(postgresql_bin())
    if need == "rabbitmq":
        return bool(rabbitmq_bin())
    if need == "chromium":
        return bool(browser(settings))
    if need == "venv":
        return settings.venv_python.exists() or _python_makes_venvs(settings)
    if need == "roboto":
        return any(Path("/usr/share/fonts").rglob("Roboto-Regular.*"))
    return bool(shutil.which(need))


def _python_makes_venvs(settings):
    check = [settings.python, "-c", "import ensurepip, venv"]
    return subprocess.run(check, capture_output=True).returncode == 0
