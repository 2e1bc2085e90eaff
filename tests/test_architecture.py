"""The design's rules that a program can check, on the source alone.

What the folders promise: pure tools, arrows between modules that point one way, rights
on every model, nothing forgotten in a manifest or an ``__init__``.
"""

import ast
import csv
import re
from functools import cache
from itertools import chain
from xml.etree import ElementTree

import pytest

from devenv import modules
from devenv.settings import ROOT

MODULES = modules.present(ROOT)
# module -> the modules of the suite it may know
ARROWS = {
    "sync_governance_base": set(),
    "sync_governance_webhooks": {"sync_governance_base"},
    "sync_governance_dedup": {"sync_governance_base"},
    "sync_governance_connectors": {
        "sync_governance_base",
        "sync_governance_webhooks",
        "sync_governance_dedup",
    },
}
# a tool gets these as arguments: the same input gives the same output
CLOCKS_AND_DICE = re.compile(
    r"(datetime\.)?(datetime|date)\.(now|utcnow|today)"
    r"|time\.(time|time_ns|monotonic|perf_counter|sleep)"
    r"|random\.[a-z]\w*|secrets\.\w+|uuid\.uuid[14]|os\.(urandom|getenv|environ.*)"
)
NETWORKS = {"odoo", "requests", "urllib3", "socket", "http.client", "urllib.request"}
NETWORKS |= {"subprocess", "psycopg2", "asyncio"}
DATA_FOLDERS = ("data", "demo", "report", "security", "views", "wizards")
CODE_FOLDERS = ("controllers", "models", "wizards")
STORED_MODELS = {"Model", "TransientModel"}


def files(module, pattern):
    return sorted(module.path.glob(pattern))


@cache
def parse(path):
    return ast.parse(path.read_text(), filename=str(path))


def each(kind, pattern):
    """Parametrize over files of all modules; ids are paths in the tree."""
    found = [(m, file) for m in MODULES for file in files(m, pattern)]
    ids = [str(file.relative_to(ROOT)) for _module, file in found]
    return pytest.mark.parametrize(f"module,{kind}", found, ids=ids)


