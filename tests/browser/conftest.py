"""A headless Chromium, and people who log in with it."""

from contextlib import ExitStack

import pytest

from devenv.story.browser import chromium, logged_in


@pytest.fixture(scope="session")
def server_options():
    """Threads: the websocket is then on the port that the browser knows."""
    return {"workers": 0, "channels": "root:2", "cron_threads": 1}


@pytest.fixture(scope="session")
def browser(settings):
    with chromium(settings.chromium) as browser:
        yield browser


@pytest.fixture
def log_in(world, browser):
    """A function: log in as a user, return the page with the web client."""
    with ExitStack() as pages:

        def log_in(login, password=None):
            page = logged_in(browser, world.url, login, password or login)
            return pages.enter_context(page)

        yield log_in


@pytest.fixture(scope="session")
def screens(settings):
    """The folder of screenshots."""
    folder = settings.state / "screens"
    folder.mkdir(exist_ok=True)
    return folder
