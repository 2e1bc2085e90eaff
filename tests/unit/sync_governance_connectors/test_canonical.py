"""One table of members gives schema, example and walk: they agree by construction."""

from datetime import datetime, timedelta, timezone

import jsonschema
import pytest

from odoo.addons.sync_governance_connectors.tools import canonical
from odoo.addons.sync_governance_connectors.tools.canonical import Kind, Member

MEMBERS = (
    Member("external_id", Kind.IDENTIFIER, required=True, fixed=True, example="C-1"),
    Member("ref", Kind.IDENTIFIER, readonly=True, example="cus_" + "0" * 32),
    Member("name", required=True, example="Ada"),
    Member("currency", Kind.CURRENCY, fixed=True, example="EUR"),
    Member("address.city", example="Köln"),
    Member("address.country", Kind.COUNTRY, example="DE"),
    Member(
        "state",
        Kind.CHOICE,
        choices=(("open", "draft"), ("done", "sale")),
        example="open",
    ),
    Member(
        "owner", Kind.REFERENCE, model="res.partner", example={"external_id": "C-9"}
    ),
    Member(
        "lines",
        Kind.LIST,
        required=True,
        items=(Member("quantity", Kind.QUANTITY, required=True, example="2"),),
    ),
)


@pytest.mark.parametrize("operation", ["create", "replace", "patch", "read"])
def test_example_is_valid(operation):
    schema = canonical.schema(MEMBERS, operation)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(canonical.example(MEMBERS, operation), schema)


@pytest.mark.parametrize(
    "body",
    [
        {"external_id": "C-1", "name": "Ada", "lines": []},
        {"external_id": "C-1", "name": None, "lines": [{"quantity": "1"}]},
        {"external_id": "a/b", "name": "Ada", "lines": [{"quantity": "1"}]},
        {"external_id": "C-1", "name": "A\x00", "lines": [{"quantity": "1"}]},
        {"external_id": "C-1", "name": "Ada", "lines": [{"quantity": 1.5}]},
        {"external_id": "C-1", "name": "Ada", "lines": [{"quantity": "1"}], "ref": "x"},
        {"external_id": "C-1", "name": "Ada", "lines": [{"quantity": "1"}], "nope": 1},
        {"name": "Ada", "lines": [{"quantity": "1"}]},
        {"external_id": "C-1", "name": "A", "lines": [{"quantity": "1"}], "owner": {}},
    ],
)
def test_create_refuses(body):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, canonical.schema(MEMBERS, "create"))


def test_patch_requires_nothing_and_may_repeat_what_is_fixed():
    schema = canonical.schema(MEMBERS, "patch")
    jsonschema.validate({"address": None, "external_id": "C-1"}, schema)
    jsonschema.validate({"currency": "USD"}, schema)
    assert "currency" not in canonical.example(MEMBERS, "patch")


def test_walk_speaks_of_what_is_there():
    walked = {
        m.path: v for m, v in canonical.walk(MEMBERS, {"name": "Ada", "address": {}})
    }
    assert walked == {"name": "Ada"}


def test_null_parent_empties_each_child():
    walked = {m.path: v for m, v in canonical.walk(MEMBERS, {"address": None})}
    assert walked == {"address.city": None, "address.country": None}


def test_moments_are_utc_to_the_second():
    east = timezone(timedelta(hours=2))
    assert canonical.moment_text(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=east)) == (
        "2026-01-02T01:04:05Z"
    )
    assert canonical.parse_moment("2026-01-02T03:04:05.9+02:00") == datetime(
        2026, 1, 2, 1, 4, 5
    )


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05", "yesterday", ""])
def test_moments_without_offset_are_refused(text):
    with pytest.raises(ValueError):
        canonical.parse_moment(text)


def test_a_body_says_what_it_is_read_from():
    members = (
        Member("name", field="name"),
        Member("address.country", Kind.COUNTRY, "partner_id.country_id"),
        Member("lines", Kind.LIST, "line_ids", items=(Member("sku", field="code"),)),
        Member("computed"),
        Member("secret", field="secret", writeonly=True),
    )
    assert list(canonical.reads(members)) == [
        "name",
        "partner_id.country_id",
        "partner_id.country_id.code",
        "line_ids",
        "line_ids.code",
    ]


def test_what_is_read_can_be_sent_without_what_is_odoos():
    members = (
        Member("external_id", Kind.IDENTIFIER, required=True, fixed=True),
        Member("number", field="name", readonly=True),
        Member("note", field="note"),
        Member("customer", Kind.REFERENCE, "partner_id"),
        Member(
            "lines",
            Kind.LIST,
            "line_ids",
            items=(Member("sku", field="code"), Member("net", readonly=True)),
        ),
    )
    body = {
        "external_id": "O-1",
        "number": "S1",
        "note": None,
        "customer": {"external_id": None, "ref": "cus_1"},
        "lines": [{"sku": "A", "net": "1.00"}],
    }
    assert canonical.writable(members, body) == {
        "external_id": "O-1",
        "customer": {"ref": "cus_1"},
        "lines": [{"sku": "A"}],
    }


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+01:00"]
)
def test_moments_beyond_the_calendar_are_no_moments(text):
    with pytest.raises(ValueError):
        canonical.parse_moment(text)
