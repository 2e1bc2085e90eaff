"""The steward's screens: inbox by keyboard, conflicts, change requests, long lists."""

import re
import time

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot

BASE = "sync_governance_base."
ROW = ".o_list_view .o_data_row"
MANY = 10_000

# decisions of the steward's own: contacts whose city two systems tell apart
WORK = """
shop = env["sync.system"].search([("code", "=", "shop")])
domain = env["sync.domain"]._of_model("res.partner")
field = env["ir.model.fields"]._get("res.partner", "comment")
website = env["ir.model.fields"]._get("res.partner", "website")
colour = env["ir.model.fields"]._get("res.partner", "color")
conflicts = env["sync.conflict"]
for number in range(4):
    partner = env["res.partner"].create({"name": "Fitzroy Foods %d" % number})
    conflicts |= conflicts.create({
        "system_id": shop.id, "res_model": "res.partner", "res_id": partner.id,
        "domain_id": domain.id, "line_ids": [
            (0, 0, {"field_id": website.id, "field_name": "website",
                    "base_value": False, "has_base": True,
                    "current_value": partner.website,
                    "incoming_value": "https://fitzroy.example/%d" % number,
                    "owner_system_id": shop.id, "decision": "take"}),
            (0, 0, {"field_id": colour.id, "field_name": "color",
                    "current_value": 0, "incoming_value": 7, "decision": "keep"}),
            (0, 0, {"field_id": field.id, "field_name": "comment",
                    "current_value": False, "incoming_value": "Long story. " * 200,
                    "decision": "keep"})]})
env.cr.commit()
result = conflicts.ids
"""
# as many as a bad week leaves behind, in SQL because this is about reading them
CROWD = f"""
env.cr.execute('''
INSERT INTO sync_conflict (system_id, res_model, res_id, type, state, request_ref,
                           create_date, create_uid, write_uid, write_date)
SELECT %s, 'res.partner', %s, 'update_differing', 'open', 'crowd',
       now() - n * interval '1 minute', 1, 1, now()
  FROM generate_series(1, {MANY}) AS n;
INSERT INTO sync_policy_hit (day, policy_id, field_name, channel, outcome, count)
SELECT current_date - n %% 30, %s, 'phone', 'ui', 'blocked', 1
  FROM generate_series(1, {MANY}) AS n;
INSERT INTO sync_crosswalk (system_id, res_model, res_id, external_id, state,
                            valid_from, create_date, create_uid, write_uid, write_date)
SELECT %s, 'res.partner', %s, 'CROWD-' || n, 'active', now(), now(), 1, 1, now()
  FROM generate_series(1, {MANY}) AS n;
''', [system_id, partner_id, policy_id, system_id, partner_id])
audit = env["sync.audit"]
for number in range({MANY}):
    audit._log("crowd.%d" % number, reason="one of many")
env.cr.commit()
result = True
"""
QUIET = """
env.cr.execute('''
DELETE FROM sync_conflict WHERE request_ref = 'crowd';
DELETE FROM sync_crosswalk WHERE external_id LIKE 'CROWD-%';
DELETE FROM sync_policy_hit WHERE user_id IS NULL AND system_id IS NULL
                              AND channel = 'ui';
''')
env.cr.commit()
result = True
"""


@pytest.fixture(scope="module")
def conflicts(world, records):
    """Four conflicts alike, for the steward to decide."""
    return world.shell(WORK)


@pytest.fixture(scope="module")
def crowd(world, records):
    """Long lists, until the end of this module: what needs them comes last."""
    names = (
        f"partner_id = {records['partner']}; policy_id = {records['policy']};"
        ' system_id = env["sync.system"].search([("code", "=", "shop")]).id\n'
    )
    world.shell(names + CROWD)
    yield
    world.shell(names + QUIET)


def assert_sound(page):
    assert not page.errors
    assert page.locator(".o_error_dialog").count() == 0
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")


def test_the_inbox_is_worked_off_by_keyboard(conflicts, page_of, screens):
    page = page_of("sync_steward")
    open_action(page, BASE + "sync_inbox_action", ready=ROW)
    rows = page.locator(ROW)
    expect(rows.first.locator("td:focus")).to_have_count(1)
    # the newest come last: duplicates that wait may fill the first page
    page.locator(".o_search_panel").get_by_text("Conflict", exact=True).click()
    expect(page.locator(ROW, has_text="Duplicate Group")).to_have_count(0)
    texts = rows.all_inner_texts()
    ours = [place for place, text in enumerate(texts) if "Fitzroy Foods" in text]
    assert "→" in texts[ours[0]], "the title says what would change"
    waiting = rows.count()
    rows.first.locator("td.o_data_cell").first.focus()
    for _step in range(ours[0]):
        page.keyboard.press("j")
    expect(rows.nth(ours[0]).locator("td:focus")).to_have_count(1)
    page.keyboard.press("s")
    expect(rows.nth(ours[0])).to_have_class(re.compile("o_sync_skipped"))
    page.keyboard.press("k")
    shoot(page, screens, "inbox_keyboard")
    page.keyboard.press("r")
    expect(rows).to_have_count(waiting - 1)
    expect(rows.nth(ours[0]).locator("td:focus")).to_have_count(1)
    page.keyboard.press("a")
    expect(rows).to_have_count(waiting - 2)
    assert_sound(page)


