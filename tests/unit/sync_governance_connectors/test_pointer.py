import json
from unittest.mock import patch

import pytest
from referencing.exceptions import Unresolvable

from odoo.addons.sync_governance_connectors.tools import pointer

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["external_id", "lines"],
    "properties": {
        "external_id": {"type": "string", "maxLength": 4},
        "kind": {"enum": ["a", "b"]},
        "email": {"type": ["string", "null"]},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"a/b": {"type": "string", "pattern": r"^\d+$"}},
            },
        },
    },
}


def test_all_faults_at_once_with_pointers():
    body = {
        "external_id": "too long",
        "kind": "c",
        "email": 1,
        "lines": [{"a/b": "x"}, {"~": 1}],
        "admin": True,
    }
    found = {(error.pointer, error.code) for error in pointer.validate(SCHEMA, body)}
    assert found == {
        ("/external_id", "too_long"),
        ("/kind", "not_allowed"),
        ("/email", "wrong_type"),
        ("/lines/0/a~1b", "wrong_format"),
        ("/lines/1/~0", "unknown_field"),
        ("/admin", "unknown_field"),
    }


def test_missing_members_point_at_the_missing_member():
    found = {(error.pointer, error.code) for error in pointer.validate(SCHEMA, {})}
    assert found == {("/external_id", "required"), ("/lines", "required")}


def test_values_are_not_echoed():
    (error,) = pointer.validate({"type": "string", "pattern": "^a$"}, "s3cret")
    assert "s3cret" not in error.detail


def test_flood_of_faults_is_cut():
    body = {"external_id": "x", "lines": [{"x": 1}] * 500}
    assert len(pointer.validate(SCHEMA, body)) == pointer.MAX_ERRORS


@pytest.mark.parametrize("value", ["2026-11-24T05:00:00Z", "2026-11-24T05:00:00+01:00"])
def test_times_are_rfc_3339(value):
    schema = {"type": "string", "format": "date-time"}
    assert pointer.validate(schema, value) == []
    assert pointer.validate(schema, value.replace("T", " ")[:-1])


def test_nothing_is_downloaded_for_a_schema():
    """A contract could make Odoo fetch an address inside of the company's network."""
    schema = {"not": {"$ref": "http://169.254.169.254/latest"}}
    with patch("urllib.request.urlopen") as fetched, pytest.raises(Unresolvable):
        pointer.validate(schema, {"a": 1})
    fetched.assert_not_called()


def test_references_within_a_schema_work():
    schema = {
        "$defs": {"a": {"type": "string"}},
        "properties": {"x": {"$ref": "#/$defs/a"}},
    }
    assert [fault.pointer for fault in pointer.validate(schema, {"x": 1})] == ["/x"]


def test_what_a_pointer_leads_to():
    body = {"a/b": [{"~": 1}, 2], "": 3}
    assert pointer.find(body, "") == body
    assert pointer.find(body, "/a~1b/0/~0") == 1
    assert pointer.find(body, "/") == 3
    for nowhere in ("/a~1b/2", "/a~1b/-", "/a~1b/1/x", "/c/d"):
        assert pointer.find(body, nowhere) is None


def _with_id(schema):
    return {"$id": "https://partner.example/order", **schema}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"properties": {"a": {"not": {"anyOf": [{"$ref": "#/properties/a"}]}}}},
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"if": {"$ref": "#b"}}, "b": {"$anchor": "b", "$ref": "#"}},
        },
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"$dynamicAnchor": "me", "allOf": [{"$dynamicRef": "#me"}]},
        {"properties": {"a": {"$ref": "https://partner.example/a.json"}}},
        {"properties": {"a": {"$ref": "other.json"}}},
        {"properties": {"a": {"$ref": "//partner.example"}}},
        {"properties": {"a": {"$ref": "/etc/passwd"}}},
        {"properties": {"a": {"$ref": "#/nowhere"}}},
        {"properties": {"a": {"$ref": "#nowhere"}}},
        {"properties": {"a": {"$ref": "#/$comment"}}, "$comment": "no schema"},
        {"$ref": "#/a", "a": {"type": "nothing that is known"}},
        _with_id({"properties": {"a": {"$ref": "customer"}}}),
        {"type": "nothing that is known"},
        {"properties": {"a": 3}},
        {"pattern": "("},
        ["not", "a", "schema"],
    ],
)
def test_schemas_that_no_body_can_be_held_to_are_refused(schema):
    with pytest.raises(ValueError):
        pointer.check(schema)


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        SCHEMA,
        {"properties": {"child": {"$ref": "#"}}},
        {"$defs": {"any": True}, "properties": {"a": {"$ref": "#/$defs/any"}}},
        {"$defs": {"t": {"$anchor": "t"}}, "items": {"$ref": "#t"}},
        {"$defs": {"t": {}}, "allOf": [{"$ref": "#/$defs/t"}, {"$ref": "#/$defs/t"}]},
        _with_id({"$defs": {"t": {}}, "items": {"$ref": "order#/$defs/t"}}),
    ],
)
def test_schemas_that_bodies_can_be_held_to(schema):
    pointer.check(schema)
    assert pointer.validate(schema, {}) is not None


def _doubled(times):
    """Each definition applies the one before twice."""
    doubled = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number - 1}"}] * 2}
        for number in range(1, times)
    }
    # as it is read from a text: each object is one of its own
    text = json.dumps({"$ref": f"#/$defs/d{times - 1}", "$defs": {"d0": {}, **doubled}})
    return json.loads(text)


def test_schema_that_multiplies_itself():
    pointer.check(_doubled(8))
    with pytest.raises(ValueError, match="more than"):
        pointer.check(_doubled(60))


def test_schema_nested_beyond_measure():
    schema = {}
    for _level in range(2000):
        schema = {"not": schema}
    with pytest.raises(ValueError):
        pointer.check(schema)
