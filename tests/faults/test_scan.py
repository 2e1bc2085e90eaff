"""A worker that is killed in the midst of a duplicate scan costs a slice of it."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from devenv.server import Odoo

MODULES = ["sync_governance_base", "sync_governance_dedup"]
SCANNER = Path(__file__).parent / "scanner.py"
PEOPLE = """
heads = ["Krum", "Zabel", "Unter", "Hohen", "Oster", "Linden"]
tails = ["biegel", "stein", "huber", "adler", "wieser"]
env["res.partner"].create([
    {"name": first + " " + head + tail, "phone": f"+49 {head_no}{tail_no}1 77088",
     "email": (head + tail).lower() + "@people.example"}
    for head_no, head in enumerate(heads, 2) for tail_no, tail in enumerate(tails, 3)
    for first in ("Ottilie", "O.")])
env.cr.execute("DELETE FROM sync_duplicate_key")
env.cr.execute("DELETE FROM sync_duplicate_group")
env.cr.commit()
"""


@pytest.fixture(scope="module")
def base(settings, databases):
    """A database with twins, without a server."""
    with databases.temporary(MODULES, "scan") as database:
        odoo = Odoo(settings, databases.source, databases.cluster, database)
        odoo.evaluate(PEOPLE)
        yield odoo


def scan(odoo, fatal=0):
    """:return: exit code of a scanner that dies with slice number ``fatal``"""
    command = [odoo.settings.venv_python, SCANNER, odoo.config, odoo.database, fatal]
    return subprocess.run(
        [str(part) for part in command],
        env=odoo.environment,
        cwd=odoo.settings.root,
        timeout=120,
        check=False,
    ).returncode


def rows(odoo, statement):
    text = odoo.cluster.sql(
        f"SELECT json_agg(row) FROM ({statement}) row", odoo.database
    )
    return json.loads("".join(text) or "[]")


def outcome(odoo):
    """What a scan has left: groups with their members, evidence, and all the keys."""
    groups = rows(
        odoo,
        "SELECT g.score, array_agg(m.record_id ORDER BY m.record_id) AS members,"
        " (SELECT count(*) FROM sync_duplicate_evidence e"
        " WHERE e.group_id = g.id) AS evidence"
        " FROM sync_duplicate_group g JOIN sync_duplicate_member m ON m.group_id = g.id"
        " GROUP BY g.id ORDER BY min(m.record_id)",
    )
    keys = rows(odoo, "SELECT res_id, keys FROM sync_duplicate_key ORDER BY 1")
    return groups, keys


def test_a_scan_that_is_killed_again_and_again_finds_what_it_would_have_found(base):
    for fatal in (2, 1, 3, 2, 1, 2):
        assert scan(base, fatal) == -signal.SIGKILL
        [left] = rows(base, "SELECT state, phase FROM sync_duplicate_scan")
        assert left["state"] == "running"
    assert scan(base) == 0
    [done] = rows(base, "SELECT state, group_count FROM sync_duplicate_scan")
    killed = outcome(base)
    assert done["state"] == "done" and done["group_count"] == len(killed[0]) >= 20
    for table in ("scan", "key", "group"):
        base.cluster.sql(f"DELETE FROM sync_duplicate_{table}", base.database)
    assert scan(base) == 0
    assert outcome(base) == killed
