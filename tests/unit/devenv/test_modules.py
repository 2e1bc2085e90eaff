"""Templates are found again by what the modules contain."""

import pytest

from devenv import modules


@pytest.fixture
def root(tmp_path):
    for name, depends in (
        ("sync_governance_base", ["mail"]),
        ("sync_governance_webhooks", ["sync_governance_base"]),
        ("sync_governance_dedup", ["sync_governance_base", "contacts"]),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__manifest__.py").write_text(str({"depends": depends}))
    return tmp_path


def test_closure_has_what_a_module_depends_on_and_no_more(root):
    names = [module.name for module in modules.closure(root, ["sync_governance_dedup"])]
    assert names == ["sync_governance_base", "sync_governance_dedup"]


def test_fingerprint_sees_code_and_data_but_not_tests(root):
    module = modules.present(root)[0]
    before = module.fingerprint()
    (module.path / "tests").mkdir()
    (module.path / "tests" / "test_x.py").write_text("pass")
    (module.path / "README.rst").write_text("text")
    assert module.fingerprint() == before
    (module.path / "views.xml").write_text("<odoo/>")
    assert module.fingerprint() != before
