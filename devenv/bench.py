"""Benchmarks run in the environment of the tests, on a database of their own."""

import shlex
import subprocess

from . import modules, postgres, virtualenv
from .console import Problem
from .database import Databases
from .server import Odoo


def run(settings, source, name, arguments):
    """Run ``benchmarks/<name>.py``; return its exit code.

    It finds its database in ``SG_BENCH_DB`` and Odoo's configuration in ``ODOO_RC``;
    nobody else uses that database, and it is dropped afterwards.
    """
    script = settings.root / "benchmarks" / f"{name}.py"
    if not script.exists():
        known = sorted(path.stem for path in script.parent.glob("[a-z]*.py"))
        raise Problem(f"There is no benchmark {name!r}; there are: {', '.join(known)}.")
    virtualenv.ensure_extra(settings, "benchmarks/requirements.txt")
    names = [module.name for module in modules.present(settings.root)]
    with postgres.running(settings) as cluster:
        databases = Databases(settings, source, cluster)
        with databases.temporary(names, "bench") as database:
            odoo = Odoo(settings, source, cluster, database)
            return subprocess.call(
                [settings.venv_python, script, *shlex.split(arguments)],
                cwd=settings.root,
                env={**odoo.environment, "SG_BENCH_DB": database},
            )
