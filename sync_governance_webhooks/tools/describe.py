"""The event catalogue as AsyncAPI 3.1 and as the ``webhooks`` of OpenAPI 3.1."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

# Of what all events have in common: how they are sent, not what each of them tells.
CONTRACT_VERSION = "1.0.0"
DESCRIPTION = (
    "Delivered at least once, signed as Standard Webhooks 1.0.0 says, with a webhook-id"
    " that stays the same."
)
SAMPLE_TIME = "2026-11-24T05:00:00Z"

HEADERS: Document = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {
            "type": "string",
            "description": "The same for every attempt: ignore what you had.",
        },
        "webhook-timestamp": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "Unix seconds of the attempt. Refuse five minutes off.",
        },
        "webhook-signature": {
            "type": "string",
            "description": "Standard Webhooks: v1,<base64> entries, blanks between.",
        },
    },
}


@dataclass(frozen=True)
class EventDoc:
    """A catalogue entry. ``schema`` describes the ``data`` member of the body, and
    ``example`` is such data, if there is one.
    """

    name: str
    title: str
    version: str
    schema: Document = field(default_factory=dict)
    example: Document = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name as AsyncAPI and OpenAPI allow it for component keys."""
        return re.sub(r"[^A-Za-z0-9_-]", "_", self.name)

    @property
    def body(self) -> Document:
        """JSON Schema of the whole body, in the Standard Webhooks format."""
        return {
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": {"const": self.name},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": self.schema,
            },
        }

    @property
    def examples(self) -> list[Document]:
        """Whole bodies: one, or none."""
        sample = {"type": self.name, "timestamp": SAMPLE_TIME, "data": self.example}
        return [sample] if self.example else []


def asyncapi(title: str, events: Iterable[EventDoc], note: str = "") -> Document:
    """An AsyncAPI 3.1 document: a channel, a message
    and a send operation for each event.

    :param note: a sentence to add to the description
    """
    events = list(events)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": title,
            "version": CONTRACT_VERSION,
            "description": f"{DESCRIPTION} {note}".rstrip(),
        },
        "defaultContentType": "application/json",
        "channels": {event.key: _channel(event) for event in events},
        "operations": {f"send_{event.key}": _send(event) for event in events},
        "components": {"messages": {event.key: _message(event) for event in events}},
    }


def _channel(event: EventDoc) -> Document:
    return {
        "address": None,
        "title": event.name,
        "description": "Posted to the address of each subscription.",
        "messages": {event.key: {"$ref": f"#/components/messages/{event.key}"}},
    }


def _send(event: EventDoc) -> Document:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{event.key}"},
        "summary": event.title,
        "messages": [{"$ref": f"#/channels/{event.key}/messages/{event.key}"}],
    }


def _message(event: EventDoc) -> Document:
    message = {
        "name": event.name,
        "title": event.title,
        "contentType": "application/json",
        "headers": HEADERS,
        "payload": event.body,
        "x-version": event.version,
    }
    if event.examples:
        message["examples"] = [{"payload": body} for body in event.examples]
    return message


def openapi_webhooks(events: Iterable[EventDoc]) -> Document:
    """The value of the top-level ``webhooks`` of an OpenAPI 3.1 document."""
    return {event.name: {"post": _operation(event)} for event in events}


def _operation(event: EventDoc) -> Document:
    content: Document = {"schema": event.body}
    if event.examples:
        content["example"] = event.examples[0]
    return {
        "operationId": f"event_{event.key}",
        "summary": event.title,
        "description": DESCRIPTION,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": schema["description"],
                "schema": {"type": "string"},
            }
            for name, schema in HEADERS["properties"].items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": content},
        },
        "responses": {
            "2XX": {"description": "Accepted."},
            "410": {"description": "Gone: the subscription is disabled."},
            "4XX": {"description": "Refused for good (but 408, 409, 425 and 429)."},
            "5XX": {"description": "Tried again later."},
        },
    }
