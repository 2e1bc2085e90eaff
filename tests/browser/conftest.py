"""A headless Chromium, and people who log in with it."""

import pytest
from playwright.sync_api import sync_playwright

from devenv import system

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWPORT = {"width": 1366, "height": 768}


@pytest.fixture(scope="session")
def server_options():
    """Threads: the websocket is then on the port that the browser knows."""
    return {"workers": 0, "channels": "root:2", "cron_threads": 1}


@pytest.fixture(scope="session")
def browser(settings):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=system.browser(settings), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def log_in(world, browser):
    """A function: log in as a user, return the page with the web client."""
    contexts = []

    def log_in(login, password=None):
        context = browser.new_context(viewport=VIEWPORT)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{world.url}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password or login)
        page.click("button[type=submit]")
        page.wait_for_selector(".o_main_navbar", timeout=120_000)
        return page

    yield log_in
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def screens(settings):
    """The folder of screenshots."""
    folder = settings.state / "screens"
    folder.mkdir(exist_ok=True)
    return folder
