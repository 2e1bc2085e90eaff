# ruff: noqa: E501 - the catalogue is a table, read by its columns
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.schema_diff import (
    Direction,
    SchemaError,
    Severity,
    diff,
    paths,
    touches,
    worst,
)

PRODUCER, CONSUMER = Direction.PRODUCER, Direction.CONSUMER
INFO, FINE, BREAKING = Severity.INFO, Severity.NON_BREAKING, Severity.BREAKING


def obj(properties=None, required=(), **more):
    return {
        "type": "object",
        "properties": properties or {},
        "required": list(required),
        **more,
    }


TEXT, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}

# (what changed, old, new, kind, severity when we write, severity when others write)
CATALOGUE = [
    ("optional property added", obj(), obj({"a": TEXT}), "property_added", FINE, FINE),
    ("property added to closed object", obj(additionalProperties=False),
     obj({"a": TEXT}, additionalProperties=False), "property_added", BREAKING, FINE),
    ("required property added", obj(), obj({"a": TEXT}, ["a"]), "required_added", FINE, BREAKING),
    ("property removed", obj({"a": TEXT}), obj(), "property_removed", BREAKING, FINE),
    ("property removed from closed object", obj({"a": TEXT}, additionalProperties=False),
     obj(additionalProperties=False), "property_removed", BREAKING, BREAKING),
    ("made required", obj({"a": TEXT}), obj({"a": TEXT}, ["a"]), "required_added", FINE, BREAKING),
    ("made optional", obj({"a": TEXT}, ["a"]), obj({"a": TEXT}), "required_removed", BREAKING, FINE),
    ("type replaced", obj({"a": TEXT}), obj({"a": NUMBER}), "type", BREAKING, BREAKING),
    ("integer to number", obj({"a": INTEGER}), obj({"a": NUMBER}), "type", BREAKING, FINE),
    ("number to integer", obj({"a": NUMBER}), obj({"a": INTEGER}), "type", FINE, BREAKING),
    ("made nullable", TEXT, {"type": ["string", "null"]}, "type", BREAKING, FINE),
    ("made nullable, OpenAPI 3.0", TEXT, {"type": "string", "nullable": True}, "type", BREAKING, FINE),
    ("enum value added", {"enum": ["a"]}, {"enum": ["a", "b"]}, "enum_value_added", BREAKING, FINE),
    ("enum value removed", {"enum": ["a", "b"]}, {"enum": ["a"]}, "enum_value_removed", FINE, BREAKING),
    ("enum introduced", TEXT, {"type": "string", "enum": ["a"]}, "enum", FINE, BREAKING),
    ("const replaced", {"const": 1}, {"const": 2}, "enum_value_added", BREAKING, FINE),
    ("maximum length raised", {"maxLength": 10}, {"maxLength": 20}, "maxLength", BREAKING, FINE),
    ("maximum length lowered", {"maxLength": 20}, {"maxLength": 10}, "maxLength", FINE, BREAKING),
    ("minimum introduced", NUMBER, {"type": "number", "minimum": 0}, "minimum", FINE, BREAKING),
    ("minimum lowered", {"minimum": 1}, {"minimum": 0}, "minimum", BREAKING, FINE),
    ("maximum dropped", {"maximum": 1}, {}, "maximum", BREAKING, FINE),
    ("pattern replaced", {"pattern": "a"}, {"pattern": "b"}, "pattern", BREAKING, BREAKING),
    ("format introduced", TEXT, {"type": "string", "format": "date"}, "format", FINE, BREAKING),
    ("object closed", obj(), obj(additionalProperties=False), "additional_properties", FINE, BREAKING),
    ("object opened", obj(additionalProperties=False), obj(), "additional_properties", BREAKING, FINE),
    ("unique items", {}, {"uniqueItems": True}, "uniqueItems", FINE, BREAKING),
    ("union grown", {"anyOf": [TEXT]}, {"anyOf": [TEXT, NUMBER]}, "anyOf_added", BREAKING, FINE),
    ("union shrunk", {"oneOf": [TEXT, NUMBER]}, {"oneOf": [TEXT]}, "oneOf_removed", FINE, BREAKING),
    ("union introduced", {}, {"anyOf": [TEXT]}, "anyOf_added", FINE, BREAKING),
    ("part added", {"allOf": [TEXT]}, {"allOf": [TEXT, {"minLength": 1}]}, "allOf_added", FINE, BREAKING),
    ("unknown keyword", {}, {"minFancy": 3}, "minFancy", FINE, BREAKING),
    ("description", {"description": "a"}, {"description": "b"}, "description", INFO, INFO),
    ("deprecated", obj({"a": TEXT}), obj({"a": {"type": "string", "deprecated": True}}), "deprecated", INFO, INFO),
    ("vendor extension", {}, {"x-owner": "me"}, "x-owner", INFO, INFO),
]  # fmt: skip


