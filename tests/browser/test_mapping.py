"""A partner's own words: a unit nobody knows, drafted rules, a message mended."""

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot
from tests.browser.test_screens import assert_sound

CONNECTORS = "sync_governance_connectors."
SCENE = """
shop = env["sync.system"].search([("code", "=", "shop")])
if not shop.service_account_ids:
    env["sync.service.account"]._create_for(shop, "Mapping")
rules = [
    {"target": "name", "expression": "title", "required": True},
    {"target": "uom", "expression": "unit", "transform": "value_map",
     "argument": "uom", "required": True}]
mapping = env["sync.mapping"].create({
    "system_id": shop.id, "event_type": "item/created", "resource": "products",
    "line_ids": [(0, 0, rule) for rule in rules]})
mapping.action_activate()
messages = [
    {"id": "U-1", "title": "Folding crate", "unit": "PCE", "sku": "CRATE-U1"},
    {"id": "U-2", "unit": "PCE", "sku": "CRATE-U2"}]
import json
requests = env["sync.request"].create([{
    "ref": f"req_mapping_{number}", "kind": "hook", "state": "received",
    "system_id": shop.id, "company_id": shop.company_id.id,
    "event_type": "item/created", "event_id": f"item-{number}",
    "request_body": json.dumps(message)}
    for number, message in enumerate(messages)])
for request in requests:
    request._process_hook()
draft = mapping.copy({
    "version": 2, "sample": json.dumps(messages[0]),
    "line_ids": [(0, 0, rules[0])]})
env.cr.commit()
result = {"states": requests.mapped("state"), "draft": draft.id,
          "requests": requests.ids}
"""
APPLIED = """
result = env["sync.request"].search([("ref", "=", "req_mapping_0")]).state
"""


@pytest.fixture(scope="module")
def scene(world):
    made = world.shell(SCENE)
    assert made["states"] == ["quarantined", "quarantined"]
    return made


def test_a_steward_maps_an_unknown_unit_and_the_message_goes_through(
    scene, world, log_in, screens
):
    page = log_in("sync_steward")
    open_action(page, f"{CONNECTORS}sync_value_map_action")
    row = page.locator(".o_data_row").filter(has_text="PCE")
    shoot(page, screens, "value_maps")
    assert_sound(page)
    row.locator("td[name=canonical_value]").click()
    page.locator(".o_selected_row [name=canonical_value] input").fill("Units")
    page.keyboard.press("Enter")
    expect(row.locator("td[name=canonical_value]")).to_have_text("Units")
    for _look in range(12):
        if world.shell(APPLIED) == "applied":
            break
        page.wait_for_timeout(1000)
    assert world.shell(APPLIED) == "applied"


def test_rules_are_suggested_and_a_draft_is_compared(scene, log_in, screens):
    page = log_in("sync_admin")
    open_action(page, f"{CONNECTORS}sync_mapping_action", scene["draft"])
    shoot(page, screens, "mapping")
    assert_sound(page)
    page.get_by_role("button", name="Suggest Rules").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".o_data_row").first).to_be_visible()
    shoot(page, screens, "mapping_suggestions")
    dialog.get_by_role("button", name="Accept").first.click()
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name="Run on the Last Messages").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".o_data_row")).to_have_count(2)
    shoot(page, screens, "mapping_comparison")
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("tab", name="Try").click()
    expect(page.locator("[name=sample_trace] table")).to_be_visible()
    shoot(page, screens, "mapping_trial")
    assert_sound(page)
    page.get_by_role("tab", name="CSV and XML").click()
    shoot(page, screens, "mapping_documents")


def test_a_stuck_message_is_corrected(scene, log_in, screens):
    page = log_in("sync_operator")
    open_action(page, f"{CONNECTORS}sync_request_action", scene["requests"][1])
    shoot(page, screens, "request_stuck")
    assert_sound(page)
    page.get_by_role("button", name="Correct").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Ask for Approval")).to_be_visible()
    shoot(page, screens, "request_correction")
