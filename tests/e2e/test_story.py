"""The demo's story, played once and then asserted from the database and the logs.

The story makes its own claims while it runs; here nothing of what it says is believed:
each fact is read again where it happened.
"""

import json
import subprocess

import pytest

AFTERMATH = """
facts = {facts!r}
def rows(model, domain, fields):
    return env[model].search(domain).read(fields, load=None)
partner, order, picking = facts["partner_id"], facts["order_id"], facts["picking_id"]
by_ref = lambda ref: env["sync.event"].search([("ref", "=", ref)])
order_event = by_ref(facts["order_event"])
shipment_event = by_ref(facts["shipment_event"])
wms = env["sync.delivery"].search([
    ("event_id", "=", order_event.id), ("subscription_id.system_id.code", "=", "wms")])
links = lambda system, model, ext: rows("sync.crosswalk", [
    ("system_id.code", "=", system), ("res_model", "=", model),
    ("external_id", "=", ext)], ["res_id", "state"])
result = {{
    "customer_links": links("shop", "res.partner", facts["customer"]),
    "order_links": links("shop", "sale.order", facts["order"]),
    "parcel_links": links("carrier", "stock.picking", facts["parcel"]),
    "twin_links": links("shop", "res.partner", facts["twin"]),
    "orders": rows("sale.order", [("partner_id", "=", partner)], ["state"]),
    "partner": env["res.partner"].browse(partner).read(
        ["street", "phone", "credit_limit"], load=None)[0],
    "conflict": env["sync.conflict"].browse(facts["conflict_id"]).read(
        ["state", "type"], load=None)[0],
    "conflict_lines": rows("sync.conflict.line",
        [("conflict_id", "=", facts["conflict_id"])], ["field_name", "incoming_value"]),
    "attempts": wms.attempt_ids.sorted("id").mapped("status_code"),
    "wms_state": wms.mapped("state"),
    "shipment_receivers": env["sync.delivery"].search([
        ("event_id", "=", shipment_event.id)]).subscription_id.system_id.mapped("code"),
    "shipment_source": shipment_event.source_system_id.code,
    "picking": env["stock.picking"].browse(picking).read(
        ["state", "sync_milestone"], load=None)[0],
    "group": env["sync.duplicate.group"].browse(facts["group_id"]).state,
    "journals": env["sync.merge.journal"].search_count(
        [("survivor_id", "=", facts["survivor_id"])]),
    "requests": env["sync.request"].search_count([("state", "=", "applied")]),
    "hits": env["sync.policy.hit"].search_count([("outcome", "=", "blocked")]),
}}
"""


@pytest.fixture(scope="module")
def facts(world, settings):
    """What the story remembers, after it was played to its end."""
    played = subprocess.run(
        world.story_command(),
        cwd=settings.root,
        env=world.odoo.environment,
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    return json.loads((world.folder / "story.json").read_text())


@pytest.fixture(scope="module")
def aftermath(world, facts):
    """What the database holds afterwards."""
    return world.shell(AFTERMATH.format(facts=facts))


@pytest.fixture(scope="module")
def calls(world, facts):
    """The receivers' log."""
    return [json.loads(line) for line in world.receiver_log.read_text().splitlines()]


def test_every_chapter_was_told(facts):
    assert facts["chapters"] == list("abcdef")


def test_repeated_requests_have_one_effect(facts, aftermath):
    assert len(aftermath["customer_links"]) == 1
    assert len(aftermath["order_links"]) == 1
    assert aftermath["orders"] == [{"id": facts["order_id"], "state": "sale"}]


def test_the_owner_of_a_field_keeps_it(aftermath):
    partner = aftermath["partner"]
    assert partner["street"] == "Elbchaussee 99"
    assert partner["credit_limit"] != 90000
    assert partner["phone"] == "+49 40 1234567"


def test_what_was_held_waits_for_the_steward(aftermath):
    assert aftermath["conflict"]["state"] == "open"
    assert [line["field_name"] for line in aftermath["conflict_lines"]] == [
        "credit_limit"
    ]
    assert aftermath["conflict_lines"][0]["incoming_value"] == 90000
    assert aftermath["hits"] >= 2


def test_a_failing_receiver_is_tried_until_it_accepts(aftermath):
    assert aftermath["attempts"] == [503, 503, 200]
    assert aftermath["wms_state"] == ["delivered"]


def test_receivers_verified_what_they_got(facts, calls):
    assert all(call["verified"] for call in calls)
    tries = [call for call in calls if call["webhook_id"] == facts["order_event"]]
    to_wms = [call for call in tries if call["system"] == "wms"]
    assert [call["status"] for call in to_wms] == [503, 503, 200]
    assert len({call["body"] for call in to_wms}) == 1


def test_no_system_hears_its_own_echo(facts, aftermath, calls):
    assert aftermath["shipment_source"] == "carrier"
    assert sorted(aftermath["shipment_receivers"]) == ["shop", "wms"]
    heard = {
        call["system"]
        for call in calls
        if call["webhook_id"] == facts["shipment_event"] and call["status"] == 200
    }
    assert heard == {"shop", "wms"}


def test_the_carrier_moved_the_delivery(aftermath):
    assert aftermath["picking"]["state"] == "done"
    assert aftermath["picking"]["sync_milestone"] == "dispatched"
    assert len(aftermath["parcel_links"]) == 1


def test_the_merged_customer_keeps_its_ids(facts, aftermath):
    assert aftermath["group"] == "merged"
    assert aftermath["journals"] == 1
    assert [link["res_id"] for link in aftermath["twin_links"]] == [
        facts["survivor_id"]
    ]


def test_every_call_is_on_record(aftermath):
    assert aftermath["requests"] >= 6
