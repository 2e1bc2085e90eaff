"""An event type that is switched on binds in every worker, without a restart."""

import re
from concurrent.futures import ThreadPoolExecutor

import requests

TYPE = """
types = env["sync.event.type"]
known = types.with_context(active_test=False).search(
    [("name", "=", "fault.partner_moved")])
event_type = known or types.create({
    "name": "fault.partner_moved", "operation": "write", "active": False,
    "model_id": env["ir.model"]._get_id("res.partner"),
    "watched_field_ids": [(6, 0, [
        env["ir.model.fields"]._get("res.partner", "city").id])],
    "payload_line_ids": [(0, 0, {"key": "city", "path": "city"})]})
partners = env["res.partner"].create([{"name": f"Mover {n}"} for n in range(24)])
env.cr.commit()
result = [event_type.id, partners.ids]
"""
COUNT = """
env.cr.execute("SELECT count(*), count(DISTINCT res_id) FROM sync_event"
               " WHERE name = 'fault.partner_moved'")
result = env.cr.fetchone()
"""


class Client:
    """A session of the admin at the web client's own protocol; a connection a call, so
    that any worker may answer.
    """

    def __init__(self, world):
        self._url = world.url
        self._cookies = self._call(
            "/web/session/authenticate",
            {"db": world.db, "login": "admin", "password": "admin"},
        ).cookies

    def call(self, model, method, *args):
        """Call a public method; raises on an error."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        values = {"model": model, "method": method, "args": args, "kwargs": {}}
        return self._call(path, values).json()["result"]

    def _call(self, path, params):
        answer = requests.post(
            self._url + path,
            json={"jsonrpc": "2.0", "method": "call", "params": params},
            cookies=getattr(self, "_cookies", None),
            headers={"Connection": "close"},
            timeout=60,
        )
        assert "error" not in answer.json(), answer.text
        return answer


def test_activation_reaches_all_workers(world):
    event_type, partners = world.shell(TYPE)
    client = Client(world)

    def move(city):
        with ThreadPoolExecutor(8) as pool:
            moves = [
                pool.submit(client.call, "res.partner", "write", [id_], {"city": city})
                for id_ in partners
            ]
            assert all(move.result() for move in moves)

    move("warm every worker up")
    assert world.shell(COUNT) == [0, 0]
    client.call("sync.event.type", "write", [event_type], {"active": True})
    move("Rome")
    assert world.shell(COUNT) == [len(partners), len(partners)]
    client.call("sync.event.type", "write", [event_type], {"active": False})
    move("Oslo")
    assert world.shell(COUNT) == [len(partners), len(partners)]
    assert _workers_seen(world) > 1, "more than one worker took part"


def _workers_seen(world):
    """Processes that answered writes of partners, by the server's log."""
    log = world.odoo.log.read_text(errors="replace")
    found = re.findall(r"^\S+ \S+ (\d+) INFO .*call_kw/res.partner/write", log, re.M)
    return len(set(found))
