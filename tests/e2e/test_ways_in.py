"""One order by webhook and by pull, really at the same time: one effect."""

RACE = """
import json, threading, time, uuid
from odoo import SUPERUSER_ID, api
from odoo.addons.queue_job.exception import RetryableJobError
from psycopg2.errors import OperationalError

system = env["sync.system"].create(
    {"name": "Two ways", "code": "two_ways", "kind": "shop", "state": "live"})
env["sync.service.account"]._create_for(system, "e2e")
mapping = env["sync.mapping"].create({
    "system_id": system.id, "event_type": "customers", "resource": "customers",
    "line_ids": [(0, 0, {"target": "name", "expression": "name"})]})
mapping.action_activate()
remote = env["sync.remote"].create({
    "name": "Pull", "system_id": system.id, "kind": "folder", "address": "x"})
feed = env["sync.feed"].create({
    "name": "Pull", "system_id": system.id, "remote_id": remote.id,
    "event_type": "customers"})
run = env["sync.feed.run"].create({"feed_id": feed.id, "phase": "apply"})
body = {"id": "BOTH-1", "name": "Both ways"}
hook = env["sync.request"].create({
    "ref": "req_two_ways", "kind": "hook", "state": "received",
    "system_id": system.id, "event_type": "customers", "event_id": "e1",
    "request_body": json.dumps(body)})
env.cr.commit()
retried = []
barrier = threading.Barrier(2)

def attempt(act, first):
    with env.registry.cursor() as cr:
        own = api.Environment(cr, SUPERUSER_ID, {})
        cr.execute("SELECT 1")  # the snapshot is taken here
        if first:
            barrier.wait(20)
        act(own)
        if first:
            time.sleep(0.5)  # both have begun before one commits

def work(name, act):
    for number in range(5):
        try:
            attempt(act, number == 0)
            return
        except (RetryableJobError, OperationalError) as error:
            retried.append(f"{name}: {type(error).__name__}")

def pull(own):
    from odoo.addons.sync_governance_connectors.tools.document import Row
    own["sync.feed.run"].browse(run.id)._apply_rows([Row(1, body)], set())

ways = [
    threading.Thread(target=work, args=(
        "hook", lambda own: own["sync.request"].browse(hook.id)._process_hook())),
    threading.Thread(target=work, args=("pull", pull))]
for way in ways: way.start()
for way in ways: way.join(60)
env.cr.rollback()
env.invalidate_all()
result = {
    "retried": retried,
    "partners": env["res.partner"].search_count([("name", "=", "Both ways")]),
    "hook": hook.state,
    "pull": [run.created_count, run.updated_count, run.unchanged_count],
    "quarantined": env["sync.request"].search_count(
        [("system_id", "=", system.id), ("state", "=", "quarantined")])}
"""


def test_by_webhook_and_by_pull_at_once(world):
    race = world.shell(RACE)
    assert (race["partners"], race["quarantined"]) == (1, 0), race
    assert race["hook"] == "applied", race
    assert sum(race["pull"]) == 1, race
    assert race["retried"], "they did not meet"
