# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What ownership costs: ratios of the same writes with and without a policy in force.

With and without alternate call by call, so that both see the same machine; the ratio is
the median over the pairs. A write counts with its flush and everything done before
a commit, the counting of hits included. Nothing is committed.

    make bench B=ownership ARGS="--quick --json"
"""

import argparse
import gc
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config, mute_logger

TARGETS = {
    "write_ungoverned_ratio": 1.02,
    "write_governed_ratio": 1.15,
    "create_batch_ratio": 1.15,
}
FIELDS = (
    "name", "phone", "email", "street", "street2", "zip", "city",
    "ref", "function", "comment",
)  # fmt: skip
POLICIES = (10, 100, 1000)


def pass_through(_policies, _records, values):
    """In place of the policies' enforcement, on a model that none governs."""
    return values


class Bench:
    """Partners, a user who is not the owner, and a policy to switch on and off."""

    def __init__(self, env):
        self.env = env
        self.batch = 1000
        self.hook = env["sync.write.hook"]
        # those of the demo would decide too
        env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        owner = env["sync.system"].create(
            {"name": "Bench", "code": "bench", "state": "live"}
        )
        self.policy = env["sync.policy"].create(
            {
                "name": "Bench",
                "model_id": env["ir.model"]._get_id("res.partner"),
                "line_ids": [
                    odoo.fields.Command.create(
                        {
                            "field_id": env["ir.model.fields"]
                            ._get("res.partner", name)
                            .id,
                            "owner_system_id": owner.id,
                        }
                    )
                    for name in FIELDS
                ],
            }
        )
        self.user = env["res.users"].create(
            {
                "name": "Bench",
                "login": "bench",
                "group_ids": [
                    odoo.fields.Command.set(
                        [
                            env.ref("base.group_user").id,
                            env.ref("base.group_partner_manager").id,
                        ]
                    )
                ],
            }
        )
        self.owner_source = owner._as_source()
        partners = env["res.partner"].create(
            [{"name": f"Bench {number}"} for number in range(20)]
        )
        self.states = env["res.country.state"].search([], limit=20)
        self.partners = partners.with_user(self.user)
        self.counter = itertools.count()
        env.cr.flush()

    def govern(self, on: bool) -> None:
        """Put the policy in force, or take every trace of it off the model."""
        self.policy.sudo().state = "active" if on else "superseded"
        self.policy.flush_recordset()
        self.env.registry.clear_cache()
        self.hook._unregister_hook()
        self.hook._register_hook()

    def remember(self) -> None:
        """Remember the model's classes with the hooks and without, to switch quickly.

        Without its hooks a model is as if nobody had ever governed it; to clear caches
        at each switch would measure how they fill again.
        """
        model_class = type(self.env["res.partner"])
        policies = type(self.env["sync.policy"])
        self.enforce = policies._enforce_write, policies._enforce_create
        self.bases = {}
        for on in (False, True):
            self.govern(on)
            self.bases[on] = model_class.__bases__

    def switch(self, on: bool) -> None:
        """Govern the model or not, also where other modules hook it anyway."""
        type(self.env["res.partner"]).__bases__ = self.bases[on]
        policies = type(self.env["sync.policy"])
        write, create = self.enforce if on else (pass_through, pass_through)
        policies._enforce_write, policies._enforce_create = write, create

    def pairs(self, work: Callable[[], None], rounds: int, warm=True) -> float:
        """Median over the rounds of time with the policy divided by time without.

        One call each in turn: what slows the machine down meets both alike.
        """
        ratios = []
        gc.collect()
        gc.disable()
        for number in range(rounds):
            seconds = {}
            # whoever goes second finds warmer caches: take turns
            for on in (True, False) if number % 2 else (False, True):
                self.switch(on)
                if warm:
                    work()
                started = time.perf_counter()
                work()
                seconds[on] = time.perf_counter() - started
            ratios.append(seconds[True] / seconds[False])
        gc.enable()
        return statistics.median(ratios)

    def write(self, records) -> None:
        """Change all governed fields of one record, as one transaction."""
        mark = next(self.counter)
        record = records[mark % len(records)]
        record.write({name: f"{name}{mark}@example.com" for name in FIELDS})
        self.env.cr.flush()

    def write_ungoverned(self) -> None:
        mark = next(self.counter)
        self.states[mark % len(self.states)].name = f"State {mark}"
        self.env.cr.flush()

    def create(self) -> None:
        mark = next(self.counter)
        self.env["res.partner"].with_user(self.user).create(
            [
                {"name": f"Batch {mark}-{number}", "phone": str(number), "city": "Lyon"}
                for number in range(self.batch)
            ]
        )
        self.env.cr.flush()

    def lookups(self, count: int) -> float:
        """Microseconds for a decision, rules cached, with so many policies in force."""
        env = self.env
        models = env["ir.model"].search(
            [("transient", "=", False), ("abstract", "=", False)]
        )
        companies = [env["res.company"], *env["res.company"].search([])]
        while len(models) * len(companies) < count + 1:
            companies.append(
                env["res.company"].create({"name": f"Bench {len(companies)}"})
            )
        with env.cr.savepoint():
            env["sync.policy"].search([("state", "=", "active")]).state = "superseded"
            env.flush_all()
            places = list(itertools.islice(itertools.product(companies, models), count))
            created = env["sync.policy"].create(
                [
                    {
                        "name": "P",
                        "model_id": model.id,
                        "company_id": company.id,
                        "line_ids": [
                            odoo.fields.Command.create(
                                {
                                    "field_id": model.field_id[0].id,
                                    "owner_system_id": self.owner_source.system_id,
                                }
                            )
                        ],
                    }
                    for company, model in places
                ]
            )
            created.state = "active"
            env.flush_all()
            env.registry.clear_cache()
            policies = env["sync.policy"]
            calls = [
                (model.model, [model.field_id[0].name], company or env.company)
                for company, model in places
            ]
            seconds = []
            for _repeat in range(5):
                started = time.perf_counter()
                for model_name, names, company in calls:
                    policies._decide(model_name, names, self.owner_source, company)
                seconds.append((time.perf_counter() - started) / len(calls))
            # the first turn fills the cache
            return min(seconds[1:]) * 1e6


def measure(env, quick: bool) -> dict[str, float]:
    bench = Bench(env)
    bench.remember()
    owned = bench.partners.with_context(sync_source=bench.owner_source)
    rounds = 300 if quick else 1500
    result = {
        "write_ungoverned_ratio": bench.pairs(bench.write_ungoverned, 2 * rounds),
        "write_governed_ratio": bench.pairs(
            lambda: bench.write(bench.partners), rounds
        ),
        "write_by_owner_ratio": bench.pairs(lambda: bench.write(owned), rounds),
        "create_batch_ratio": bench.pairs(bench.create, 6 if quick else 20, warm=False),
    }
    bench.govern(False)
    for count in POLICIES:
        result[f"policy_lookup_us_{count}"] = bench.lookups(count)
    return {key: round(value, 3) for key, value in result.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="finish within 60 s")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    arguments = parser.parse_args()
    database = os.environ["SG_BENCH_DB"]
    config.parse_config(["-d", database, "--no-http"], setup_logging=True)
    with (
        mute_logger("odoo.addons.base.models.ir_model"),
        Registry(database).cursor() as cr,
    ):
        result = measure(api.Environment(cr, SUPERUSER_ID, {}), arguments.quick)
        cr.rollback()
    for key, value in result.items():
        target = f"   (at most {TARGETS[key]})" if key in TARGETS else ""
        print(f"{key:26} {value:10.3f}{target}")
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
