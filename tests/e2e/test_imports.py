"""A large import is steered while it runs, in transactions that really meet."""

import pytest

# A partner's API on loopback; the job's part is done here as queue_job does it.
IMPORT = """
import json, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from odoo import SUPERUSER_ID, api
from psycopg2.errors import OperationalError

ROWS, HELD = 1_100, 700  # two slices and a bit; a row of the second one

class Partner(BaseHTTPRequestHandler):
    def do_GET(self):
        rows = [{"external_id": f"BIG-%s-{n}", "name": f"Big %s {n}"}
                for n in range(ROWS)]
        body = json.dumps(rows).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = HTTPServer(("127.0.0.1", 0), Partner)
threading.Thread(target=server.serve_forever, daemon=True).start()
env["ir.config_parameter"].set_param("sync_governance.allowed_networks", "127.0.0.0/8")
system = env["sync.system"].create(
    {"name": "Big %s", "code": "big_%s", "kind": "shop", "state": "live"})
env["sync.service.account"]._create_for(system, "e2e")
remote = env["sync.remote"].create({
    "name": "API", "system_id": system.id, "kind": "https",
    "address": f"http://127.0.0.1:{server.server_port}"})
feed = env["sync.feed"].create({
    "name": "Big %s", "system_id": system.id, "remote_id": remote.id,
    "resource": "customers"})
# The row that the job comes to when the scene is set: somebody holds it.
held = env["res.partner"].create({"name": "Held"})
env["sync.crosswalk"]._link(system, held, f"BIG-%s-{HELD}")
run = env["sync.feed.run"].create({"feed_id": feed.id, "phase": "fetch"})
env.cr.commit()

def attempt(act):
    with env.registry.cursor() as cr:
        own = api.Environment(cr, SUPERUSER_ID, {})
        act(own["sync.feed.run"].browse(run.id))
        # The world's own runner never gets to see the next job.
        own["queue.job"].search([("model_name", "=", "sync.feed.run")]).unlink()

def insist(act):
    # Requests and jobs that collide begin anew.
    for _try in range(10):
        try:
            return attempt(act)
        except OperationalError:
            time.sleep(0.1)
    raise RuntimeError("It always collides.")

def look():
    env.cr.rollback()
    env.invalidate_all()
    found = env["sync.crosswalk"].search([("system_id", "=", system.id)])
    names = {row.record.name for row in found} - {"Held"}
    return {"state": run.state, "told": run.created_count + run.updated_count,
            "done": run.done_count, "written": len(names),
            "whole": names == {f"Big %s {n}" for n in range(len(names))}}

def waiting():
    env.cr.rollback()
    env.cr.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'")
    return env.cr.fetchone()[0]

def until(condition):
    for _look in range(2400):
        if condition():
            return True
        time.sleep(0.05)
    return False

def work():
    attempt(lambda own: own._work())
"""
CANCEL = """
work()  # fetched
work()  # the first slice
first = look()
holder = env.registry.cursor()
holder.execute(f"SELECT id FROM res_partner WHERE id = {held.id} FOR UPDATE")
job = threading.Thread(target=insist, args=(lambda own: own._work(),))
job.start()
in_the_midst = until(lambda: waiting() >= 1)
steering = threading.Thread(target=insist, args=(lambda own: own.action_cancel(),))
steering.start()
# It has gone through, or waits for the slice to end.
until(lambda: not steering.is_alive() or waiting() >= 2)
holder.rollback()
holder.close()
for thread in (job, steering):
    thread.join(60)
then = look()
work()  # a job that was queued already
document = run.document_ids
result = {"met": in_the_midst, "first": first, "then": then, "later": look(),
          "kept": bool(document.sudo().attachment_id)}
"""
PAUSES = """
work()
looks = []
for _pause in range(2):
    work()
    attempt(lambda own: own.action_pause())
    work()  # the job that was queued already
    looks.append(look())
    attempt(lambda own: own.action_resume())
for _slice in range(6):
    work()
result = {"pauses": looks, "end": look()}
"""


@pytest.fixture
def big_import(world):
    """A function: play a scene with an import of its own."""

    def play(name, scene):
        return world.shell((IMPORT + scene).replace("%s", name))

    return play


def test_a_cancelled_import_stops_within_a_slice(big_import):
    seen = big_import("cancel", CANCEL)
    assert seen["met"], seen
    assert seen["first"]["done"] == 500, seen
    then = seen["then"]
    assert then["state"] == "cancelled", seen
    assert then["done"] in (500, 1000), "no more than the slice that ran"
    assert then["done"] == then["told"] == then["written"], seen
    assert then["whole"], "nothing is half written"
    assert seen["later"] == then, "what was queued already does nothing"
    assert not seen["kept"]


def test_an_import_is_paused_twice_and_goes_through(big_import):
    seen = big_import("pause", PAUSES)
    assert [look["done"] for look in seen["pauses"]] == [500, 1000], seen
    assert {look["state"] for look in seen["pauses"]} == {"paused"}, seen
    end = seen["end"]
    assert (end["state"], end["done"], end["written"]) == ("done", 1100, 1100), seen
    assert end["told"] == 1100 and end["whole"], seen
