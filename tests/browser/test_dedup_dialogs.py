"""The rule, its training, the safe band and undoing: screens that decide by figures."""

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot

DEDUP = "sync_governance_dedup."
FORM = ".o_form_view .o_form_sheet"
SEED = """
Partner, rule = env["res.partner"], env.ref(
    "sync_governance_dedup.sync_duplicate_rule_partner")
words = ["Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor"]
twins = Partner.create([
    {"name": word + spelling, "is_company": True, "phone": "+49 30 8800%02d" % place,
     "email": "info@%s-dialogs.example" % word.lower(), "street": "Ring %d" % place,
     "zip": "10115", "city": "Berlin", "country_id": env.ref("base.de").id}
    for place, word in enumerate(words)
    for spelling in (" Dialogs GmbH", " Dialogs", " Dialogs GmbH")])
scan = env["sync.duplicate.scan"].create({"rule_id": rule.id, "state": "running"})
while scan.state == "running":
    scan._advance()
pairs = env["sync.duplicate.pair"].search([("scan_id", "=", scan.id)], limit=40)
env["sync.duplicate.verdict"].create([
    {"rule_id": rule.id, "model_name": "res.partner", "left_id": pair.left_id,
     "right_id": pair.right_id, "is_duplicate": place % 3 > 0}
    for place, pair in enumerate(pairs)])
group = env["sync.duplicate.group"].search(
    [("member_ids.record_id", "=", twins[0].id)])
twins[0].website = "https://old.example"
env["sync.merge.service"]._merge(twins[:3], twins[0], group=group, reason="Twins")
journal = env["sync.merge.journal"].search([], limit=1)
env.cr.commit()
steward = env.ref("sync_governance_base.user_sync_steward_demo")
twins[0].with_user(steward).write(
    {"website": "https://new.example", "comment": "<p>Moved</p>"})
late = Partner.create({"name": "Ada Amber", "parent_id": twins[0].id})
order = env["sale.order"].create({"partner_id": twins[0].id, "order_line": [(0, 0, {
    "product_id": env.ref("sync_governance_connectors.product_crate_demo").id})]})
env.cr.commit()
result = {"rule": rule.id, "journal": journal.id, "survivor": twins[0].id,
          "retired": twins[1].id, "late": late.id, "order": order.id}
"""


@pytest.fixture(scope="module")
def seeded(world):
    return world.shell(SEED)


@pytest.fixture
def page(log_in):
    return log_in("admin")


@pytest.fixture
def steward(log_in):
    return log_in("sync_steward")


def assert_sound(page):
    assert not page.errors
    assert page.locator(".o_error_dialog, .o_notification.bg-danger").count() == 0
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")


def test_a_threshold_is_picked_from_the_histogram(seeded, page, screens):
    open_action(page, DEDUP + "sync_duplicate_rule_action", seeded["rule"], ready=FORM)
    shoot(page, screens, "dedup_rule")
    page.get_by_role("tab", name="Scores").click()
    expect(page.locator(".o_sync_histogram").first).to_be_visible()
    page.wait_for_timeout(400)
    page.locator(".o_sync_histogram").first.scroll_into_view_if_needed()
    shoot(page, screens, "dedup_histogram")
    assert_sound(page)


def test_a_training_is_shown_before_it_is_applied(seeded, page, screens):
    open_action(page, DEDUP + "sync_duplicate_rule_action", seeded["rule"], ready=FORM)
    page.locator("button[name=action_train]").click()
    expect(page.locator("button[name=action_apply]")).to_be_visible()
    shoot(page, screens, "dedup_training")
    assert_sound(page)


def test_the_band_is_previewed(seeded, steward, screens):
    open_action(steward, DEDUP + "sync_merge_band_action", ready="[name=line_ids]")
    steward.wait_for_timeout(300)
    shoot(steward, screens, "dedup_band")
    assert_sound(steward)


def test_undoing_says_what_it_will_do(seeded, steward, screens):
    open_action(
        steward, DEDUP + "sync_merge_journal_action", seeded["journal"], ready=FORM
    )
    steward.locator("button[name=action_undo]").first.click()
    dialog = steward.locator(".modal")
    expect(dialog.get_by_text("Brought back")).to_be_visible()
    site = dialog.locator("[name=change_ids] .o_data_row", has_text="Website")
    expect(site).to_contain_text("https://old.example")
    expect(site).to_contain_text("https://new.example")
    late = dialog.locator("[name=addition_ids] .o_data_row", has_text="Ada Amber")
    expect(late).to_contain_text("Amber Dialogs GmbH")
    shoot(steward, screens, "dedup_undo")
    assert_sound(steward)


def test_undoing_is_decided_line_by_line(seeded, steward, world, screens):
    """A changed value is put back, another one stays; a document changes hands."""
    open_action(
        steward, DEDUP + "sync_merge_journal_action", seeded["journal"], ready=FORM
    )
    steward.locator("button[name=action_undo]").first.click()
    dialog = steward.locator(".modal")
    site = dialog.locator("[name=change_ids] .o_data_row", has_text="Website")
    site.locator("[name=put_back] input").click()
    # stewards do not read orders: it is told that there is one
    order = dialog.locator("[name=addition_ids] .o_data_row", has_text="1 Sales Order")
    order.locator("td[name=destination_id]").click()
    order.locator("td[name=destination_id] input").fill("Amber Dialogs")
    steward.locator(".o-autocomplete--dropdown-item", has_text="Amber Dialogs").filter(
        has_not_text="GmbH"
    ).click()
    dialog.locator("[name=reason] input").fill("Two branches")
    shoot(steward, screens, "dedup_undo_decided")
    dialog.locator("button[name=action_undo]").click()
    expect(dialog).to_have_count(0)
    assert_sound(steward)
    read = (
        f"survivor = env['res.partner'].browse({seeded['survivor']})\n"
        f"order = env['sale.order'].browse({seeded['order']})\n"
        f"late = env['res.partner'].browse({seeded['late']})\n"
        "result = [survivor.website, 'Moved' in (survivor.comment or ''),"
        " order.partner_id.id, late.parent_id.id]"
    )
    assert world.shell(read) == [
        "https://old.example",
        True,
        seeded["retired"],
        seeded["survivor"],
    ]
