"""Dead letters are found by cause, replayed after a plan, corrected by two people."""

import json
import re

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot
from tests.browser.test_screens import assert_sound

HOOKS = "sync_governance_webhooks."
# A receiver that refuses everything (nothing listens there), ten thousand deliveries
# of which some are dead, and a subscription that has sent nothing yet.
SCENE = """
manager = env.ref("sync_governance_base.group_sync_integration_manager")
env["res.users"].search([("login", "=", "sync_second")]) or env["res.users"].create({
    "name": "Second Manager", "login": "sync_second", "password": "sync_second",
    "group_ids": [(6, 0, [env.ref("base.group_user").id, manager.id])]})
env["ir.config_parameter"].set_param("sync_governance.allowed_networks", "127.0.0.0/8")
event_type = env["sync.event.type"].create(
    {"name": "browser.happened", "operation": "explicit", "is_state_type": False,
     "masked_paths": "email"})
subscription = env["sync.subscription"].create({
    "name": "Marketplace orders", "url": "http://127.0.0.1:9/hook",
    "patterns": "browser.*", "retry_schedule": "0"})
subscription._rotate_secret()
subscription.action_activate()
quiet = env["sync.subscription"].create({
    "name": "Quiet", "url": "https://quiet.example.com/hook", "patterns": "never.*",
    "environment": "test"})
quiet._rotate_secret()
quiet.action_activate()
subscription.state = "paused"
partners = env["res.partner"].create(
    [{"name": f"Browser {n}"} for n in range(2000)])
env.cr.commit()
for turn in range(5):
    for partner in partners:
        event_type._emit("browser.happened", partner, {
            "name": partner.name, "email": "someone@example.com", "turn": turn})
    env.cr.commit()
env.cr.execute("UPDATE sync_delivery SET state = 'delivered', attempt_count = 1,"
               " last_status = 204, delivered_at = occurred_at"
               " WHERE subscription_id = %s", [subscription.id])
env.cr.execute("UPDATE sync_delivery SET state = 'dead', last_status = 422,"
               " last_error = 'http_422', delivered_at = NULL"
               " WHERE subscription_id = %s AND id %% 4 = 0", [subscription.id])
env.cr.execute("UPDATE sync_delivery SET state = 'dead', last_status = 0,"
               " last_error = 'timeout', delivered_at = NULL"
               " WHERE subscription_id = %s AND id %% 100 = 1", [subscription.id])
env.cr.execute("INSERT INTO sync_delivery_attempt (delivery_id, subscription_id,"
               " number, started_at, duration_ms, status_code, verdict, error_class,"
               " request_headers, request_size, response_headers, response_body,"
               " response_base64, response_size)"
               " SELECT id, subscription_id, 1, occurred_at, 35, last_status,"
               " CASE state WHEN 'dead' THEN 'dead' ELSE 'delivered' END, last_error,"
               " 'content-type: application/json', 80, 'content-type: text/plain',"
               " 'no such customer: someone@example.com', FALSE, 39"
               " FROM sync_delivery WHERE subscription_id = %s", [subscription.id])
env.cr.commit()
letter = env["sync.delivery"].search([
    ("subscription_id", "=", subscription.id),
    ("last_error", "=", "http_422")], limit=1)
result = {"subscription": subscription.id, "letter": letter.id, "quiet": quiet.id}
"""


@pytest.fixture(scope="module")
def scene(records, world):
    """Ids of what the pages are about."""
    return world.shell(SCENE)


def test_ten_thousand_deliveries(scene, page_of, screens):
    page = page_of("sync_viewer")
    open_action(page, HOOKS + "sync_delivery_action", ready=".o_list_view .o_data_row")
    expect(page.locator(".o_pager_limit")).to_contain_text(re.compile("10.?0|10,"))
    shoot(page, screens, "deliveries_many")
    page.locator(".o_switch_view.o_graph").click()
    page.wait_for_selector(".o_graph_view canvas")
    page.wait_for_timeout(500)
    shoot(page, screens, "deliveries_graph")
    page.locator(".o_switch_view.o_pivot").click()
    page.wait_for_selector(".o_pivot_view table")
    shoot(page, screens, "deliveries_pivot")
    assert_sound(page)


