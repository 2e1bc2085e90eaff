# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The audit log's two claims: a long chain is verified in bounded memory, and writers
that run side by side neither fork it nor wait for each other.

Writers are processes with connections of their own, which really commit, while a sealer
is at work; one writer alone is the base line. The long chain is inserted by SQL with
digests computed as the model does, then sealed and verified by the model itself.

    make bench B=audit ARGS="--quick --json"
"""

import argparse
import json
import multiprocessing
import os
import resource
import time

from psycopg2.extras import execute_values

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

WRITERS = 8
COLUMNS = (
    "logged_at", "action", "res_model", "res_id", "user_id", "user_login", "reason",
    "before", "after", "digest",
)  # fmt: skip
BATCH = 10_000


def environment(cr):
    return api.Environment(cr, SUPERUSER_ID, {})


def write(database, entries):
    """One writer: a transaction for each entry, as a user's click would be."""
    registry = Registry(database)
    for number in range(entries):
        with registry.cursor() as cr:
            environment(cr)["sync.audit"]._log(
                "bench.written", after={"number": number}
            )


def seal_until(database, finished):
    registry = Registry(database)
    while not finished.is_set():
        with registry.cursor() as cr:
            environment(cr)["sync.audit"]._seal()


def throughput(database, writers, entries):
    """Entries a second of so many writers, with a sealer beside them."""
    fork = multiprocessing.get_context("fork")
    # the children inherit the loaded registry, but must not share a connection
    Registry(database)
    odoo.sql_db.close_all()
    finished = fork.Event()
    sealer = fork.Process(target=seal_until, args=(database, finished))
    processes = [
        fork.Process(target=write, args=(database, entries)) for _ in range(writers)
    ]
    sealer.start()
    started = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    elapsed = time.perf_counter() - started
    finished.set()
    sealer.join()
    assert not any(process.exitcode for process in processes), "a writer failed"
    return writers * entries / elapsed


def insert(database, count):
    """A long log, inserted without the ORM."""
    # importable once the configuration has told the addons' path
    from odoo.addons.sync_governance_base.models import sync_audit

    with Registry(database).cursor() as cr:
        for start in range(0, count, BATCH):
            rows = []
            for number in range(start, min(start + BATCH, count)):
                vals = {
                    "logged_at": "2026-01-01 00:00:00",
                    "action": "bench.inserted",
                    "res_model": "res.partner",
                    "res_id": number + 1,
                    "user_id": SUPERUSER_ID,
                    "user_login": "__system__",
                    "reason": "A reason of usual length",
                    "before": f'{{"street":"Old street {number}"}}',
                    "after": f'{{"street":"New street {number}"}}',
                }
                digest = sync_audit.hash_chain.content_hash(sync_audit._content(vals))
                rows.append((*vals.values(), digest))
            execute_values(
                cr._obj,
                f"INSERT INTO sync_audit ({', '.join(COLUMNS)}) VALUES %s",
                rows,
            )


def timed(database, method):
    """Seconds, growth of the peak memory in MB, and result of a method of the log."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    with Registry(database).cursor() as cr:
        result = getattr(environment(cr)["sync.audit"], method)()
    elapsed = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return elapsed, grown, result


def measure(database, quick):
    entries = 25 if quick else 100
    alone = throughput(database, 1, entries)
    together = throughput(database, WRITERS, entries)
    timed(database, "_seal")
    _seconds, _grown, (report, unsealed) = timed(database, "_verify")
    assert (
        report.valid and not unsealed and report.checked >= (WRITERS + 1) * entries
    ), report

    count = 50_000 if quick else 1_000_000
    insert(database, count)
    seal_seconds, _grown, sealed = timed(database, "_seal")
    verify_seconds, grown, (report, unsealed) = timed(database, "_verify")
    assert report.valid and sealed == count and not unsealed, report
    return {
        "writers_8_vs_1_ratio": round(together / alone, 2),
        "writes_per_s": round(together),
        "rows": report.checked,
        "seal_rows_per_s": round(sealed / seal_seconds),
        "verify_s": round(verify_seconds, 2),
        "verify_s_per_million": round(verify_seconds / report.checked * 1e6, 1),
        "verify_peak_memory_growth_mb": round(grown, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50,000 rows, under 60 s")
    parser.add_argument("--json", action="store_true", help="one JSON line at the end")
    options = parser.parse_args()
    config.parse_config(["--config", os.environ["ODOO_RC"]])
    figures = measure(os.environ["SG_BENCH_DB"], options.quick)
    print(
        f"8 writers do {figures['writers_8_vs_1_ratio']} times what one does, no fork"
    )
    print(f"sealing: {figures['seal_rows_per_s']:,} rows/s")
    print(
        f"verifying {figures['rows']:,} rows: {figures['verify_s']} s, "
        f"peak memory +{figures['verify_peak_memory_growth_mb']} MB"
    )
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
