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
env["sync.merge.service"]._merge(twins[:3], twins[0], group=group, reason="Twins")
env.cr.commit()
result = {"rule": rule.id, "journal": env["sync.merge.journal"].search([], limit=1).id}
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
    expect(dialog.get_by_text("will be a record of")).to_be_visible()
    shoot(steward, screens, "dedup_undo")
    assert_sound(steward)