def test_subscriptions_tell_how_they_are(scene, page_of, screens):
    page = page_of("sync_admin")
    open_action(page, HOOKS + "sync_subscription_action", ready=".o_kanban_record")
    quiet = page.locator(".o_kanban_record", has_text="Quiet")
    expect(quiet).to_contain_text("–")
    expect(quiet).not_to_contain_text("0.0")
    expect(quiet).to_contain_text("Test")
    page.wait_for_timeout(300)
    shoot(page, screens, "subscriptions_quiet")
    open_action(
        page, HOOKS + "sync_subscription_action", scene["quiet"], ".o_form_sheet"
    )
    shoot(page, screens, "subscription")
    page.get_by_role("tab", name="Authentication").click()
    page.locator(".o_field_widget[name=auth_kind] input").click()
    page.locator(".o_select_menu_item", has_text="OAuth 2.0").click()
    page.wait_for_timeout(300)
    shoot(page, screens, "subscription_authentication")
    assert_sound(page)
    page.locator(".o_form_button_cancel").click()


def test_a_cause_is_replayed_after_a_plan(scene, page_of, screens):
    page = page_of("sync_operator")
    open_action(
        page,
        HOOKS + "sync_dead_letter_cause_action",
        ready=".o_list_view .o_data_row",
    )
    row = page.locator(".o_data_row", has_text="http_422")
    expect(row).to_contain_text("Marketplace orders")
    expect(row).to_contain_text("no such customer: ***")
    shoot(page, screens, "dead_letters_by_cause")
    assert_sound(page)
    row.get_by_role("button", name="Replay…").click()
    page.wait_for_selector(".o_form_view .o_form_sheet")
    expect(page.locator(".o_field_widget[name=total]")).to_contain_text("2,500")
    shoot(page, screens, "replay_planned")
    assert_sound(page)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".o_arrow_button_current")).to_have_text("Cancelled")


def test_progress_is_seen_without_a_reload(scene, world, page_of, screens):
    started = """
subscription = env["sync.subscription"].browse(%d)
subscription.state = "active"
replay = env["sync.replay"].create({
    "subscription_id": subscription.id, "reason": "Looked at", "rate": 4.0,
    "error_class": "http_422"})
replay.action_plan()
env.cr.commit()
result = replay.id
"""
    replay = world.shell(started % scene["subscription"])
    page = page_of("sync_operator")
    open_action(page, HOOKS + "sync_replay_action", replay, ".o_form_sheet")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".o_arrow_button_current")).to_have_text("Running")
    # the job's first steps, told by the bus: nobody touches the page
    processed = page.locator(".o_field_widget[name=processed]")
    expect(processed).to_have_text(re.compile("[1-9]"), timeout=30_000)
    first = processed.inner_text()
    expect(processed).not_to_have_text(first, timeout=30_000)
    shoot(page, screens, "replay_running")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".o_arrow_button_current")).to_have_text("Paused")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".o_arrow_button_current")).to_have_text("Cancelled")
    assert_sound(page)


def test_a_payload_is_corrected_by_two_people(scene, page_of, screens):
    page = page_of("sync_admin")
    action = HOOKS + "sync_dead_letter_action"
    open_action(page, action, scene["letter"], ".o_form_sheet")
    shoot(page, screens, "dead_letter")
    page.get_by_role("button", name="Correct…").click()
    page.wait_for_selector(".modal .ace_editor")
    payload = json.dumps({"name": "Right", "email": "right@example.com", "turn": 9})
    page.evaluate(
        "text => ace.edit(document.querySelector('.modal .ace_editor')).setValue(text)",
        payload,
    )
    page.locator(".modal .o_field_widget[name=reason] input").fill("Wrong customer")
    shoot(page, screens, "correction_request")
    page.get_by_role("button", name="Ask for Approval").click()
    page.wait_for_selector(
        ".o_form_view .o_form_sheet .o_field_widget[name=difference]"
    )
    expect(
        page.get_by_text("A second integration manager must approve")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Approve and Send")).to_have_count(0)
    page.wait_for_timeout(500)
    shoot(page, screens, "correction_requested")
    assert_sound(page)
    second = page_of("sync_second")
    open_action(
        second, HOOKS + "sync_correction_action", ready=".o_list_view .o_data_row"
    )
    shoot(second, screens, "corrections")
    second.locator(".o_data_row", has_text="Wrong customer").click()
    second.get_by_role("button", name="Approve and Send").click()
    second.get_by_role("button", name="Ok").click()
    expect(second.locator(".o_arrow_button_current")).to_have_text("Approved")
    second.get_by_role("button", name="Sent As").click()
    second.wait_for_selector(".o_data_row")
    assert_sound(second)
