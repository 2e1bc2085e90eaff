# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners' ways in and the feed of events: webhooks, batch imports, reconciliation.

    make bench B=partners ARGS="--quick --json"

Webhooks come at a fixed rate, whether the ones before were answered or not, to a server
with two workers. Import and reconciliation run as their queue jobs do, step by step,
each in a transaction of its own. The feed is read in pages of 100, from places all over
it, by a system that may read everything and by one that knows each hundredth record.
"""

import argparse
import base64
import csv
import hashlib
import hmac
import io
import json
import os
import resource
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inbound import Client, Database, Server

RATE = 50
PLANTED = 50
TARGETS = {
    "hook_p99_ms": 50.0,
    "import_rows_per_s": None,
    "import_peak_rss_mb": None,
    "import_rss_growth_mb": None,
    "reconcile_100k_s": 60.0,
    "reconcile_found": PLANTED,
    "reconcile_false": 0,
    "feed_p50_ms": None,
    "feed_p95_ms": 50.0,
    "feed_sparse_p50_ms": None,
    "feed_sparse_p95_ms": None,
}


class Partner:
    """The records that the measurements need."""

    def __init__(self):
        self.registry = Database().registry

    def work(self, act):
        """Do something in a transaction of its own. :return: what it returns"""
        from odoo import SUPERUSER_ID, api

        with self.registry.cursor() as cr:
            return act(api.Environment(cr, SUPERUSER_ID, {}))

    def secret(self):
        return self.work(lambda env: _shop(env)._set_inbound_secret())

    def drop_all_policies(self):
        self.work(
            lambda env: env["sync.policy"]
            .search([("state", "=", "active")])
            .action_deactivate()
        )

    def finish(self, model, run_id, between=lambda figures: None):
        """All steps of a run, one after the other. :return: its figures"""
        names = (
            "state",
            "error",
            "row_count",
            "done_count",
            "created_count",
            "quarantined_count",
        )

        def step(env):
            run = env[model].browse(run_id)
            run._work()
            env.flush_all()
            return {name: run[name] for name in names if name in run._fields}

        while True:
            figures = self.work(step)
            if figures["state"] not in ("queued", "running"):
                return figures
            between(figures)

    def pause(self, model, run_id):
        """Pause a run, let its next job come, and go on. :return: rows done by then"""

        def steer(env):
            run = env[model].browse(run_id)
            run.action_pause()
            run._work()
            done = run.done_count
            run.action_resume()
            env["queue.job"].search([("model_name", "=", model)]).unlink()
            return done

        return self.work(steer)


def _shop(env):
    shop = env["sync.system"].search([("code", "=", "shop")])
    if not shop.service_account_ids:
        env["sync.service.account"]._create_for(shop, "benchmark")
    return shop


# -- webhooks --------------------------------------------------------------------------


def hook_times(port, secret, count):
    """Milliseconds of each webhook, sent 50 a second."""
    client = Client(port, {})
    key = base64.b64decode(secret.removeprefix("whsec_"))
    begun = time.monotonic()

    def send(number):
        due = begun + number / RATE
        time.sleep(max(0, due - time.monotonic()))
        body = {
            "type": "customer.created",
            "timestamp": "2026-01-31T08:15:00Z",
            "data": {"external_id": f"H-{number}", "name": f"Hooked {number}"},
        }
        message_id, stamp = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
        text = json.dumps(body)
        signed = f"{message_id}.{stamp}.{text}".encode()
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        headers = {
            "Webhook-Id": message_id,
            "Webhook-Timestamp": stamp,
            "Webhook-Signature": f"v1,{digest.decode()}",
        }
        status, seconds = client.call("POST", "/sync/v1/hooks/shop", body, **headers)
        assert status == 202, status
        return seconds * 1000

    with ThreadPoolExecutor(32) as pool:
        return list(pool.map(send, range(count)))


# -- import ----------------------------------------------------------------------------


def import_rows(partner, count):
    """``(rows a second, peak memory in MB, its growth after a fifth of the rows)`` of
    an import from a dropped CSV, which is paused halfway."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SYNC_GOVERNANCE_EXCHANGE_FOLDER"] = folder
        path = Path(folder) / "customers.csv"
        path.write_bytes(
            _csv(
                ("external_id", "name", "email"),
                (
                    (f"I-{number}", f"Imported {number}", f"i{number}@example.com")
                    for number in range(count)
                ),
            )
        )
        path.with_name("customers.csv.done").touch()

        def begin(env):
            system = _shop(env)
            remote = env["sync.remote"].create(
                {
                    "name": "Drop",
                    "system_id": system.id,
                    "kind": "folder",
                    "address": ".",
                }
            )
            feed = env["sync.feed"].create(
                {
                    "name": "Import",
                    "system_id": system.id,
                    "remote_id": remote.id,
                    "resource": "customers",
                    "done_marker": ".done",
                }
            )
            run = feed._run()
            env["queue.job"].search([("model_name", "=", run._name)]).unlink()
            return run.id

        run_id = partner.work(begin)
        peaks, paused = [], []

        def between(figures):
            done = figures["done_count"]
            if done >= count / 5 and not peaks:
                peaks.append(_peak_mb())
            if done >= count / 2 and not paused:
                paused.append(done)
                assert partner.pause("sync.feed.run", run_id) == done

        begun = time.perf_counter()
        figures = partner.finish("sync.feed.run", run_id, between)
        spent = time.perf_counter() - begun
    assert figures["created_count"] == count, figures
    assert paused, "it was never paused"
    return count / spent, _peak_mb(), _peak_mb() - peaks[0]


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


