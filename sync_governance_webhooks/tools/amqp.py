"""A parcel as an AMQP 0-9-1 message: routing key, properties, headers.

CloudEvents attributes travel as in the AMQP binding of CloudEvents 1.0.2, section 3.1:
prefixed with ``cloudEvents_``, the underscore being the separator that every client
library can read. The Standard Webhooks headers keep their names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .envelope import attributes
from .parcel import Parcel

DEFAULT_ROUTING_KEY = "{type}"
# A "short string" of the protocol.
MAX_SHORT = 255
PLACEHOLDERS = {"{type}", "{key}"}
PREFIX = "cloudEvents_"


class RoutingKeyError(ValueError):
    """The template holds an unknown placeholder, or makes too long a key."""


@dataclass(frozen=True)
class AmqpMessage:
    """What is published. ``timestamp`` is unix seconds, ``body`` UTF-8 text."""

    exchange: str
    routing_key: str
    body: bytes
    id: str
    type: str
    timestamp: int
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> str:
        """Properties and headers as lines of text, for the record of an attempt."""
        properties = {
            "exchange": self.exchange,
            "routing-key": self.routing_key,
            "message-id": self.id,
            "type": self.type,
            "timestamp": str(self.timestamp),
            "content-type": self.content_type,
            "delivery-mode": "2",
            **self.headers,
        }
        return "\n".join(f"{name}: {value}" for name, value in properties.items())


def check_template(template: str) -> None:
    """Accept ``orders.{type}`` and the like.

    :raises RoutingKeyError: naming the unknown placeholder
    """
    unknown = set(re.findall(r"\{[^{}]*\}?|\}", template)) - PLACEHOLDERS
    if unknown:
        raise RoutingKeyError(", ".join(sorted(unknown)))


def routing_key(template: str, name: str, key: str) -> str:
    """The routing key of an event: ``{type}`` is its name, ``{key}`` its ordering key.

    :raises RoutingKeyError: longer than 255 bytes
    """
    made = template.replace("{type}", name).replace("{key}", key)
    if len(made.encode()) > MAX_SHORT:
        raise RoutingKeyError("The routing key is longer than 255 bytes")
    return made


def make_message(
    parcel: Parcel,
    exchange: str,
    template: str,
    timestamp: int,
    extra: Mapping[str, str],
) -> AmqpMessage:
    """The message of an attempt.

    :param extra: further headers, those of Standard Webhooks among them

    :raises RoutingKeyError: see :func:`routing_key`
    """
    message = parcel.message
    headers = dict(extra)
    if message.corrects:
        headers["webhook-corrects"] = message.corrects
    if "ce-id" in parcel.headers:
        # Binary mode. The ``ce-`` headers are escaped for HTTP, AMQP knows UTF-8.
        found = attributes(message)
        headers |= {f"{PREFIX}{name}": value for name, value in found.items()}
    return AmqpMessage(
        exchange=exchange,
        routing_key=routing_key(template, message.type, message.key),
        body=parcel.body.encode(),
        id=message.id,
        type=message.type,
        timestamp=timestamp,
        content_type=parcel.headers["content-type"],
        headers=headers,
    )
