"""Systems that give files: a feed is set up, a snapshot is compared."""

import re

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot
from tests.browser.test_screens import assert_sound

CONNECTORS = "sync_governance_connectors."
SNAPSHOT = (
    "external_id,name,email\n"
    "R-1,Seen by both,other@example.com\n"
    "R-2,Missing in Odoo,new@example.com\n"
)
SCENE = """
shop = env["sync.system"].search([("code", "=", "shop")])
if not shop.service_account_ids:  # the story makes it, where it was played before
    env["sync.service.account"]._create_for(shop, "Exchange")
seen = env["res.partner"].create(
    {"name": "Seen by both", "email": "ours@example.com", "ref": "compared"})
gone = env["res.partner"].create({"name": "Missing there", "ref": "compared"})
for number, partner in ((1, seen), (3, gone)):
    env["sync.crosswalk"]._link(shop, partner, f"R-{number}")
reconciliation = env["sync.reconciliation"].create({
    "name": "Customers of the shop", "system_id": shop.id, "resource": "customers",
    "scope": "[('ref', '=', 'compared')]",
    "line_ids": [(0, 0, {"path": "name"}), (0, 0, {"path": "email"})]})
remote = env["sync.remote"].create({
    "name": "Files of the shop", "system_id": shop.id, "kind": "folder",
    "address": "shop"})
env.cr.commit()
result = {"reconciliation": reconciliation.id, "remote": remote.id}
"""


@pytest.fixture(scope="module")
def scene(world):
    return world.shell(SCENE)


def test_a_snapshot_is_compared_and_decided(scene, world, log_in, screens, tmp_path):
    page = log_in("sync_admin")
    export = tmp_path / "export.csv"
    export.write_text(SNAPSHOT)
    open_action(page, f"{CONNECTORS}sync_reconciliation_action")
    page.get_by_role("cell", name="Customers of the shop").first.click()
    shoot(page, screens, "reconciliation")
    assert_sound(page)
    page.get_by_role("button", name="Compare Now").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(export)
    expect(dialog.locator(".o_clear_file_button")).to_be_visible()
    dialog.get_by_role("button", name="Compare").click()
    state = page.locator(".o_arrow_button_current")
    for _look in range(60):
        if "Done" in (state.first.text_content() or ""):
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(state.first).to_contain_text("Done")
    shoot(page, screens, "reconciliation_run")
    assert_sound(page)

    open_action(page, f"{CONNECTORS}sync_reconciliation_difference_action")
    rows = page.locator(".o_data_row")
    expect(rows).to_have_count(3)
    shoot(page, screens, "differences")
    assert_sound(page)
    missing = rows.filter(has_text="Missing in Odoo")
    missing.get_by_role("button", name="Take Theirs").click()
    expect(rows).to_have_count(2)
    rows.filter(has_text="Missing there").locator("input[type=checkbox]").check()
    page.get_by_role("button", name="Accept or Ignore").click()
    dialog = page.get_by_role("dialog")
    shoot(page, screens, "difference_decision")
    dialog.get_by_label("Reason").fill("Sold to another shop.")
    dialog.get_by_role("button", name="Confirm").click()
    expect(rows).to_have_count(1)


def test_a_feed_is_set_up(scene, world, log_in, screens):
    page = log_in("sync_admin")
    open_action(page, f"{CONNECTORS}sync_remote_action")
    page.get_by_role("cell", name="Files of the shop").click()
    shoot(page, screens, "remote")
    assert_sound(page)
    page.get_by_role("button", name="Test the Connection").click()
    problem = page.get_by_role("dialog")
    expect(problem).to_contain_text("exchange_folder")
    problem.get_by_role("button", name=re.compile("Close|Ok")).first.click()

    open_action(page, f"{CONNECTORS}sync_feed_action")
    expect(page.get_by_text("Nothing is fetched or left anywhere yet")).to_be_visible()
    shoot(page, screens, "feeds_empty")
    page.get_by_role("button", name="New").click()
    page.get_by_label("Name").fill("Customers from files")
    for label, value in (("System", "Web Shop"), ("Remote", "Files of the shop")):
        field = page.get_by_label(label, exact=True)
        field.fill(value)
        page.locator(".o-autocomplete--dropdown-item").filter(
            has_text=value
        ).first.click()
    page.get_by_label("Resource").click()
    page.locator(".o_select_menu_item").filter(has_text="customers").click()
    page.get_by_role("button", name="Activate").click()
    expect(page.locator(".o_arrow_button_current").first).to_contain_text("Active")
    shoot(page, screens, "feed")
    assert_sound(page)
