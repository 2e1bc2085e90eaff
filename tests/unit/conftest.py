"""Make ``odoo.addons.<module>.tools`` importable without Odoo and without a database.

Importing it would run ``<module>/__init__.py``, hence the models, hence need Odoo.
Empty packages in place of ``odoo``, ``odoo.addons`` and the module let the import
system find ``tools`` alone, under the path that the Odoo side uses too. The real Odoo
is never imported in this process: a tool that needs it fails here.
"""

import os
import sys
from pathlib import Path
from types import ModuleType

from hypothesis import settings

# The same examples at every run: a red build shall be somebody's change, not luck.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).resolve().parents[2]


def _stand_in(name, folders):
    package = ModuleType(name)
    package.__path__ = [str(folder) for folder in folders]
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


_stand_in("odoo", [])
_stand_in("odoo.addons", [])
for _manifest in sorted(ROOT.glob("sync_governance_*/__manifest__.py")):
    _stand_in(f"odoo.addons.{_manifest.parent.name}", [_manifest.parent])
