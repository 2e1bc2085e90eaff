"""Every main screen opens without an error and fits on a notebook's display.

The screenshots in ``.local/screens`` are what a person looks at afterwards.
"""

import re

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot

BASE = "sync_governance_base."
HOOKS = "sync_governance_webhooks."
DEDUP = "sync_governance_dedup."
DOOR = "sync_governance_connectors."

TOWER = ".o_sync_control_tower .o_sync_tile"
LIST = ".o_list_view .o_data_row"
KANBAN = ".o_kanban_view .o_kanban_record:not(.o_kanban_ghost)"
FORM = ".o_form_view .o_form_sheet, .o_form_view .o_form_nosheet"
EMPTY = ".o_view_nocontent"
DESK = ".o_sync_compare[data-seen='true']"

# screenshot, who looks, action, record (a key of ``records``), what must show
SCREENS = [
    ("control_tower", "sync_admin", BASE + "sync_control_tower_action", None, TOWER),
    ("policies", "sync_admin", BASE + "sync_policy_action", None, LIST),
    ("policy", "sync_admin", BASE + "sync_policy_action", "policy", FORM),
    ("domains", "sync_admin", BASE + "sync_domain_action", None, LIST),
    ("systems", "sync_admin", BASE + "sync_system_action", None, LIST),
    ("crosswalk", "sync_admin", BASE + "sync_crosswalk_action", None, LIST),
    ("conflicts", "sync_steward", BASE + "sync_conflict_action", None, LIST),
    ("conflict", "sync_steward", BASE + "sync_conflict_action", "conflict", FORM),
    ("inbox", "sync_steward", BASE + "sync_inbox_action", None, LIST),
    (
        "change_request",
        "sync_steward",
        BASE + "sync_change_request_action",
        "request",
        FORM,
    ),
    ("issues", "sync_operator", BASE + "sync_issue_action", None, LIST),
    ("issue", "sync_operator", BASE + "sync_issue_action", "issue", FORM),
    ("events", "sync_viewer", HOOKS + "sync_event_action", None, LIST),
    ("deliveries", "sync_viewer", HOOKS + "sync_delivery_action", None, LIST),
    (
        "dead_letters",
        "sync_operator",
        HOOKS + "sync_dead_letter_cause_action",
        None,
        f"{LIST}, {EMPTY}",
    ),
    ("subscriptions", "sync_admin", HOOKS + "sync_subscription_action", None, KANBAN),
    ("event_types", "sync_admin", HOOKS + "sync_event_type_action", None, LIST),
    ("requests", "sync_admin", DOOR + "sync_request_action", None, LIST),
    ("request", "sync_admin", DOOR + "sync_request_action", "api_request", FORM),
    ("credentials", "sync_security", DOOR + "sync_credential_action", None, LIST),
    ("credential", "sync_security", DOOR + "sync_credential_action", "key", FORM),
    ("scopes", "sync_security", DOOR + "sync_credential_scope_action", None, LIST),
    ("callers", "sync_admin", DOOR + "sync_contract_caller_action", None, EMPTY),
    (
        "mappings",
        "sync_admin",
        DOOR + "sync_mapping_action",
        None,
        f"{LIST}, {EMPTY}",
    ),
    ("contracts", "sync_admin", BASE + "sync_contract_action", None, LIST),
    ("duplicates", "sync_steward", DEDUP + "sync_duplicate_group_action", None, LIST),
    ("merges", "sync_steward", DEDUP + "sync_merge_journal_action", None, LIST),
    (
        "duplicates_desk",
        "sync_steward",
        DEDUP + "sync_duplicate_desk_action",
        None,
        DESK,
    ),
    ("audit", "sync_auditor", BASE + "sync_audit_action", None, LIST),
    ("sod_findings", "sync_security", BASE + "sync_sod_finding_action", None, EMPTY),
]


def assert_sound(page):
    """No error of JavaScript or of the server, nothing wider than the display."""
    assert not page.errors
    assert page.locator(".o_error_dialog, .o_notification.bg-danger").count() == 0
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    ("name", "login", "action", "record", "ready"),
    SCREENS,
    ids=[screen[0] for screen in SCREENS],
)
def test_screen(name, login, action, record, ready, records, page_of, screens):
    page = page_of(login)
    open_action(page, action, records[record] if record else None, ready=ready)
    page.wait_for_timeout(300)
    shoot(page, screens, name)
    assert_sound(page)
    if ready == EMPTY:
        assert page.locator(EMPTY).inner_text().strip(), "it says what will be here"


def test_a_governed_contact_opens_its_sync_status(records, page_of, screens):
    page = page_of("sync_steward")
    page.goto(f"/odoo/res.partner/{records['partner']}")
    page.wait_for_selector(FORM)
    expect(page.locator("button[name=action_sync_status]").first).to_be_visible()
    phone = page.locator(".o_field_widget[name=phone]").first
    assert phone.locator("input").count() == 0, "the shop owns it: it is read-only"
    shoot(page, screens, "contact")
    assert_sound(page)


def test_a_governed_field_says_who_owns_it(records, page_of, screens):
    page = page_of("admin")
    page.goto(f"/odoo/res.partner/{records['partner']}")
    page.wait_for_selector(FORM)
    page.get_by_role("tab", name="Sales & Purchase").click()
    page.locator("label[for^=property_payment_term_id] sup").first.hover()
    tooltip = page.locator(".o-tooltip")
    expect(tooltip).to_contain_text("System of record: Finance")
    page.wait_for_timeout(400)  # it fades in
    shoot(page, screens, "contact_tooltip")
    assert_sound(page)


def test_a_duplicate_is_merged_by_keyboard(records, page_of, screens):
    page = page_of("sync_steward")
    open_action(page, DEDUP + "sync_duplicate_desk_action", ready=DESK)
    page.keyboard.press("/")
    page.keyboard.type("Brinkhof")
    page.keyboard.press("Enter")
    queue = page.locator(".o_sync_queue_item")
    expect(queue).to_have_count(1)
    group = queue.get_attribute("data-group-id")
    page.wait_for_selector(f"{DESK}[data-group-id='{group}']")
    page.keyboard.press("m")
    expect(page.get_by_text(re.compile(r", 1 done"))).to_be_visible()
    expect(queue).to_have_count(0)
    shoot(page, screens, "duplicates_desk_merged")
    assert_sound(page)
