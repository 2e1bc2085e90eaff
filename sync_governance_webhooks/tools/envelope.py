"""The bytes of a message: Standard Webhooks
body, CloudEvents 1.0 structured and binary.

The payload is canonical JSON text made once, at capture; the formats wrap
it without parsing it again, so that every retry and replay sends the same bytes.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

JSON = "application/json"
CLOUDEVENTS_JSON = "application/cloudevents+json; charset=UTF-8"
# CloudEvents HTTP binding 3.1.3.2: printable ASCII but space, double quote and percent.
_HEADER_SAFE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')


@dataclass(frozen=True)
class Message:
    """One event as formats need it.

    ``time`` is RFC 3339, ``data`` JSON text, ``key`` the ordering key and ``sequence``
    its counter; ``corrects`` the id of the event whose place this one takes.
    """

    id: str
    type: str
    time: str
    data: str
    source: str
    subject: str
    key: str
    sequence: int
    traceparent: str = ""
    correlation: str = ""
    corrects: str = ""


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys and no blanks;
    not ASCII-escaped, hence valid UTF-8 once encoded.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, set | frozenset | tuple):
        return sorted(value)
    return str(value)


def rfc3339(moment: datetime) -> str:
    """Naive UTC (as Odoo stores it) to ``2026-11-24T05:30:00.000000Z``."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def standard(message: Message) -> tuple[str, dict[str, str]]:
    """Body and headers of the Standard
    Webhooks format: ``{"type","timestamp","data"}``.
    """
    kind, time = json.dumps(message.type), json.dumps(message.time)
    body = f'{{"type":{kind},"timestamp":{time},"data":{message.data}}}'
    headers = {"content-type": JSON}
    if message.corrects:
        headers["webhook-corrects"] = message.corrects
    return body, headers


def structured(message: Message) -> tuple[str, dict[str, str]]:
    """CloudEvents JSON with the payload as a JSON value."""
    described = json.dumps(
        attributes(message) | {"datacontenttype": JSON}, ensure_ascii=False
    )
    return f'{described[:-1]},"data":{message.data}}}', {
        "content-type": CLOUDEVENTS_JSON
    }


def binary(message: Message) -> tuple[str, dict[str, str]]:
    """CloudEvents attributes as ``ce-`` headers, the payload alone as body."""
    headers = {
        f"ce-{name}": quote(value, safe=_HEADER_SAFE)
        for name, value in attributes(message).items()
    }
    return message.data, {"content-type": JSON, **headers}


def bare(message: Message) -> tuple[str, dict[str, str]]:
    """The payload alone; who sent what is in the headers of every delivery."""
    return message.data, {"content-type": JSON}


def attributes(message: Message) -> dict[str, str]:
    """The CloudEvents attributes that a message has."""
    found = {
        "specversion": "1.0",
        "id": message.id,
        "source": message.source,
        "type": message.type,
        "time": message.time,
        "subject": message.subject,
        "partitionkey": message.key,
        # Compared as text by receivers, hence padded.
        "sequence": f"{message.sequence:020d}",
        "traceparent": message.traceparent,
        "correlationid": message.correlation,
        "corrects": message.corrects,
    }
    return {name: value for name, value in found.items() if value}


FORMATS = {
    "standard": standard,
    "cloudevents_structured": structured,
    "cloudevents_binary": binary,
    "bare": bare,
}
