"""The event catalogue as AsyncAPI 3.1 and as the ``webhooks`` of OpenAPI 3.1."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

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
    """A catalogue entry. ``schema`` describes the ``data`` member of the body."""

    name: str
    title: str
    version: str
    schema: Document = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name as AsyncAPI and OpenAPI allow it for component keys."""
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.name)

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


def asyncapi(title: str, version: str, events: Iterable[EventDoc]) -> Document:
    """An AsyncAPI 3.1 document: one channel,
    a message and a send operation for each event.
    """
    events = list(events)
    messages = {event.key: _message(event) for event in events}
    references = {
        event.key: {"$ref": f"#/components/messages/{event.key}"} for event in events
    }
    return {
        "asyncapi": "3.1.0",
        "info": {"title": title, "version": version},
        "defaultContentType": "application/json",
        "channels": {
            "webhooks": {
                "description": "Posted to the address of each subscription.",
                "messages": references,
            }
        },
        "operations": {
            f"send-{event.key}": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhooks"},
                "summary": event.title,
                "messages": [{"$ref": f"#/channels/webhooks/messages/{event.key}"}],
            }
            for event in events
        },
        "components": {"messages": messages},
    }


def _message(event: EventDoc) -> Document:
    return {
        "name": event.name,
        "title": event.title,
        "contentType": "application/json",
        "headers": HEADERS,
        "payload": event.body,
        "x-version": event.version,
    }


def openapi_webhooks(events: Iterable[EventDoc]) -> Document:
    """The value of the top-level ``webhooks`` of an OpenAPI 3.1 document."""
    return {event.name: {"post": _operation(event)} for event in events}


def _operation(event: EventDoc) -> Document:
    return {
        "operationId": f"receive-{event.key}",
        "summary": event.title,
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
            "content": {"application/json": {"schema": event.body}},
        },
        "responses": {
            "2XX": {"description": "Accepted."},
            "410": {"description": "Gone: the subscription is disabled."},
            "4XX": {"description": "Refused for good (but 408, 409, 425 and 429)."},
            "5XX": {"description": "Tried again later."},
        },
    }
