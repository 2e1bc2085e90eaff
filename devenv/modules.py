"""The suite's modules in this tree: which exist, what they need, what they contain."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

SUITE = (
    "sync_governance_base",
    "sync_governance_webhooks",
    "sync_governance_dedup",
    "sync_governance_connectors",
)
# installing reads none of these
NOT_INSTALLED = {"tests", "readme", "description", "__pycache__"}
NOT_INSTALLED_SUFFIXES = {".md", ".rst", ".pot", ".pyc", ".toml"}


@dataclass(frozen=True)
class Module:
    """One addon of the suite."""

    path: Path

    @property
    def name(self):
        return self.path.name

    @property
    def manifest(self):
        return ast.literal_eval((self.path / "__manifest__.py").read_text())

    @property
    def test_files(self):
        return sorted((self.path / "tests").rglob("test_*.py"))

    def fingerprint(self):
        """Change when something changes that installing the module reads."""
        digest = hashlib.sha256()
        for file in sorted(self.path.rglob("*")):
            inside = file.relative_to(self.path)
            if file.suffix in NOT_INSTALLED_SUFFIXES or not file.is_file():
                continue
            if NOT_INSTALLED.intersection(inside.parts):
                continue
            digest.update(str(inside).encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()


def present(root):
    """The modules of the suite that this tree has, each after what it depends on."""
    return [
        Module(root / name)
        for name in SUITE
        if (root / name / "__manifest__.py").exists()
    ]


def closure(root, names):
    """The named modules and those of the suite they depend on, in suite order."""
    modules = {module.name: module for module in present(root)}
    wanted, stack = set(), list(names)
    while stack:
        name = stack.pop()
        if name in modules and name not in wanted:
            wanted.add(name)
            stack.extend(modules[name].manifest.get("depends", []))
    return [module for module in modules.values() if module.name in wanted]