# -- reconciliation --------------------------------------------------------------------


def fill(env, system, count):
    """Customers that the system has ids for, ``R-1`` … ``R-<count>``."""
    first = env["res.partner"].create({"name": "Reconciled 0", "type": "contact"})
    env.flush_all()
    made = {
        "name": "'Reconciled ' || n",
        "complete_name": "'Reconciled ' || n",
        "email": "'r' || n || '@example.com'",
        "ref": "'R-' || n",
        "commercial_partner_id": "NULL",
    }
    env.cr.execute(
        """SELECT column_name FROM information_schema.columns
            WHERE table_name = 'res_partner' AND column_name <> 'id'"""
    )
    columns = [name for (name,) in env.cr.fetchall()]
    values = ", ".join(made.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    env.cr.execute(
        f"""
        WITH made AS (
            INSERT INTO res_partner ({names})
            SELECT {values} FROM res_partner, generate_series(1, %(count)s) n
             WHERE id = %(first)s
            RETURNING id, ref)
        INSERT INTO sync_crosswalk (system_id, res_model, res_id, external_id, state,
                                    valid_from, create_date, write_date)
        SELECT %(system)s, 'res.partner', id, ref, 'active', now(), now(), now()
          FROM made
        """,
        {"system": system.id, "count": count, "first": first.id},
    )
    env.cr.execute(
        "UPDATE res_partner SET commercial_partner_id = id WHERE ref ~ '^R-'"
    )
    env.cr.execute("ANALYZE res_partner, sync_crosswalk")


def snapshot(count):
    """The system's side: equal, but for 30 values, 10 rows too few and 10 too many."""
    spread = max(1, count // 40)
    other = {number * spread for number in range(1, 31)}
    gone = {number * spread for number in range(31, 41)}
    rows = [
        (
            f"R-{number}",
            f"Reconciled {number}",
            "x@example.com" if number in other else f"r{number}@example.com",
        )
        for number in range(count, 0, -1)
        if number not in gone
    ]
    rows += [(f"X-{number}", "Unknown", "") for number in range(10)]
    assert len(other) + len(gone) + 10 == PLANTED
    return _csv(("external_id", "name", "email"), rows)


def reconcile(partner, count):
    """``(seconds, planted differences found, false ones)``"""

    def begin(env):
        from odoo.fields import Command

        system = _shop(env)
        fill(env, system, count)
        reconciliation = env["sync.reconciliation"].create(
            {
                "name": "Bench",
                "system_id": system.id,
                "resource": "customers",
                "scope": "[('ref', '=like', 'R-%')]",
                "line_ids": [
                    Command.create({"path": "name"}),
                    Command.create({"path": "email"}),
                ],
            }
        )
        attachment = env["ir.attachment"].create(
            {"name": "snapshot.csv", "raw": snapshot(count)}
        )
        run = reconciliation._run(attachment)
        env["queue.job"].search([("model_name", "=", run._name)]).unlink()
        return run.id

    run_id = partner.work(begin)
    begun = time.perf_counter()
    figures = partner.finish("sync.reconciliation.run", run_id)
    spent = time.perf_counter() - begun
    assert figures["state"] == "done", figures

    def count_found(env):
        found = env["sync.reconciliation.difference"].search([("run_id", "=", run_id)])
        kinds = [(one.kind, one.member == "email" or not one.member) for one in found]
        right = (
            min(kinds.count(("value", True)), 30)
            + min(kinds.count(("missing_there", True)), 10)
            + min(kinds.count(("missing_here", True)), 10)
        )
        return right, len(found) - right

    return (spent, *partner.work(count_found))


# -- feed of events --------------------------------------------------------------------


def fill_feed(env, count):
    """Events about a tenth as many customers, as past transactions have written them.

    :return: the number of the last of those transactions
    """
    customers = count // 10
    values = {"name": "Source", "code": "feed_source", "kind": "crm", "state": "live"}
    source = env["sync.system"].create(values)
    fill(env, source, customers)
    told = env["res.partner"].create({"name": "Told", "is_company": True})
    env["sync.crosswalk"]._link(source, told, "F-TOLD")
    env.cr.flush()  # the outbox is written before a commit
    env.cr.execute(
        """
        INSERT INTO sync_crosswalk (system_id, res_model, res_id, external_id, state,
                                    valid_from, create_date, write_date)
        SELECT %(odoo)s, res_model, res_id, 'cus_' || md5(res_id::text), 'active',
               now(), now(), now()
          FROM sync_crosswalk WHERE system_id = %(source)s AND external_id ~ '^R-'
        """,
        {"odoo": env["sync.system"]._odoo_id(), "source": source.id},
    )
    env.cr.execute("ANALYZE sync_crosswalk")
    env.cr.execute(
        """
        INSERT INTO sync_event (ref, event_type_id, name, res_model, res_id, sequence,
                                ordering_key, payload, occurred_at, commit_order)
        SELECT 'evt_feed_' || n, told.event_type_id, told.name, 'res.partner',
               known.res_id,
               n, 'feed,' || n,
               regexp_replace(payload, 'cus_[0-9a-f]{32}',
                              'cus_' || md5(known.res_id::text)),
               now() AT TIME ZONE 'UTC',
               (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 2) * n
                   / %(count)s
          FROM generate_series(1, %(count)s) n
          JOIN (SELECT res_id, row_number() OVER () - 1 AS number FROM sync_crosswalk
                 WHERE system_id = %(source)s AND external_id ~ '^R-') known
            ON number = n %% %(customers)s,
               (SELECT * FROM sync_event WHERE name = 'customer.created'
                 ORDER BY id DESC LIMIT 1) told
        """,
        {"count": count, "customers": customers, "source": source.id},
    )
    env.cr.execute("ANALYZE sync_event")
    env.cr.execute(
        "SELECT max(commit_order) FROM sync_event WHERE ref LIKE 'evt_feed_%'"
    )
    return env.cr.fetchone()[0]


def reader(env, code, reach):
    """A key of a system that reads the feed; every hundredth customer is its own."""
    system = env["sync.system"].create(
        {"name": code, "code": code, "kind": "crm", "state": "live", "reach": reach}
    )
    env.cr.execute(
        """
        INSERT INTO sync_crosswalk (system_id, res_model, res_id, external_id, state,
                                    valid_from, create_date, write_date)
        SELECT %s, res_model, res_id, external_id, crosswalk.state, valid_from,
               crosswalk.create_date, crosswalk.write_date
          FROM sync_crosswalk crosswalk JOIN sync_system ON system_id = sync_system.id
         WHERE code = 'feed_source' AND external_id ~ '00$'
        """,
        [system.id],
    )
    plan = env["sync.plan"].search([("code", "=", "feed")])
    plan = plan or env["sync.plan"].create(
        {"name": "Feed", "code": "feed", "per_minute": 0, "concurrency": 0}
    )
    account = env["sync.service.account"]._create_for(system, "benchmark")
    return env["sync.credential"]._issue(account, ["customer:read"], plan=plan)[1]


def measure_feed(partner, count, calls):
    end = partner.work(lambda env: fill_feed(env, count))
    keys = {
        "feed": partner.work(lambda env: reader(env, "reads_all", "company")),
        "feed_sparse": partner.work(lambda env: reader(env, "reads_some", "own")),
    }
    figures = {}
    with Server() as server:
        for name, key in keys.items():
            client = Client(server.port, {"Authorization": f"Bearer {key}"})
            times = sorted(_page_ms(client, end, calls))
            figures[f"{name}_p50_ms"] = times[calls // 2]
            figures[f"{name}_p95_ms"] = times[int(calls * 0.95)]
    return figures


def _page_ms(client, end, calls):
    """Milliseconds of pages from places all over the feed."""
    from odoo.addons.sync_governance_connectors.tools.cursor import encode_pair

    for number in range(-10, calls):  # both workers fill their caches
        cursor = encode_pair(end * 9 // 10 * max(number, 0) // calls, 0)
        status, seconds = client.call(
            "GET", f"/sync/v1/events?limit=100&cursor={cursor}"
        )
        assert status == 200, status
        if number >= 0:
            yield seconds * 1000


def measure_hooks(partner, count):
    secret = partner.secret()
    with Server() as server:
        hook_times(server.port, secret, 50)  # both workers fill their caches
        times = sorted(hook_times(server.port, secret, count))
    return {"hook_p99_ms": times[int(len(times) * 0.99)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="finish in a minute")
    parser.add_argument(
        "--only",
        choices=("hooks", "import", "reconcile", "feed"),
        help="measure that alone",
    )
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    partner = Partner()
    partner.drop_all_policies()
    figures = {}
    if options.only in (None, "hooks"):
        figures |= measure_hooks(partner, 400 if options.quick else 3000)
    if options.only in (None, "import"):
        names = [name for name in TARGETS if name.startswith("import")]
        measured = import_rows(partner, 2_000 if options.quick else 100_000)
        figures |= dict(zip(names, measured, strict=True))
    if options.only in (None, "reconcile"):
        count = 20_000 if options.quick else 100_000
        seconds, found, wrong = reconcile(partner, count)
        figures |= {
            "reconcile_100k_s": seconds * 100_000 / count,
            "reconcile_found": found,
            "reconcile_false": wrong,
        }
    if options.only in (None, "feed"):
        count = 100_000 if options.quick else 1_000_000
        figures |= measure_feed(partner, count, 100 if options.quick else 300)
    for name, value in figures.items():
        aim = f"aim {TARGETS[name]:g}" if TARGETS[name] is not None else ""
        print(f"{name:20} {value:10.1f}  {aim}")
    if options.quick and "reconcile_100k_s" in figures:
        print("reconcile_100k_s is projected from 20,000 records.")
    if options.json:
        print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    sys.exit(main())
