import json
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools import envelope

MESSAGE = envelope.Message(
    id="evt_0123",
    type="order.confirmed",
    time="2026-11-24T05:30:00.000000Z",
    data='{"name":"Kä\\"se %"}',
    source="urn:odoo:demo",
    subject="order/SO1",
    key="sale.order,7",
    sequence=42,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def test_standard_body():
    body, headers = envelope.standard(MESSAGE)
    assert json.loads(body) == {
        "type": "order.confirmed",
        "timestamp": "2026-11-24T05:30:00.000000Z",
        "data": {"name": 'Kä"se %'},
    }
    assert headers == {"content-type": "application/json"}


@pytest.mark.parametrize("form", ["structured", "binary"])
def test_the_cloudevents_sdk_reads_ours(form):
    http = pytest.importorskip("cloudevents.http")
    body, headers = getattr(envelope, form)(MESSAGE)
    event = http.from_http(headers, body.encode())
    assert event["id"] == "evt_0123"
    assert event["type"] == "order.confirmed"
    assert event["source"] == "urn:odoo:demo"
    assert event["sequence"] == "00000000000000000042"
    assert event["partitionkey"].replace("%2C", ",") == "sale.order,7"
    assert event.data == {"name": 'Kä"se %'}


def test_binary_never_repeats_the_content_type():
    body, headers = envelope.binary(MESSAGE)
    assert body == MESSAGE.data
    assert "ce-datacontenttype" not in headers
    assert "ce-correlationid" not in headers
    assert headers["content-type"] == "application/json"


def test_header_values_are_percent_encoded():
    message = envelope.Message(**{**MESSAGE.__dict__, "subject": 'Kä se "%'})
    assert envelope.binary(message)[1]["ce-subject"] == "K%C3%A4%20se%20%22%25"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    )
)
def test_every_payload_survives(payload):
    text = envelope.canonical_json(payload)
    message = envelope.Message(**{**MESSAGE.__dict__, "data": text})
    assert json.loads(envelope.standard(message)[0])["data"] == payload
    assert json.loads(envelope.structured(message)[0])["data"] == payload


def test_canonical_json_is_stable():
    moment = datetime(2026, 11, 24, 5, 30)
    text = envelope.canonical_json(
        {"b": moment, "a": date(2026, 1, 2), "c": {1}, "d": b"x"}
    )
    assert (
        text == '{"a":"2026-01-02","b":"2026-11-24T05:30:00.000000Z","c":[1],"d":"x"}'
    )
