"""The API's documentation as an engineer sees it: complete, calm, from here alone."""

import json

import pytest
from playwright.sync_api import expect

from devenv.story.browser import shoot

OPERATION = "#operations-customers-create_customers"


@pytest.fixture
def docs(world, log_in):
    """The page, with all that it asked for and complained about."""
    page = log_in("sync_admin")
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on(
        "console",
        lambda message: page.complaints.append(message.text)
        if message.type in ("error", "warning")
        else None,
    )
    page.goto("/sync/docs")
    page.wait_for_selector(".opblock")
    return page


def test_every_operation_is_shown(world, docs, screens):
    document = docs.request.get("/sync/v1/openapi.json").json()
    operations = sum(
        method in ("get", "post", "put", "patch")
        for item in document["paths"].values()
        for method in item
    )
    shown = docs.locator(".opblock").count()
    assert shown == operations + len(document["webhooks"])
    shoot(docs, screens, "docs")
    assert docs.evaluate("document.body.scrollWidth <= window.innerWidth")


def test_nothing_is_asked_of_others(world, docs):
    docs.locator(f"{OPERATION} .opblock-summary").click()
    docs.wait_for_timeout(1000)
    foreign = [
        address
        for address in docs.asked
        if not address.startswith((world.url, "data:", "blob:"))
    ]
    assert not foreign
    assert not docs.complaints
    assert not docs.errors


def test_a_call_is_tried_with_a_pasted_key(world, docs, screens):
    key = world.shell(
        """
system = env["sync.system"].search([("code", "=", "shop")])
account = env["sync.service.account"]._create_for(system, "docs")
_credential, result = env["sync.credential"]._issue(account, ["customer:*"])
env.cr.commit()
"""
    )
    docs.locator(".auth-wrapper .authorize").first.click()
    dialog = docs.locator(".dialog-ux")
    dialog.locator("input[type=text], input[type=password]").first.fill(key)
    dialog.locator("button.authorize").first.click()
    dialog.locator(".btn-done").first.click()
    docs.locator(f"{OPERATION} .opblock-summary").click()
    body = {"external_id": "DOCS-1", "name": "Tried Out GmbH"}
    docs.locator(f"{OPERATION} textarea.body-param__text").fill(json.dumps(body))
    docs.locator(f"{OPERATION} .execute").click()
    answer = docs.locator(f"{OPERATION} .live-responses-table .response").first
    expect(answer).to_contain_text("201")
    expect(answer).to_contain_text("DOCS-1")
    answer.scroll_into_view_if_needed()
    shoot(docs, screens, "docs_tried")
    assert not docs.complaints
