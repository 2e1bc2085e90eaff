"""The test run: parts, each a pytest process of its own, and one closing line.

Pure tests must not share a process with Odoo, and each module's tests want a
database of their own: so every part is a process, and its JUnit file tells us
how many tests ran.
"""

import json
import shlex
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import modules, postgres
from .console import Problem, say
from .database import Databases
from .server import Odoo

COUNTS = "tests/expected_counts.json"
# in the order they run: the fast and telling ones first
PLAIN_PARTS = ("tests/unit", "tests/test_architecture.py")
LATE_PARTS = (
    "tests/test_packaging.py",
    "tests/e2e",
    "tests/faults",
    "tests/browser",
)
NO_TESTS = 5  # pytest's exit code; the recorded counts judge it
OUTCOMES = ("passed", "failed", "skipped")


@dataclass(frozen=True)
class Part:
    """One pytest process: a module's Odoo tests, or tests that need no Odoo."""

    name: str
    target: str
    module: modules.Module | None = None

    @property
    def is_whole(self):
        return self.name == self.target


def plan(settings, target=""):
    """The parts a target asks for: all, those below a folder, or one path[::node]."""
    present = {module.name: module for module in modules.present(settings.root)}
    names = [*PLAIN_PARTS, *present, *LATE_PARTS]
    target = target.rstrip("/")
    path = target.split("::")[0]
    if not (settings.root / path).exists():
        raise Problem(f"There is no {path} to test.")
    whole = [name for name in names if not target or _inside(name, target)]
    if whole:
        there = [name for name in whole if (settings.root / name).exists()]
        return [Part(name, name, present.get(name)) for name in there]
    name = next((name for name in names if _inside(path, name)), path)
    return [Part(name, target, present.get(name))]


def run(settings, source, target="", arguments="", record=False):
    """Run the parts of a target; return the exit code.

    :param arguments: more of pytest's, as one string
    :param record: raise the recorded counts to those of this run
    """
    options = shlex.split(arguments)
    results = {
        part: _run_part(settings, source, part, options)
        for part in plan(settings, target)
    }
    if record:
        _record(settings, results)
    # pytest's options may choose some tests: then no count is wrong
    shortfalls = [] if options else _shortfalls(settings, results)
    return _close(results, shortfalls)


def _inside(path, name):
    return path == name or path.startswith(f"{name}/")


def _run_part(settings, source, part, options):
    say(f"testing {part.target}")
    with tempfile.TemporaryDirectory(prefix="sg-tests-") as folder:
        report = Path(folder) / "report.xml"
        options = [f"--junitxml={report}", *options, part.target]
        try:
            run_part = _run_odoo if part.module else _run_plain
            return _count(report, run_part(settings, source, part, options))
        except Problem as problem:
            # a module that does not install fails; the other parts still tell
            print(f"FAILED {part.name}: {problem}")
            return Counter(failed=1)


def _run_plain(settings, _source, _part, options):
    """Tests without Odoo in their process; some start a server of their own."""
    command = [*_pytest(settings), "-p", "no:odoo", *options]
    return _call(command, settings, None)


def _run_odoo(settings, source, part, options):
    """A module's own tests, in a database with it and what it depends on."""
    name = part.module.name
    label = name.removeprefix("sync_governance_")
    with postgres.running(settings) as cluster:
        databases = Databases(settings, source, cluster)
        with databases.temporary([name], label) as database:
            odoo = Odoo(settings, source, cluster, database)
            odoo_options = ["--odoo-http", f"--odoo-database={database}"]
            odoo_options.append(f"--odoo-config={odoo.config}")
            command = [*_pytest(settings), *odoo_options, *options]
            return _call(command, settings, odoo.environment)


def _pytest(settings):
    return [str(settings.venv_python), "-m", "pytest"]


def _call(command, settings, environment):
    """Run pytest; an interruption reaches it once, and its fixtures end in order."""
    process = subprocess.Popen(
        command, cwd=settings.root, env=environment, start_new_session=True
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def _count(report, code):
    """Outcomes of a part; a process that died without a report is a failure."""
    counts = Counter()
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            counts[_outcome(case)] += 1
    if code not in (0, NO_TESTS) and not counts["failed"]:
        counts["failed"] += 1
    return counts


def _outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _shortfalls(settings, results):
    """Sentences about parts that ran fewer tests than recorded, or none at all."""
    expected = _load_counts(settings)
    for part, counts in results.items():
        ran = counts["passed"] + counts["failed"]
        least = max(expected.get(part.name, 0), 1 if part.module else 0)
        if part.is_whole and ran < least:
            yield f"{part.name}: {ran} tests ran, at least {least} are expected"


def _load_counts(settings):
    path = settings.root / COUNTS
    return json.loads(path.read_text()) if path.exists() else {}


def _record(settings, results):
    """Raise the recorded counts; lowering one is a person's decision."""
    counts = _load_counts(settings)
    for part, result in results.items():
        if part.is_whole:
            ran = result["passed"] + result["failed"]
            counts[part.name] = max(ran, counts.get(part.name, 0))
    text = json.dumps(counts, indent=2, sort_keys=True)
    (settings.root / COUNTS).write_text(text + "\n")


def _close(results, shortfalls):
    total = sum(results.values(), Counter())
    shortfalls = list(shortfalls)
    for part, counts in results.items():
        print(f"{part.target}: {_sentence(counts)}")
    for shortfall in shortfalls:
        print(f"FAILED {shortfall}")
    total["failed"] += len(shortfalls)
    print(_sentence(total), flush=True)
    return 1 if total["failed"] or not total["passed"] else 0


def _sentence(counts):
    parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES]
    return ", ".join(parts if counts["skipped"] else parts[:2])