def test_a_request_is_rejected_with_a_reason(records, page_of, screens):
    page = page_of("sync_steward")
    open_action(page, BASE + "sync_inbox_action", ready=ROW)
    row = page.locator(ROW, has_text="2nd floor")
    row.locator("td.o_data_cell").first.focus()
    expect(row.locator("td:focus")).to_have_count(1)
    page.keyboard.press("r")
    dialog = page.locator(".modal")
    expect(dialog.locator("textarea, input[type=text]").first).to_be_visible()
    shoot(page, screens, "change_request_reject")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert_sound(page)


def test_nobody_approves_their_own_request(records, world, page_of, screens):
    steward = 'env.ref("sync_governance_base.user_sync_steward_demo")'
    request = f'env["sync.change.request"].browse({records["request"]})'
    before = world.shell(
        f"before = {request}.requester_id.id\n"
        f"{request}.requester_id = {steward}; env.cr.commit(); result = before"
    )
    try:
        page = page_of("sync_steward")
        open_action(
            page,
            BASE + "sync_change_request_action",
            records["request"],
            ready=".o_form_sheet",
        )
        expect(page.get_by_text("your own request")).to_be_visible()
        expect(page.get_by_role("button", name="Approve and Apply")).to_have_count(0)
        shoot(page, screens, "change_request_own")
        assert_sound(page)
    finally:
        world.shell(f"{request}.requester_id = {before}; env.cr.commit(); result = 1")


def test_a_conflict_reads_well_and_is_decided_with_its_like(
    conflicts, page_of, screens
):
    page = page_of("sync_steward")
    open_action(
        page, BASE + "sync_conflict_action", conflicts[-1], ready=".o_form_sheet"
    )
    lines = page.locator(".o_field_widget[name=line_ids] .o_data_row")
    expect(lines).to_have_count(3)
    website = lines.filter(has_text="fitzroy.example")
    expect(website.locator("div[name=base_display]")).to_contain_text("empty")
    colour = lines.filter(has_text="Color")
    expect(colour.locator("div[name=current_display]")).to_have_text("0")
    expect(colour.locator("div[name=base_display]")).to_contain_text("never agreed")
    story = lines.filter(has_text="Long story").locator("div[name=incoming_display]")
    clipped = story.locator(".o_sync_clipped")
    assert clipped.bounding_box()["height"] < 120
    shoot(page, screens, "conflict_three_way")
    story.get_by_role("button", name="More").click()
    expect(clipped).to_have_count(0)
    assert_sound(page)
    page.get_by_role("button", name="Same for Similar Ones").click()
    page.locator(".modal").get_by_role("button", name="Ok").click()
    expect(page.locator(".o_statusbar_status")).to_contain_text("Resolved")
    expect(page.get_by_role("button", name="Apply Decisions")).to_have_count(0)
    page.get_by_role("button", name="Make This a Rule").click()
    expect(page.locator(".o_field_widget[name=enforcement]").first).to_be_visible()
    shoot(page, screens, "conflict_rule")
    assert_sound(page)


def test_the_status_of_a_record(records, page_of, screens):
    page = page_of("sync_steward")
    page.goto(f"/odoo/res.partner/{records['partner']}")
    page.locator("button[name=action_sync_status]").first.click()
    dialog = page.locator(".modal")
    expect(
        dialog.locator(".o_field_widget[name=line_ids] .o_data_row")
    ).not_to_have_count(0)
    page.wait_for_timeout(300)
    shoot(page, screens, "record_status")
    for tab in (
        "External Ids",
        "Conflicts",
        "Change Requests",
        "Events",
        "API Requests",
    ):
        dialog.get_by_role("tab", name=tab).click()
        expect(dialog.locator(".tab-pane.active")).to_be_visible()
    shoot(page, screens, "record_status_events")
    assert_sound(page)


def test_a_field_without_a_label_says_who_owns_it(records, page_of, screens):
    page = page_of("admin")
    page.goto(f"/odoo/res.partner/{records['partner']}")
    page.wait_for_selector(".o_form_sheet")
    page.locator(".o_field_widget[name=phone]").first.hover()
    tooltip = page.locator(".o-tooltip")
    expect(tooltip).to_contain_text("Phone")
    expect(tooltip).to_contain_text("System of record: Web Shop")
    page.wait_for_timeout(400)
    shoot(page, screens, "contact_tooltip_phone")
    page.mouse.move(0, 0)
    page.locator(".o_field_widget[name=street]").first.hover()
    expect(tooltip).to_contain_text("Zip")
    assert_sound(page)


@pytest.mark.parametrize(
    ("login", "action"),
    [
        ("sync_steward", "sync_inbox_action"),
        ("sync_steward", "sync_conflict_action"),
        ("sync_admin", "sync_policy_hit_action"),
        ("sync_admin", "sync_crosswalk_action"),
        ("sync_auditor", "sync_audit_action"),
    ],
)
def test_a_list_of_ten_thousand_is_there_at_once(
    login, action, crowd, page_of, screens, slowness
):
    page = page_of(login)
    slower = slowness(page)
    start = time.perf_counter()
    page.goto(f"/odoo/action-{BASE}{action}?view_type=list")
    page.wait_for_selector(ROW)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(300)
    shoot(page, screens, f"many_{action}")
    print(f"{slower:.1f} times slower: {action} {seconds:.2f} s")
    assert seconds < 2 * slower
    assert_sound(page)
