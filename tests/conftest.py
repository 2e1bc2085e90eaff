"""What the tests that cross modules share: a real server in a world of its own."""

import shutil

import pytest

from devenv import modules, odoo_source, postgres
from devenv.database import Databases
from devenv.server import Odoo, free_port
from devenv.settings import Settings
from devenv.world import World, sweep


@pytest.fixture(scope="session")
def settings():
    return Settings.from_environment()


@pytest.fixture(scope="session")
def databases(settings):
    """The running cluster's databases."""
    with postgres.running(settings) as cluster:
        yield Databases(settings, odoo_source.locate(settings), cluster)


@pytest.fixture(scope="session")
def server_options():
    """As in production: worker processes, more of them than jobs at a time."""
    return {"workers": 4, "channels": "root:2", "cron_threads": 1}


@pytest.fixture(scope="session")
def world(settings, databases, server_options):
    """All modules on a server with its job runner, and the partners' receivers.

    ``world.url``, ``world.db``, ``world.config``, ``world.receiver_url``,
    ``world.receiver_log``; ``world.shell("result = ...")`` runs code in the database.
    """
    sweep(settings)
    names = [module.name for module in modules.present(settings.root)]
    with databases.temporary(names, "world") as database:
        odoo = Odoo(
            settings, databases.source, databases.cluster, database, **server_options
        )
        state = settings.state / "worlds" / database
        world = World(settings, odoo, state / "demo", free_port())
        world.start()
        try:
            yield world
        finally:
            world.stop()
            shutil.rmtree(state, ignore_errors=True)