@pytest.mark.parametrize(
    "title, old, new, kind, written, read", CATALOGUE, ids=[row[0] for row in CATALOGUE]
)
def test_catalogue(title, old, new, kind, written, read):
    for direction, expected in ((PRODUCER, written), (CONSUMER, read)):
        changes = [
            change for change in diff(old, new, direction) if change.kind == kind
        ]
        assert [change.severity for change in changes] == [expected], direction


def test_const_replaced_is_breaking_in_both_directions_as_a_whole():
    for direction in Direction:
        assert worst(diff({"const": 1}, {"const": 2}, direction)) is BREAKING


def test_paths_name_the_place_in_a_document():
    old = obj({"lines": {"type": "array", "items": obj({"uom": TEXT, "qty": NUMBER})}})
    new = obj({"lines": {"type": "array", "items": obj({"qty": NUMBER})}})
    (change,) = diff(old, new, PRODUCER)
    assert (change.path, change.kind) == ("lines[].uom", "property_removed")
    assert paths(old) == {"lines", "lines[]", "lines[].uom", "lines[].qty"}


def test_the_most_harmful_comes_first():
    old = obj({"a": TEXT, "z": TEXT}, description="old")
    new = obj({"a": TEXT, "b": TEXT}, description="new")
    assert [change.severity for change in diff(old, new, PRODUCER)] == [
        BREAKING,
        FINE,
        INFO,
    ]


def test_nothing_changed():
    assert diff(obj({"a": TEXT}), obj({"a": TEXT}), PRODUCER) == []
    assert worst([]) is INFO and INFO.bump == "patch" and BREAKING.bump == "major"


def test_references_are_followed_on_both_sides():
    old = {"$ref": "#/$defs/thing", "$defs": {"thing": obj({"a": TEXT})}}
    new = {"$ref": "#/$defs/thing", "$defs": {"thing": obj({"a": NUMBER})}}
    (change,) = diff(old, new, PRODUCER)
    assert (change.path, change.kind) == ("a", "type")
    assert diff(old, obj({"a": TEXT}), PRODUCER) == []


def test_recursive_schemas_end():
    def tree(leaf):
        return {
            "$ref": "#/$defs/node",
            "$defs": {
                "node": obj({"leaf": leaf, "kids": {"items": {"$ref": "#/$defs/node"}}})
            },
        }

    (change,) = diff(tree(TEXT), tree(NUMBER), PRODUCER)
    assert change.path == "leaf"
    assert paths(tree(TEXT)) == {"leaf", "kids", "kids[]"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/nowhere"},
        {"$ref": "other.json"},
        {"$ref": "#/a", "a": {"$ref": "#/a"}},
        {"properties": {"a": 3}},
    ],
)
def test_malformed_schemas_are_named(schema):
    with pytest.raises(SchemaError):
        diff(schema, {"properties": {"a": {}}}, PRODUCER)


def test_malformed_bounds_are_named():
    with pytest.raises(SchemaError, match="maxLength"):
        diff({"maxLength": "ten"}, {"maxLength": 3}, PRODUCER)


def test_true_and_false_are_schemas():
    assert worst(diff(True, False, CONSUMER)) is BREAKING
    assert diff(True, {}, CONSUMER) == []


@pytest.mark.parametrize(
    "changed, used, expected",
    [
        ("a", "a", True),
        ("a", "a.b", True),
        ("a.b", "a", True),
        ("a[]", "a[].b", True),
        ("", "x", True),
        ("a", "ab", False),
    ],
)
def test_touches(changed, used, expected):
    assert touches(changed, used) is expected


names = st.sampled_from("abcd")
leaves = st.sampled_from(
    [TEXT, NUMBER, INTEGER, {"enum": [1, 2]}, {"type": "string", "maxLength": 3}]
)
schemas = st.recursive(
    leaves,
    lambda part: st.builds(obj, st.dictionaries(names, part, max_size=3), st.just(()))
    | st.builds(lambda items: {"type": "array", "items": items}, part),
    max_leaves=6,
)


@given(schemas)
def test_a_schema_is_compatible_with_itself(schema):
    for direction in Direction:
        assert diff(schema, schema, direction) == []


@given(schemas, schemas)
def test_what_narrows_one_way_widens_the_other(old, new):
    forth = {(change.path, change.effect.value) for change in diff(old, new, PRODUCER)}
    back = {(change.path, change.effect.value) for change in diff(new, old, PRODUCER)}
    mirror = {
        "narrows": "widens",
        "widens": "narrows",
        "adds": "removes",
        "removes": "adds",
    }
    assert back == {(path, mirror.get(effect, effect)) for path, effect in forth}
