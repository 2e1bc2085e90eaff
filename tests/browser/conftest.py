"""A headless Chromium, and people who log in with it."""

import json
import subprocess
import time
from contextlib import ExitStack

import pytest

from devenv.story.browser import chromium, logged_in, open_action
from devenv.story.person import Person

# the control tower of the story, on two idle cores
IDLE_S = 0.8

# what the story does not leave behind: work that waits on every desk
DESKS = """
def make_twins(name, spelling):
    address = {"street": "Kirchweg 7", "zip": "20095", "city": "Hamburg",
               "country_id": env.ref("base.de").id, "is_company": True,
               "phone": "+49 40 5550%d" % len(name)}
    return env["res.partner"].create([
        {"name": name, "email": "office@%d.example" % len(name), **address},
        {"name": spelling, **address}])
twins = make_twins("Steinmann Werkzeuge GmbH", "Steinman Werkzeuge")
make_twins("Feldkamp Logistik GmbH", "Feldkamp Logistik")
make_twins("Brinkhoff Papier GmbH", "Brinkhof Papier GmbH")
governed = env.ref("sync_governance_connectors.partner_hoffmann_demo")
system = lambda code: env["sync.system"].search([("code", "=", code)])
request = env["sync.change.request"].create({
    "name": env["ir.sequence"].next_by_code("sync.change.request"),
    "res_model": "res.partner", "res_id": governed.id, "state": "submitted",
    "policy_id": env.ref("sync_governance_connectors.policy_partner_demo").id,
    "domain_id": env["sync.domain"]._of_model("res.partner").id,
    "requester_id": env.ref("sync_governance_base.user_sync_viewer_demo").id,
    "reason": "The customer moved to the second floor.",
    "line_ids": [(0, 0, {
        "field_name": "street2", "owner_system_id": system("shop").id,
        "field_id": env["ir.model.fields"]._get("res.partner", "street2").id,
        "old_value": governed.street2, "proposed_value": "2nd floor"})]})
issue = env["sync.issue"]._raise(
    "browser:stock", "Stock of the folding crate differs by 40 pieces",
    "stock.difference", severity="error", value_at_risk=996.0, system=system("wms"),
    record=env.ref("sync_governance_connectors.product_crate_demo"),
    detail="Warehouse 1160, Odoo 1200.")
env.cr.commit()
result = {"governed": governed.id, "request": request.id, "issue": issue.id,
          "policy": env.ref("sync_governance_connectors.policy_partner_demo").id}
"""


@pytest.fixture(scope="session")
def server_options():
    """Threads: the websocket is then on the port that the browser knows."""
    return {"workers": 0, "channels": "root:2", "cron_threads": 1}


@pytest.fixture(scope="session")
def browser(settings):
    with chromium(settings.chromium) as browser:
        yield browser


@pytest.fixture
def log_in(world, browser):
    """A function: log in as a user, return the page with the web client."""
    with ExitStack() as pages:

        def log_in(login, password=None):
            page = logged_in(browser, world.url, login, password or login)
            return pages.enter_context(page)

        yield log_in


@pytest.fixture(scope="session")
def page_of(records, world, browser):
    """A function: the page of a user, who logs in at the first call and stays."""
    opened = {}
    with ExitStack() as pages:

        def page_of(login):
            if login not in opened:
                page = logged_in(browser, world.url, login, login)
                opened[login] = pages.enter_context(page)
                opened[login].set_default_timeout(10_000)
            opened[login].errors.clear()
            return opened[login]

        yield page_of


@pytest.fixture
def slowness():
    """A function: how much slower this machine is now than one that does nothing else.

    Measured with a small screen in the same browser; at least 1. Limits in seconds are
    multiplied by it, so that they judge the screen and not its neighbours.
    """

    def slowness(page):
        tower = "sync_governance_base.sync_control_tower_action"
        open_action(page, tower, ready=".o_sync_tile")  # assets are cached from here
        start = time.perf_counter()
        open_action(page, tower, ready=".o_sync_tile")
        return max(1.0, (time.perf_counter() - start) / IDLE_S)

    return slowness


@pytest.fixture(scope="session")
def screens(settings):
    """The folder of screenshots."""
    folder = settings.state / "screens"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def records(world, settings):
    """Ids of records in a world where the story was played and every desk has work."""
    desks = world.shell(DESKS)
    played = subprocess.run(
        world.story_command("--quiet"),
        cwd=settings.root,
        env=world.odoo.environment,
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    story = json.loads((world.folder / "story.json").read_text())
    person = Person(world.url, world.db, "sync_viewer", "sync_viewer")
    to_decide = person.search(
        "sync.duplicate.group", [("state", "=", "suggested")], ["name"]
    )
    patched = person.search(
        "sync.request", [("operation", "=", "patch")], ["credential_id"]
    )
    return {
        **desks,
        "conflict": story["conflict_id"],
        "partner": story["partner_id"],
        "group": to_decide[0]["id"],
        "api_request": patched[0]["id"],
        "key": patched[0]["credential_id"][0],
    }
