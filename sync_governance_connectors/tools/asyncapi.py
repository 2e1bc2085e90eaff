"""The AsyncAPI 3.1 document of the events that leave Odoo."""

from collections.abc import Iterable
from typing import Any

from .openapi import EventDescription


def document(
    events: Iterable[EventDescription], server: str, version: str
) -> dict[str, Any]:
    """One channel an event type; Odoo sends, the subscriber receives."""
    events = list(events)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Sync governance for Odoo: events",
            "version": version,
            "description": (
                "Delivered at least once, signed as Standard Webhooks 1.0.0 says,"
                " with a"
                f" webhook-id that stays the same. Polling: {server}/sync/v1/events."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {_key(one): _channel(one) for one in events},
        "operations": {f"send_{_key(one)}": _operation(one) for one in events},
        "components": {"messages": {_key(one): _message(one) for one in events}},
    }


def _key(event: EventDescription) -> str:
    return event.name.replace(".", "_")


def _channel(event: EventDescription) -> dict[str, Any]:
    key = _key(event)
    return {
        "address": None,
        "title": event.name,
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
    }


def _operation(event: EventDescription) -> dict[str, Any]:
    key = _key(event)
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": event.summary,
        "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
    }


def _message(event: EventDescription) -> dict[str, Any]:
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    payload = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": event.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": dict(event.schema),
        },
    }
    sample = {
        "type": event.name,
        "timestamp": "2026-11-24T05:00:00Z",
        "data": dict(event.example),
    }
    return {
        "name": event.name,
        "title": event.summary,
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in headers},
        },
        "payload": payload,
        "examples": [{"payload": sample}],
    }
