import pytest

from odoo.addons.sync_governance_webhooks.tools import amqp, envelope
from odoo.addons.sync_governance_webhooks.tools.parcel import Parcel

MESSAGE = envelope.Message(
    id="evt_0123",
    type="order.confirmed",
    time="2026-11-24T05:30:00.000000Z",
    data='{"name":"Käse"}',
    source="urn:uuid:1",
    subject="sale.order,7",
    key="sale.order,7",
    sequence=42,
    correlation="Bestellung Ä",
)
SIGNATURE = {"webhook-id": "evt_0123", "webhook-signature": "v1,x"}


def make(form, template="{type}"):
    body, headers = envelope.FORMATS[form](MESSAGE)
    parcel = Parcel(1, 1, 1, 1, 1, False, MESSAGE, body, headers)
    return amqp.make_message(parcel, "erp", template, 1700000000, SIGNATURE)


def test_the_standard_format_has_its_own_headers_alone():
    message = make("standard")
    assert (message.exchange, message.routing_key) == ("erp", "order.confirmed")
    assert (message.id, message.type) == ("evt_0123", "order.confirmed")
    assert message.content_type == "application/json"
    assert message.headers == SIGNATURE
    assert message.body.startswith(b'{"type":"order.confirmed"')


def test_binary_cloudevents_follow_the_amqp_binding():
    message = make("cloudevents_binary")
    assert message.headers["cloudEvents_id"] == "evt_0123"
    assert message.headers["cloudEvents_specversion"] == "1.0"
    # escaped for HTTP, plain for AMQP
    assert message.headers["cloudEvents_correlationid"] == "Bestellung Ä"
    assert not any(name.startswith("ce-") for name in message.headers)
    assert "cloudEvents_datacontenttype" not in message.headers
    assert message.body == '{"name":"Käse"}'.encode()


def test_structured_cloudevents_say_so():
    message = make("cloudevents_structured")
    assert message.content_type == "application/cloudevents+json; charset=UTF-8"
    assert message.headers == SIGNATURE


def test_routing_keys():
    assert make("standard", "erp.{type}.{key}").routing_key == (
        "erp.order.confirmed.sale.order,7"
    )
    assert make("standard", "orders").routing_key == "orders"
    with pytest.raises(amqp.RoutingKeyError):
        amqp.routing_key("ä" * 128, "", "")
    assert amqp.routing_key("ä" * 127 + "x", "", "")


@pytest.mark.parametrize("template", ["{typ}", "{", "a}b", "{type", "{{type}}"])
def test_unknown_placeholders_are_refused(template):
    with pytest.raises(amqp.RoutingKeyError):
        amqp.check_template(template)


def test_what_was_sent_is_described():
    text = make("standard").described()
    assert "routing-key: order.confirmed" in text
    assert "delivery-mode: 2" in text and "webhook-signature: v1,x" in text
