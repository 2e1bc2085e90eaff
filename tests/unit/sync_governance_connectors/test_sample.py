"""Samples are valid by their schema, whatever it asks, and always the same."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools import canonical, money, pointer
from odoo.addons.sync_governance_connectors.tools.sample import (
    SampleError,
    from_pattern,
    sample,
)

from .test_canonical import MEMBERS

LEAVES = st.one_of(
    st.builds(
        lambda low, more: {
            "type": "string",
            "minLength": low,
            "maxLength": low + more,
        },
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-1000, 1000),
        st.integers(0, 1000),
    ),
    st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "null"},
            {"type": ["null", "number"]},
            {"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 3},
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": money.PATTERN},
            {"type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,5}$"},
            {"enum": ["a", "b"]},
            {"const": 7},
            {"type": ["string", "null"], "enum": [None]},
        ]
    ),
)


def _objects(inner):
    return st.builds(
        lambda members, closed: {
            "type": "object",
            "properties": members,
            "required": sorted(members)[::2],
            "additionalProperties": not closed,
        },
        st.dictionaries(st.text("abcd", min_size=1, max_size=3), inner, max_size=4),
        st.booleans(),
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        st.builds(
            lambda item, least: {"type": "array", "items": item, "minItems": least},
            inner,
            st.integers(0, 3),
        ),
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1)),
        st.builds(
            lambda part: {"$defs": {"part": part}, "$ref": "#/$defs/part"}, LEAVES
        ),
    ),
    max_leaves=8,
)


def _has_inner_reference(schema, top=True):
    if isinstance(schema, dict):
        if "$ref" in schema and not top:
            return True
        return any(_has_inner_reference(one, False) for one in schema.values())
    if isinstance(schema, list):
        return any(_has_inner_reference(one, False) for one in schema)
    return False


@settings(max_examples=300, deadline=None)
@given(SCHEMAS.filter(lambda schema: not _has_inner_reference(schema)))
def test_valid_by_any_schema(schema):
    made = sample(schema)
    assert pointer.validate(schema, made) == []
    assert json.dumps(made) == json.dumps(sample(schema))


@pytest.mark.parametrize("operation", ["create", "replace", "patch", "read"])
def test_valid_by_the_canonical_schema(operation):
    schema = canonical.schema(MEMBERS, operation)
    preferred = canonical.example(MEMBERS, operation)
    assert pointer.validate(schema, sample(schema)) == []
    assert sample(schema, preferred)["address"] == preferred["address"]


@pytest.mark.parametrize(
    "pattern",
    [
        money.PATTERN,
        canonical.TEXT_PATTERN,
        canonical.IDENTIFIER_PATTERN,
        r"^[a-z]{3}_[0-9a-f]{32}$",
        r"^(red|green) \d+\.\w$",
        r"^[^a-z]x?$",
    ],
)
def test_patterns(pattern):
    assert re.search(pattern, from_pattern(pattern))
    assert len(from_pattern(r"^[a-z]+$", 12)) == 12


def test_what_is_preferred_is_taken_where_it_is_valid():
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "size": {"type": "integer", "maximum": 5},
        },
    }
    made = sample(schema, {"name": "Crate", "size": 9})
    assert made["name"] == "Crate"
    assert made["size"] <= 5


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "enum": [1]},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"$ref": "#/$defs/gone"},
        {
            "$defs": {
                "a": {
                    "type": "object",
                    "required": ["a"],
                    "properties": {"a": {"$ref": "#/$defs/a"}},
                }
            },
            "$ref": "#/$defs/a",
        },
    ],
)
def test_what_cannot_be_said_is_refused(schema):
    with pytest.raises(SampleError):
        sample(schema)
