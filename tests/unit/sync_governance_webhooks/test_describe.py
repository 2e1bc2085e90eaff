from odoo.addons.sync_governance_webhooks.tools.describe import (
    EventDoc,
    asyncapi,
    openapi_webhooks,
)

ORDER = EventDoc(
    "order.confirmed",
    "An order became binding.",
    "1.2.0",
    {"type": "object", "required": ["number"]},
    {"number": "S1"},
)
PING = EventDoc("sync.ping", "Hello", "1.0.0", {"type": "object"})


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_each_event_has_a_channel_an_operation_and_a_message():
    document = asyncapi("Events", [ORDER, PING], "Polling: here.")
    assert document["info"]["description"].endswith("Polling: here.")
    for event in (ORDER, PING):
        operation = document["operations"][f"send_{event.key}"]
        channel = resolve(document, operation["channel"]["$ref"])
        assert channel["title"] == event.name
        [reference] = operation["messages"]
        message = resolve(document, resolve(document, reference["$ref"])["$ref"])
        assert (message["name"], message["x-version"]) == (event.name, event.version)
        assert message["payload"]["properties"]["data"] == event.schema
        assert message["payload"]["properties"]["type"] == {"const": event.name}


def test_samples_are_whole_bodies_and_only_where_there_are_some():
    messages = asyncapi("Events", [ORDER, PING])["components"]["messages"]
    [sample] = messages["order_confirmed"]["examples"]
    assert sample["payload"]["data"] == {"number": "S1"}
    assert sample["payload"]["type"] == "order.confirmed"
    assert "examples" not in messages["sync_ping"]
    webhooks = openapi_webhooks([ORDER, PING])
    content = webhooks["order.confirmed"]["post"]["requestBody"]["content"]
    assert content["application/json"]["example"] == sample["payload"]
    content = webhooks["sync.ping"]["post"]["requestBody"]["content"]
    assert "example" not in content["application/json"]


def test_headers_are_told_in_both():
    names = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    message = asyncapi("Events", [PING])["components"]["messages"]["sync_ping"]
    assert set(message["headers"]["required"]) == names
    operation = openapi_webhooks([PING])["sync.ping"]["post"]
    assert {one["name"] for one in operation["parameters"]} == names
    assert operation["operationId"] == "event_sync_ping"
    assert operation["security"] == []
