"""Headless Chromium as the story's people use it, and as the tests look at screens."""

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from ..system import BROWSERS

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT = {"width": 1366, "height": 768}
TIMEOUT_MS = 30_000
# The first page of a new database waits for the server to make its assets.
ASSETS_MS = 180_000


@contextmanager
def chromium(path=None):
    """A browser, closed at the end; ``path`` as in SG_CHROMIUM."""
    wanted = path or os.environ.get("SG_CHROMIUM")
    path = next(filter(None, map(shutil.which, [wanted] if wanted else BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def logged_in(browser, base_url, login, password):
    """A page of the web client, with the person logged in.

    JavaScript errors of the page are collected in ``page.errors``.
    """
    context = browser.new_context(viewport=VIEWPORT, base_url=base_url)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    try:
        page.goto("/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector(".o_main_navbar", timeout=ASSETS_MS)
        yield page
    finally:
        context.close()


def open_action(
    page, xml_id, res_id=None, ready=".o_action_manager .o_view_controller"
):
    """Open a window action, or one record of it, and wait until it shows."""
    page.goto(f"/odoo/action-{xml_id}" + (f"/{res_id}" if res_id else ""))
    page.wait_for_selector(ready)


def shoot(page, folder, name):
    """Write a screenshot of what the person sees."""
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("load")
    page.screenshot(path=folder / f"{name}.png")