each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def imports(tree):
    """Dotted names that a file imports; relative ones begin with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            join = "" if base.endswith(".") else "."
            yield from (f"{base}{join}{alias.name}" for alias in node.names)


@each("tool", "tools/**/*.py")
def test_tools_are_pure(module, tool):
    """No Odoo, no network, no clock and no dice of their own."""
    tree = parse(tool)
    imported = set(imports(tree))
    roots = {name.partition(".")[0] for name in imported} | imported
    assert not roots & NETWORKS
    outside = {name for name in imported if name.startswith("..")}
    assert not outside, "a tool knows its siblings only"
    called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    assert not {name for name in called if CLOCKS_AND_DICE.fullmatch(name)}


@each_module
def test_manifest_depends_follow_the_arrows(module):
    depends = set(module.manifest["depends"]) & set(modules.SUITE)
    assert depends == ARROWS[module.name]


@each("source", "**/*.py")
def test_code_follows_the_arrows(module, source):
    """Imports of a module outside the arrows would break installing it alone."""
    known = ARROWS[module.name] | {module.name}
    named = re.findall(r"odoo\.addons\.(sync_governance_\w+)", source.read_text())
    assert set(named) <= known


@each("source", "**/*.xml")
def test_data_follows_the_arrows(module, source):
    known = ARROWS[module.name] | {module.name}
    named = re.findall(r"\b(sync_governance_[a-z]+)\.\w+", source.read_text())
    assert set(named) & set(modules.SUITE) <= known


def models_of(module):
    """(model name, its class, its file) of the stored models a module creates."""
    for file in chain(files(module, "models/*.py"), files(module, "wizards/*.py")):
        for node in parse(file).body:
            if isinstance(node, ast.ClassDef):
                name = attribute(node, "_name")
                extended = attribute(node, "_inherit") or []
                if isinstance(extended, str):
                    extended = [extended]
                # Who gives a model that is there another role, names it twice.
                is_new = name and name not in extended
                if is_new and base_names(node) & STORED_MODELS:
                    yield name, node, file


def attribute(class_node, name):
    for node in class_node.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            return ast.literal_eval(node.value)
    return None


def base_names(class_node):
    return {base.attr for base in class_node.bases if isinstance(base, ast.Attribute)}


def xml_id(model_name):
    return f"model_{model_name.replace('.', '_')}"


def fields_of(class_node):
    return {
        target.id
        for node in class_node.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@each_module
def test_every_model_has_rights(module):
    rights = module.path / "security" / "ir.model.access.csv"
    with rights.open() as stream:
        rows = list(csv.DictReader(stream))
    covered = {row["model_id:id"].rpartition(".")[2] for row in rows}
    wanted = {
        f"model_{name.replace('.', '_')}" for name, _class, _f in models_of(module)
    }
    assert wanted <= covered


@each_module
def test_rights_name_a_group(module):
    """A line without a group would be for everyone, the public user included."""
    with (module.path / "security" / "ir.model.access.csv").open() as stream:
        for row in csv.DictReader(stream):
            assert row["group_id:id"], row["id"]


@each_module
def test_every_model_of_a_company_has_a_rule(module):
    ruled = {
        field.get("ref").rpartition(".")[2]
        for file in files(module, "security/*.xml")
        for record in ElementTree.parse(file).iter("record")
        if record.get("model") == "ir.rule"
        for field in record.iter("field")
        if field.get("name") == "model_id"
    }
    for name, class_node, _file in models_of(module):
        is_stored = "TransientModel" not in base_names(class_node)
        if is_stored and "company_id" in fields_of(class_node):
            assert xml_id(name) in ruled, name


@each_module
def test_one_model_a_file_named_after_it(module):
    for name, _class, file in models_of(module):
        assert file.stem == name.replace(".", "_")


@each_module
def test_manifest_lists_every_data_file(module):
    manifest = module.manifest
    listed = [*manifest.get("data", []), *manifest.get("demo", [])]
    there = {
        str(file.relative_to(module.path))
        for folder in DATA_FOLDERS
        for suffix in ("xml", "csv")
        for file in files(module, f"{folder}/**/*.{suffix}")
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == there


@each_module
def test_every_file_of_code_is_imported(module):
    """A forgotten import is code that does nothing, or a test that never runs."""
    for folder in (*CODE_FOLDERS, "tests"):
        init = module.path / folder / "__init__.py"
        pattern = "test_*.py" if folder == "tests" else "*.py"
        there = {file.stem for file in files(module, f"{folder}/{pattern}")}
        imported = (
            {n.rpartition(".")[2] for n in imports(parse(init))} if there else set()
        )
        assert there - {"__init__"} <= imported, folder


@each_module
def test_module_is_complete(module):
    """What a module must bring to be published."""
    assert module.manifest["license"] == "LGPL-3"
    assert re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", module.manifest["version"])
    for name in (
        "pyproject.toml",
        "readme/DESCRIPTION.md",
        "readme/CONFIGURE.md",
        "readme/USAGE.md",
        "readme/DEVELOP.md",
        "static/description/icon.png",
        f"i18n/{module.name}.pot",
    ):
        assert (module.path / name).exists(), name


def test_requirements_are_those_of_the_manifests():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = {re.split(r"[<>=~ ]", line)[0] for line in lines if line[:1].isalpha()}
    declared = {
        re.split(r"[<>=~ ]", name)[0]
        for module in MODULES
        for name in module.manifest.get("external_dependencies", {}).get("python", [])
    }
    assert declared <= required


def test_no_file_names_this_machine():
    """The tree moves: what is absolute comes from settings."""
    for module in MODULES:
        for file in chain(module.path.rglob("*.py"), module.path.rglob("*.xml")):
            assert str(ROOT) not in file.read_text(), file
