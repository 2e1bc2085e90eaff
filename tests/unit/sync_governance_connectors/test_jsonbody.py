import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools import jsonbody
from odoo.addons.sync_governance_connectors.tools.problem import Problem


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b"[" + b"9" * 31 + b"]",
        b"[0." + b"1" * 60 + b"]",
        b"[" * 25 + b"]" * 25,
        b"[" * 100_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        rb'"\u0000"',
        rb'{"\u0000":1}',
        rb'"\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
    ],
)
def test_doubtful_json_is_400(raw):
    with pytest.raises(Problem) as caught:
        jsonbody.parse(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "raw, value",
    [
        (rb'"\\u0000"', "\\u0000"),  # a backslash, then plain letters
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (b"[" + b"[]," * 40 + b"[]]", [[]] * 41),
        (b"[" * 24 + b"]" * 24, json.loads("[" * 24 + "]" * 24)),
    ],
)
def test_odd_but_sound_json_passes(raw, value):
    assert jsonbody.parse(raw) == value


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(raw):
    try:
        jsonbody.parse(raw)
    except Problem as problem:
        assert problem.status == 400


@pytest.mark.parametrize(
    "target, patch, merged",
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "foo"}, "bar", "bar"),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target, patch, merged):
    before = json.dumps(target)
    assert jsonbody.merge_patch(target, patch) == merged
    assert json.dumps(target) == before
