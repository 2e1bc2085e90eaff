"""The modules as others get them: wheels, subsets, updates, removal."""

import os
import subprocess
from contextlib import contextmanager

import pytest

from devenv import modules
from devenv.server import Odoo
from devenv.settings import ROOT

SUITE = [module.name for module in modules.present(ROOT)]
BASE, WEBHOOKS, DEDUP, CONNECTORS = modules.SUITE
SUBSETS = [[BASE], [WEBHOOKS], [DEDUP], [WEBHOOKS, DEDUP], [CONNECTORS]]

SCHEMA = """
    SELECT table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1
"""
# what an update could double or lose: records by XML id, and the views' content
CONTENT = """
    SELECT d.module, d.name, d.model, d.res_id, md5(v.arch_db::text)
    FROM ir_model_data d
    LEFT JOIN ir_ui_view v ON d.model = 'ir.ui.view' AND v.id = d.res_id
    WHERE d.module LIKE 'sync_governance%' ORDER BY 1, 2
"""
ROWS = """
    SELECT relname || ' ' || (xpath('/row/n/text()', query_to_xml(
        format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]
    FROM pg_class WHERE relkind = 'r' AND relname LIKE 'sync\\_%' ORDER BY 1
"""
# demo products that stock moves use cannot be deleted, and Odoo keeps their XML ids
LEFTOVERS = """
    SELECT 'model ' || model FROM ir_model WHERE model LIKE 'sync.%'
    UNION SELECT 'xml id ' || name FROM ir_model_data
        WHERE module LIKE 'sync_governance%' AND model NOT LIKE 'product.%'
    UNION SELECT 'cron ' || cron_name FROM ir_cron WHERE cron_name ILIKE '%sync%'
    UNION SELECT 'parameter ' || key FROM ir_config_parameter
        WHERE key LIKE 'sync_governance%'
"""
UNINSTALL = """
modules = env["ir.module.module"].search([("name", "=", "sync_governance_base")])
modules.button_immediate_uninstall()
env = env(context={})
result = [
    view.xml_id or view.id
    for view in env["ir.ui.view"].search([("inherit_id", "=", False)])
    if not is_sound(view)
]
"""
IS_SOUND = """
def is_sound(view):
    try:
        view._check_xml()
    except Exception as error:
        print(view.xml_id, error)
        return False
    return True
"""


@pytest.fixture
def clone(databases):
    """A context manager: a database with the named modules, for this test alone."""

    @contextmanager
    def clone(names):
        with databases.temporary(names, "packaging") as database:
            yield database

    return clone


def odoo(databases, database, **options):
    return Odoo(
        databases.settings, databases.source, databases.cluster, database, **options
    )


@pytest.fixture(scope="module")
def wheels(settings, tmp_path_factory):
    """The modules built into wheels, and these installed into a folder."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [settings.venv_python, "-m", "pip", "--quiet"]
    # whool may not look for Odoo on an index: it builds with what the venv has
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*build, *(ROOT / name for name in SUITE)], check=True)
    target = folder / "installed"
    install = [*pip, "install", "--no-deps", "--target", target]
    subprocess.run([*install, *folder.glob("*.whl")], check=True)
    return target / "odoo" / "addons"


@pytest.mark.parametrize("name", SUITE)
def test_wheel_has_what_the_tree_has(wheels, name):
    """A file that git does not know, or a build rule drops, is missed here."""
    tree = modules.Module(ROOT / name)
    wheel = modules.Module(wheels / name)
    assert wheel.fingerprint() == tree.fingerprint()


def test_modules_load_from_their_wheels(wheels, databases, clone):
    with clone([]) as database:
        databases.load(database, SUITE, suite=wheels)
        paths = odoo(databases, database, suite=wheels).evaluate(
            "from odoo.modules import get_module_path\n"
            f"result = [get_module_path(name) for name in {SUITE}]"
        )
    assert paths == [os.path.join(wheels, name) for name in SUITE]


@pytest.mark.parametrize("names", SUBSETS, ids=" ".join)
def test_every_subset_installs_without_a_warning(databases, names):
    """A template is built strictly: a warning in Odoo's log is a Problem."""
    assert databases.template(names)


def test_update_changes_nothing(databases, clone):
    with clone(SUITE) as database:
        before = snapshot(databases, database)
        databases.load(database, ["all"], verb="--update", strict=False)
        assert snapshot(databases, database) == before


def test_uninstall_leaves_nothing(databases, clone):
    with clone([]) as without, clone(SUITE) as database:
        broken = odoo(databases, database).evaluate(IS_SOUND + UNINSTALL)
        assert not broken
        assert not databases.cluster.sql(LEFTOVERS, database)
        schema = databases.cluster.sql(SCHEMA, database)
        assert schema == databases.cluster.sql(SCHEMA, without)


def snapshot(databases, database):
    queries = (SCHEMA, CONTENT, ROWS)
    return [databases.cluster.sql(query, database) for query in queries]
