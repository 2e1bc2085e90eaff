"""A policy that is put in force binds in every worker by its next request."""

import re
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from itertools import count

WORKERS = 4
PREPARE = """
system = env["sync.system"].create(
    {"name": "Finance", "code": "f_finance", "kind": "finance", "state": "live"})
field = env["ir.model.fields"]._get("res.partner", "ref")
policy = env["sync.policy"].create({
    "name": "Bound everywhere", "model_id": env["ir.model"]._get_id("res.partner"),
    "enforcement": "block",
    "line_ids": [(0, 0, {"field_id": field.id, "owner_system_id": system.id})]})
policy.state = "approved"
partner = env["res.partner"].create({"name": "Bound"})
uid = env.ref("base.user_admin").id
env.cr.commit()
result = [uid, policy.id, partner.id]
"""
# Odoo warns of arguments that a route does not know: the number of the call is one
SERVED = re.compile(r"^\S+ \S+ (\d+) WARNING .* ignoring args \{'probe_(\d+)'\}", re.M)


class Caller:
    """XML-RPC calls of the admin, on a connection each, so that any worker may answer.

    The server's log tells which process has answered which call.
    """

    def __init__(self, world, uid):
        self._world = world
        self._uid = uid
        self._numbers = count(1)

    def call(self, model, method, *args):
        """:return: number of the call, and the fault's text, empty if there was none"""
        number = next(self._numbers)
        address = f"{self._world.url}/xmlrpc/2/object?probe_{number}=1"
        with xmlrpc.client.ServerProxy(address, allow_none=True) as server:
            try:
                server.execute_kw(
                    self._world.db, self._uid, "admin", model, method, args
                )
            except xmlrpc.client.Fault as fault:
                return number, fault.faultString
        return number, ""

    def everywhere(self, call):
        """Repeat a call until every worker has answered it.

        :return: the faults' texts of each worker, by process id
        """
        faults, answers = {}, {}
        deadline = time.monotonic() + 60
        while len(faults) < WORKERS and time.monotonic() < deadline:
            with ThreadPoolExecutor(3 * WORKERS) as pool:
                answers.update(pool.map(lambda _turn: call(), range(6 * WORKERS)))
            faults = {}
            for pid, number in SERVED.findall(self._world.odoo.log.read_text()):
                if int(number) in answers:
                    faults.setdefault(pid, []).append(answers[int(number)])
        assert len(faults) == WORKERS, sorted(faults)
        return faults


def test_a_policy_binds_every_worker_by_its_next_request(world):
    uid, policy, partner = world.shell(PREPARE)
    caller = Caller(world, uid)
    refs = count()

    def write():
        return caller.call(
            "res.partner", "write", [partner], {"ref": f"R-{next(refs)}"}
        )

    # every worker has its registry and its caches, and lets the write pass
    before = caller.everywhere(write)
    for pid, faults in before.items():
        # writers of one record at a time may have to give way to each other
        assert all("could not serialize" in fault for fault in filter(None, faults)), (
            pid
        )

    assert caller.call("sync.policy", "action_activate", [policy])[1] == ""
    bound = caller.everywhere(write)
    assert bound.keys() == before.keys(), "the same processes, not new ones"
    for pid, faults in bound.items():
        assert all("owned by Finance" in fault for fault in faults), (pid, faults)

    assert caller.call("sync.policy", "action_deactivate", [policy])[1] == ""
    free = caller.everywhere(write)
    for pid, faults in free.items():
        assert not any("owned by Finance" in fault for fault in faults), (pid, faults)
