# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the governed API costs: ratios to Odoo's own ``/json/2`` in the same run.

    make bench B=inbound ARGS="--quick --json"

A server with two workers on this machine, four clients, the same customer in both
bodies. Rates of all sides are measured in alternating short blocks, so that all see the
same machine; a ratio is the median over the rounds of blocks.
"""

import argparse
import http.client
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

TARGETS = {
    "create_vs_json2": (">=", 1.0),
    "replay_vs_json2": (">=", 5.0),
    "read_vs_json2": (">=", 3.0),
    "bulk_vs_single": (">=", 8.0),
    "p99_over_p50_64": ("<=", 5.0),
    "errors_5xx": ("<=", 0),
    "gate_1m_ratio": ("<=", 1.1),
}
CLIENTS = 4
CROWD = 64
BULK = 500
MILLION = 1_000_000


class Client:
    """Calls over HTTP; counts what must not happen."""

    def __init__(self, port, headers):
        self.port = port
        self.headers = {
            "Content-Type": "application/json",
            # else Odoo connects to PostgreSQL anew for each call, to list databases
            "X-Odoo-Database": os.environ["SG_BENCH_DB"],
            **headers,
        }
        self.errors = 0

    def call(self, method, path, body=None, **headers):
        """``(status, seconds)`` of one call on a connection of its own.

        A connection that a crowded server resets is tried again, as any client with an
        idempotency key may; the time that takes counts.
        """
        sent = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        payload = None if body is None else json.dumps(body)
        begun = time.perf_counter()
        for _try in range(5):
            try:
                status, text = self._exchange(method, path, payload, sent)
                break
            except ConnectionResetError:
                time.sleep(0.05)
        spent = time.perf_counter() - begun
        self.errors += status >= 500
        if status >= 400:
            print(status, path, text[:300], file=sys.stderr)
        return status, spent

    def _exchange(self, method, path, payload, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Bench:
    def __init__(self, port, keys, quick):
        self.block = 12 if quick else 60
        self.rounds = 7 if quick else 15
        self.crowd_calls = CROWD * (4 if quick else 16)
        self.gate_calls = 80 if quick else 400
        self.numbers = itertools.count(1)
        self.api = Client(port, {"Authorization": f"Bearer {keys['sync']}"})
        self.odoo = Client(port, {"Authorization": f"bearer {keys['odoo']}"})

    # -- calls -------------------------------------------------------------------------

    def customer(self, number):
        return {
            "external_id": f"B-{number}",
            "name": f"Customer {number}",
            "email": f"c{number}@example.com",
            "address": {
                "street": f"Long Street {number}",
                "zip": "1000",
                "city": "Brussels",
            },
        }

    def partner(self, number):
        return {
            "name": f"Partner {number}",
            "email": f"p{number}@example.com",
            "street": f"Long Street {number}",
            "zip": "1000",
            "city": "Brussels",
        }

    def create(self, number):
        body = self.customer(number)
        return self.api.call(
            "POST", "/sync/v1/customers", body, Idempotency_Key=f"k-{number}"
        )

    def json2(self, number):
        body = {"vals_list": [self.partner(number)]}
        return self.odoo.call("POST", "/json/2/res.partner/create", body)

    def read(self, _number):
        return self.api.call("GET", "/sync/v1/customers/B-1")

    def replay(self, _number):
        return self.create(1)

    def bulk(self, _number):
        items = [self.customer(next(self.numbers)) for _item in range(BULK)]
        key = f"bulk-{items[0]['external_id']}"
        path = "/sync/v1/customers/bulk"
        return self.api.call("POST", path, {"items": items}, Idempotency_Key=key)

    # -- measuring ---------------------------------------------------------------------

    def rate(self, call, clients=CLIENTS):
        """Calls a second in one block, ``clients`` at once."""
        numbers = list(itertools.islice(self.numbers, self.block))
        begun = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(call, numbers))
        return self.block / (time.perf_counter() - begun)

    def run(self):
        """``(figures, calls a second)``"""
        assert self.create(1)[0] in (200, 201), "the record all reads are about"
        sides = {
            name: getattr(self, name) for name in ("json2", "create", "replay", "read")
        }
        for call in sides.values():  # both workers fill their caches
            self.rate(call)
        rates = {name: [] for name in sides}
        for number in range(self.rounds):
            # each side is measured first, in turn
            for name in _turned(list(sides), number):
                rates[name].append(self.rate(sides[name]))
        figures = {
            f"{name}_vs_json2": _median_ratio(rates[name], rates["json2"])
            for name in ("create", "replay", "read")
        }
        figures["bulk_vs_single"] = self.bulk_ratio()
        figures["p99_over_p50_64"] = self.crowd()
        return figures, {name: statistics.median(seen) for name, seen in rates.items()}

    def bulk_ratio(self):
        """Records a second of one client: in bulk, over one call after the other."""
        ratios = []
        for _round in range(3):
            single = self.rate(self.create, clients=1)
            status, spent = self.bulk(0)
            assert status == 207
            ratios.append(BULK / spent / single)
        return statistics.median(ratios)

    def crowd(self):
        """p99 over p50 of creations, 64 clients at once."""
        numbers = list(itertools.islice(self.numbers, self.crowd_calls))
        with ThreadPoolExecutor(CROWD) as pool:
            spent = sorted(
                seconds for _status, seconds in pool.map(self.create, numbers)
            )
        p50, p99 = statistics.median(spent), spent[int(len(spent) * 0.99)]
        print(f"64 clients: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
        return p99 / p50

    def gate_ratio(self, fill):
        """Median replayed call with a million keys, over the same without."""
        before = self.replay_times()
        fill()
        return statistics.median(self.replay_times()) / statistics.median(before)

    def replay_times(self):
        return [self.replay(0)[1] for _call in range(self.gate_calls)]


def _turned(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def _median_ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


# -- the database ----------------------------------------------------------------------


class Database:
    """Prepares the database that devenv made for this run."""

    def __init__(self):
        from odoo.tools import config

        config.parse_config(["-c", os.environ["ODOO_RC"]])
        from odoo.modules.registry import Registry

        self.registry = Registry(os.environ["SG_BENCH_DB"])

    def keys(self):
        """A key of the suite, and an API key of an Odoo user that may do the same."""
        from odoo import SUPERUSER_ID, api, fields

        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # The shop of the demo owns what it sends: a write of another system's
            # fields would measure conflicts.
            system = env["sync.system"].search([("code", "=", "shop")])
            account = system.service_account_ids[:1] or env[
                "sync.service.account"
            ]._create_for(system, "benchmark")
            plan = env["sync.plan"].create(
                {
                    "name": "Bench",
                    "code": "bench",
                    "per_minute": 0,
                    "concurrency": 0,
                    "max_body_kb": 8192,
                }
            )
            _credential, key = env["sync.credential"]._issue(
                account, ["*:*"], plan=plan
            )
            user = env.ref("base.user_admin")
            until = fields.Datetime.now() + timedelta(days=1)
            odoo_key = env(user=user.id)["res.users.apikeys"]._generate(
                "rpc", "bench", until
            )
        return {"sync": key, "odoo": odoo_key}

    def fill(self):
        """A million keys of another life."""
        with self.registry.cursor() as cr:
            cr.execute("SELECT max(id) FROM sync_credential")
            credential_id = cr.fetchone()[0]
            cr.execute(
                """INSERT INTO sync_idempotency
                          (credential_id, key_hash, fingerprint, request_ref,
                           expires_at)
                   SELECT %s, md5(n::text) || md5((n + 1)::text), md5(n::text),
                          'req_' || md5(n::text), now() + interval '7 days'
                     FROM generate_series(1, %s) n""",
                (credential_id, MILLION),
            )
        with self.registry.cursor() as cr:
            cr.execute("ANALYZE sync_idempotency")


class Server:
    """Odoo with two workers on a free port."""

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "odoo",
                    "server",
                    "--config",
                    os.environ["ODOO_RC"],
                ),
                *("--workers", "2", "--http-port", str(self.port)),
                *("--max-cron-threads", "0", "--log-level", "warn"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        self._wait()
        return self

    def _wait(self):
        deadline = time.monotonic() + 120
        client = Client(self.port, {})
        while time.monotonic() < deadline:
            try:
                if client.call("GET", "/sync/v1/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("Odoo did not start.")

    def __exit__(self, *_exc):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="finish in a minute")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    database = Database()
    keys = database.keys()
    with Server() as server:
        bench = Bench(server.port, keys, options.quick)
        figures, rates = bench.run()
        figures["gate_1m_ratio"] = bench.gate_ratio(database.fill)
        figures["errors_5xx"] = bench.api.errors + bench.odoo.errors
    print(
        "calls a second:",
        ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items()),
    )
    for name, (sign, target) in TARGETS.items():
        met = figures[name] >= target if sign == ">=" else figures[name] <= target
        print(
            f"{name:18} {figures[name]:8.2f}  {sign} {target}"
            f"  {'ok' if met else 'MISSED'}"
        )
    if options.json:
        print(json.dumps({name: round(figures[name], 3) for name in TARGETS}))


if __name__ == "__main__":
    main()
