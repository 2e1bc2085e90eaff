"""Where Odoo 19 comes from: the person's checkout, else Debian's package, unpacked.

Odoo is not on PyPI. Debian's ``odoo-19`` is the community edition (LGPL-3). It is
downloaded through a private apt state that verifies the archive's signature, and
unpacked beside us: the machine's own apt sources and packages stay untouched.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import system
from .console import Problem, run, step
from .locks import exclusive

PACKAGE_PATH = "usr/lib/python3/dist-packages"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# the package's fonts and scripts are relative links into these
FROM_SID = (
    "odoo-19",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
# sid's version 7 has other file names than the links ask for
FROM_STABLE = ("fonts-font-awesome",)
STABLE = "bookworm"
# Debian strips it (it blurs a camera's background); where it is missing, every page
# logs an error, which Odoo's browser tests take for a failure
STRIPPED = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass(frozen=True)
class OdooSource:
    """A tree to put on the Python path, and its addons."""

    path: Path
    version: str
    addons: tuple


def locate(settings):
    """The Odoo of this environment, without making it: None if it is not there."""
    if settings.odoo_src:
        return _checkout(Path(settings.odoo_src).expanduser().resolve())
    unpacked = settings.state / "odoo" / PACKAGE_PATH
    # the package's other folder of addons has their code alone, without their data
    return _source(unpacked, "odoo/addons") if unpacked.exists() else None


def ensure(settings):
    """Return the Odoo of this environment, downloaded if need be."""
    with exclusive(settings, "odoo"):
        return locate(settings) or _unpack(settings)


def _checkout(path):
    if not (path / "odoo/release.py").exists():
        raise Problem(f"ODOO_SRC={path} is not a checkout of Odoo.")
    source = _source(path, "odoo/addons", "addons")
    if not source.version.startswith("19.0"):
        raise Problem(f"ODOO_SRC={path} is Odoo {source.version}, not 19.0.")
    return source


def _source(path, *addons):
    release = (path / "odoo" / "release.py").read_text()
    version = re.search(r"version_info = \((\d+), (\d+)", release)
    folders = tuple(path / folder for folder in addons)
    return OdooSource(path, ".".join(version.groups()), folders)


def _unpack(settings):
    target = settings.state / "odoo"
    work = settings.state / "odoo.partial"
    shutil.rmtree(work, ignore_errors=True)
    with step("downloading Odoo 19 (Debian package, 125 MB)"):
        packages = _download(settings, work)
    with step("unpacking Odoo 19 (1.2 GB)"):
        for package in packages:
            run(["dpkg-deb", "--extract", package, work / "tree"])
    stripped = work / "tree" / PACKAGE_PATH / STRIPPED
    stripped.parent.mkdir(parents=True, exist_ok=True)
    stripped.write_text("// not in the Debian package\n")
    (work / "tree").rename(target)
    shutil.rmtree(work)
    return locate(settings)


def _download(settings, work):
    archive = _archive(settings)
    keyring = _keyring(settings)
    for suite, packages in (("sid", FROM_SID), (STABLE, FROM_STABLE)):
        options = _private_apt(work / suite, f"deb [{keyring}] {archive} {suite} main")
        run(
            ["apt-get", *options, "update"],
            problem=f"The Debian archive {archive} did not answer as expected.",
        )
        run(
            ["apt-get", *options, "download", *packages],
            cwd=work / suite,
            problem="Odoo's packages could not be downloaded.",
        )
    return sorted(work.glob("*/*.deb"))


def _archive(settings):
    """The address of a Debian archive, from the machine's own configuration."""
    archive = settings.debian_mirror or _configured_archive()
    if not archive:
        system.apt_get("update")
        archive = _configured_archive()
    if not archive:
        raise Problem(
            "This machine's apt knows no Debian archive to take Odoo 19 from: set"
            " ODOO_SRC to a checkout of Odoo 19.0, or SG_DEBIAN_MIRROR to an archive."
        )
    return archive


def _configured_archive():
    if not shutil.which("apt-get"):
        return None
    rows = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Identifier: Packages",
        ],
        capture_output=True,
        text=True,
    ).stdout.split()
    return next((row for row in rows if row.rstrip("/").endswith("/debian")), None)


def _keyring(settings):
    if not KEYRING.exists():
        system.apt_get("install", "--yes", "debian-archive-keyring")
    return f"signed-by={KEYRING}"


def _private_apt(folder, source):
    """Options that make apt-get read and write in ``folder`` alone."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "sources.list").write_text(source + "\n")
    if os.geteuid() == 0:
        # apt drops its rights for downloads; the folder may not be open to others
        sandbox = ["-o", "APT::Sandbox::User=root"]
    else:
        sandbox = []
    return [
        "--quiet",
        *sandbox,
        *("-o", f"Dir::Etc::sourcelist={folder}/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null"),
        *("-o", f"Dir::State::Lists={folder}/lists"),
        *("-o", f"Dir::Cache={folder}/cache"),
    ]
