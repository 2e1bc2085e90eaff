import json

import pytest

from odoo.addons.sync_governance_connectors.tools import masking


def test_secrets_vanish_and_personal_data_is_cut():
    masked = masking.mask(
        {
            "name": "Ada",
            "email": "ada@example.com",
            "phone": "+32470123456",
            "nested": [{"api_key": "k", "password": {"x": 1}}],
        }
    )
    assert masked == {
        "name": "Ada",
        "email": "a•••@example.com",
        "phone": "+3•••56",
        "nested": [{"api_key": "•••", "password": "•••"}],
    }


def test_text_that_is_not_json_is_not_shown():
    assert "hunter2" not in masking.mask_text("password=hunter2")
    assert json.loads(masking.mask_text('{"token":"x"}')) == {"token": "•••"}


def test_halves_of_surrogate_pairs_can_be_stored():
    shown = masking.mask_text('{"name": "\\ud800 and more"}')
    assert shown.encode()


@pytest.mark.parametrize("depth", [600, 5_000, 200_000])
def test_a_deep_body_is_only_measured(depth):
    """Whoever looks at the call, or keeps it, survives what its sender nested."""
    shown = masking.mask_text("[" * depth + "]" * depth)
    assert shown.startswith(f"({2 * depth} characters")
