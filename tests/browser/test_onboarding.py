"""A beginner brings a shop from nothing to live, without leaving the backend."""

import json
import re
import shutil
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot
from tests.browser.test_screens import assert_sound

CONNECTORS = "sync_governance_connectors."
SCENE = """
contact = env["res.partner"].create(
    {"name": "Pia Partner", "email": "pia@nordwind.example"})
env.cr.commit()
result = contact.id
"""
CUSTOMER = {
    "external_id": "NW-C-1",
    "name": "Trial Customer Ltd",
    "is_company": True,
}


@pytest.fixture(scope="module")
def contact(world):
    return world.shell(SCENE)


def call(world, key, path, body):
    """The partner's own program: an HTTP request with the key it was given."""
    request = urllib.request.Request(
        f"{world.url}/sync/v1{path}",
        data=json.dumps(body).encode(),
        method="POST",
        headers={
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": f"{path}:{body.get('external_id')}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def choose(page, scope, field, text):
    scope.locator(f".o_field_widget[name={field}] input").fill(text)
    page.locator(".o-autocomplete--dropdown-item").filter(has_text=text).first.click()


def copied_key(page):
    """The key that a dialog shows, once."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Odoo keeps only a hash")
    key = re.search(r"sgk_\w+", dialog.inner_text())[0]
    dialog.get_by_role("button", name="I have copied it").click()
    expect(dialog).to_be_hidden()
    return key


def activate_key(officer, name):
    """What the security officer does, at another desk."""
    open_action(officer, f"{CONNECTORS}sync_credential_action")
    officer.get_by_role("cell", name=name).first.click()
    officer.get_by_role("button", name="Activate").click()
    expect(officer.locator(".o_arrow_button_current")).to_contain_text("Active")


def declare(page, item, button, note):
    row = page.locator(".o_data_row").filter(has_text=item)
    row.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill(note)
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog).to_be_hidden()


def state_of(page, item):
    return page.locator(".o_data_row").filter(has_text=item).locator("td[name=state]")


def test_a_shop_from_template_to_live(contact, world, log_in, screens):
    page, officer = log_in("sync_admin"), log_in("sync_security")
    open_action(page, f"{CONNECTORS}sync_onboarding_action")
    shoot(page, screens, "onboarding_empty")
    assert_sound(page)
    page.get_by_role("button", name="Onboard a Partner").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Partner", exact=True).fill("Nordwind Shop")
    choose(page, dialog, "template_id", "Shop")
    shoot(page, screens, "onboarding_start")
    dialog.get_by_role("button", name="Begin").click()
    key = copied_key(page)

    expect(page.locator(".o_field_widget[name=blocked_reason]")).to_contain_text(
        "Contact named"
    )
    expect(page.get_by_role("button", name="Go Live")).to_be_hidden()
    shoot(page, screens, "onboarding_form")
    assert_sound(page)
    choose(page, page, "contact_id", "Pia Partner")
    page.get_by_role("button", name="Look for Proofs").click()
    expect(state_of(page, "Contact named")).to_have_text("Done")
    declare(page, "Formats and times agreed", "Done…", "Talked it through with Pia.")
    expect(state_of(page, "Formats and times agreed")).to_have_text("Done")

    activate_key(officer, "Nordwind Shop (test)")
    call(world, key, "/customers", CUSTOMER)
    page.get_by_role("button", name="Look for Proofs").click()
    expect(state_of(page, "Customer is created")).to_have_text("Done")
    expect(state_of(page, "First call with the test key")).to_have_text("Done")

    # a body that names what the partner has sent, and a product nobody knows
    page.get_by_role("button", name="Try a Message").click()
    dialog = page.get_by_role("dialog")
    choose(page, dialog, "contract_id", "sales orders: write")
    dialog.get_by_role("button", name="Make a Sample").click()
    expect(dialog.locator(".ace_content")).to_contain_text("NW-C-1")
    dialog.get_by_role("button", name="Check").click()
    expect(dialog).to_contain_text("/lines/0/product")
    shoot(page, screens, "onboarding_sample")
    dialog.get_by_role("button", name="Close", exact=True).last.click()

    order = {
        "external_id": "NW-1",
        "customer": {"external_id": "NW-C-1"},
        "currency": world.shell("result = env.company.currency_id.name"),
        "lines": [],
    }
    crate = world.shell(
        "product = env.ref('sync_governance_connectors.product_crate_demo')"
        ".product_variant_id\n"
        "system = env['sync.system'].search([('code', '=', 'nordwind_shop')])\n"
        "env['sync.crosswalk']._link(system, product, 'NW-CRATE')\n"
        "env.cr.commit()\nresult = product.id"
    )
    assert crate
    order["lines"].append(
        {"line_id": "1", "product": {"external_id": "NW-CRATE"}, "quantity": "2"}
    )
    call(world, key, "/orders", order)
    page.get_by_role("button", name="Look for Proofs").click()
    expect(state_of(page, "Order is created")).to_have_text("Done")
    shoot(page, screens, "onboarding_ready")
    assert_sound(page)

    page.get_by_role("button", name="Go Live").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sales Order")
    shoot(page, screens, "onboarding_go_live")
    dialog.get_by_role("button", name="Go Live").click()
    live_key = copied_key(page)
    assert live_key != key
    expect(page.locator(".ribbon")).to_contain_text("Live")
    activate_key(officer, "Nordwind Shop (live)")
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(world, key, "/customers", {**CUSTOMER, "external_id": "NW-C-2"})
    assert refused.value.code == 401
    call(world, live_key, "/customers", {**CUSTOMER, "external_id": "NW-C-2"})
    page.get_by_role("button", name="Look for Proofs").click()
    expect(page.locator(".o_arrow_button_current").first).to_contain_text("Done")
    shoot(page, screens, "onboarding_live")
    assert_sound(page)

    open_action(page, f"{CONNECTORS}sync_onboarding_action")
    shoot(page, screens, "onboarding_board")
    assert_sound(page)
    open_action(page, f"{CONNECTORS}sync_onboarding_stay_action")
    shoot(page, screens, "onboarding_stays")
    assert_sound(page)


def test_templates_and_sheet(contact, world, log_in, screens):
    page = log_in("sync_admin")
    open_action(page, f"{CONNECTORS}sync_onboarding_template_action")
    shoot(page, screens, "onboarding_templates")
    assert_sound(page)
    page.get_by_role("cell", name="Carrier or TMS").first.click()
    expect(page.get_by_text("In Every Checklist")).to_be_visible()
    shoot(page, screens, "onboarding_template")
    assert_sound(page)
    found = world.shell(
        "result = env['sync.onboarding'].search([('name', '=', 'Nordwind Shop')]).id"
    )
    if not shutil.which("wkhtmltopdf"):  # the button leads to the page itself
        open_action(page, f"{CONNECTORS}sync_onboarding_action", found)
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Hand-Over Sheet").click()
        expect(opened.value.get_by_text("save it as PDF")).to_be_visible()
    page.goto(
        f"{world.url}/report/html/"
        f"sync_governance_connectors.sync_onboarding_sheet/{found}"
    )
    expect(page.get_by_role("heading", name="Connecting Nordwind Shop")).to_be_visible()
    assert "sgk_" not in page.content()
    shoot(page, screens, "onboarding_sheet")
