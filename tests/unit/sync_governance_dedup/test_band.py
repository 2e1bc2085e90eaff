# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import pytest

from odoo.addons.sync_governance_dedup.tools.band import is_beyond_doubt

SURE = [
    ("prior", "prior", -19.0),
    ("name", "equal", 15.0),
    ("email", "equal", 8.0),
    ("phone", "equal", 7.0),
]


@pytest.mark.parametrize(
    "lines, expected",
    [
        (SURE, True),
        (SURE + [("address", "other_place", -3.5)], False),
        (SURE[:3], False),
        (SURE[:1] + [("name", "typo", 15.0)] + SURE[2:], False),
        (SURE[:3] + [("barcode", "equal", 12.0)], True),
        (SURE[:3] + [("comment", "equal", 12.0)], False),
        ([], False),
    ],
)
def test_beyond_doubt(lines, expected):
    assert is_beyond_doubt(lines, codes=("barcode",)) is expected
