"""A process with Odoo inside that does what it is told: one JSON line a call.

    python driver.py CONFIG DATABASE

Quicker than an ``odoo shell`` for each call, and a node of its own: what it commits
wakes the servers' dispatchers, and it can be a dispatcher itself.
"""

import json
import logging
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE
from odoo.sql_db import close_all
from odoo.tools import config

EVENT = "fault.happened"


class Scene:
    """What can be asked for; every method is a call."""

    def __init__(self, database):
        self.registry = Registry(database)

    @contextmanager
    def _env(self):
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def query(self, text):
        """Rows of a query, which is committed."""
        # A crash leaves dead connections in the pool, which it does not always notice.
        close_all()
        with self.registry.cursor() as cr:
            cr.execute(text)
            return cr.fetchall() if cr.description else []

    def prepare(self, url, paths, values):
        """Subscriptions to paths of a receiver; all others fall silent.

        :return: ``{path: subscription id}``
        """
        with self._env() as env:
            env["sync.subscription"].search([]).write({"state": "disabled"})
            env["ir.config_parameter"].set_param(
                "sync_governance.allowed_networks", "127.0.0.0/8"
            )
            types = env["sync.event.type"]
            if not types.search([("name", "=", EVENT)]):
                types.create({"name": EVENT, "operation": "explicit"})
            return {path: self._subscribe(env, url, path, values) for path in paths}

    def _subscribe(self, env, url, path, values):
        subscription = env["sync.subscription"].create(
            {
                "name": path,
                "url": url + path,
                "patterns": "fault.*",
                "format": "cloudevents_structured",
                "retry_schedule": "0," * 30 + "0",
                "breaker_failures": 1000,
                "breaker_window": 1000,
                **values,
            }
        )
        subscription._rotate_secret()
        subscription.action_activate()
        return subscription.id

    def emit(self, keys, rounds=1):
        """Events of ``keys`` new records, a transaction a round.

        :return: the events' references
        """
        with self._env() as env:
            partners = env["res.partner"].create(
                [{"name": f"Fault {number}"} for number in range(keys)]
            )
        for turn in range(rounds):
            with self._env() as env:
                for partner in partners.with_env(env):
                    env["sync.event.type"]._emit(EVENT, partner, {"turn": turn})
        keys = [f"res.partner,{partner_id}" for partner_id in partners.ids]
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT ref FROM sync_event WHERE ordering_key = ANY(%s)", [keys]
            )
            return [ref for (ref,) in cr.fetchall()]

    def call(self, model, ids, method):
        """Call a method of records, e.g. an action, and commit."""
        for _try in range(MAX_TRIES_ON_CONCURRENCY_FAILURE):
            try:
                with self._env() as env:
                    getattr(env[model].browse(ids), method)()
                return
            except SerializationFailure:
                # What Odoo does with requests: it tries again.
                time.sleep(0.1)
        raise RuntimeError(f"{model}.{method} always collides")

    def dispatch(self, duration=20.0, linger=3.0):
        """Be a dispatcher for a while."""
        self.registry.check_signaling()
        with self._env() as env:
            env["sync.dispatcher"]._dispatch(duration=duration, linger=linger)

    # -- races -----------------------------------------------------------------------

    def race_same_record(self):
        """Two transactions tell of one record; the first commits late.

        :return: whether the second waited, and (sequence, delivery id) in its order
        """
        with self._env() as env:
            partner = env["res.partner"].create({"name": "Contended"})
        waited = []

        def second():
            started = time.monotonic()
            try:
                self._emit_once(partner, 2)
            except SerializationFailure:
                # What Odoo does with requests: it tries again.
                self._emit_once(partner, 2)
            waited.append(time.monotonic() - started)

        thread = threading.Thread(target=second)

        def before_commit():
            thread.start()
            time.sleep(0.5)

        self._emit_once(partner, 1, before_commit)
        thread.join(timeout=20)
        rows = self.query(
            "SELECT event.payload, event.sequence FROM sync_delivery delivery"
            " JOIN sync_event event ON event.id = delivery.event_id"
            f" WHERE event.ordering_key = 'res.partner,{partner.id}'"
            " ORDER BY delivery.id"
        )
        return {"waited": waited[0] >= 0.4, "rows": rows}

    def _emit_once(self, partner, number, before_commit=None):
        with self._env() as env:
            types = env["sync.event.type"]
            types._emit(EVENT, partner.with_env(env), {"n": number})
            env.cr.flush()
            if before_commit:
                before_commit()

    def race_prune_and_resend(self, delivery_id):
        """Retention looks at a settled event; it is sent again before it deletes.

        :return: how retention fared, and the delivery's state afterwards
        """
        with self._env() as pruning:
            # The snapshot of a repeatable read begins with its first statement.
            pruning.cr.execute("SELECT 1")
            self.call("sync.delivery", [delivery_id], "action_retry")
            try:
                event_type = pruning["sync.event.type"].search([("name", "=", EVENT)])
                pruning["sync.retention"]._prune_batch(
                    event_type.id, fields.Datetime.now() + timedelta(days=1)
                )
                outcome = "kept"
            except SerializationFailure:
                pruning.cr.rollback()
                outcome = "refused"
        rows = self.query(f"SELECT state FROM sync_delivery WHERE id = {delivery_id}")
        return {"outcome": outcome, "states": rows}


def main():
    config_path, database = sys.argv[1:]
    # Its answers go where the calls come from; nothing else may.
    answers, sys.stdout = sys.stdout, sys.stderr
    config.parse_config(["--config", config_path])
    logging.getLogger().setLevel(logging.ERROR)
    scene = Scene(database)
    for line in sys.stdin:
        wanted = json.loads(line)
        try:
            answer = {"result": getattr(scene, wanted["call"])(**wanted["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer, default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
