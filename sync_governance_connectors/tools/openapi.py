"""The OpenAPI 3.1 document, built from what the resources say about themselves.

Pure: descriptions in, a JSON-able document out. Nothing about a resource is written
here, so the document cannot drift from what the gate validates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .canonical import IDENTIFIER_SCHEMA
from .etag import TAGS
from .idempotency import MAX_LENGTH as MAX_KEY

MAX_BULK = 500
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
PROBLEM = "application/problem+json"
_STRING = {"type": "string"}
# Statuses every call can be answered with, whatever it asks for.
_ALWAYS = (400, 401, 403, 404, 406, 429, 500, 503)
_WITH_BODY = (409, 413, 415, 422)
# What the members of a 4xx are about; the others say it in their title.
CODES = {
    "exists": "the id names a record already",
    "probable_duplicate": "a similar record is there, see `candidates`;"
    " `not_a_duplicate` in the body overrides",
    "idempotency_key_in_use": "the first call with this key still runs",
    "idempotency_key_reused": "the key was used for another request",
    "invalid_transition": "the record's state does not allow it",
    "held_by_policy": "another system owns what it cannot be made without, see"
    " `errors`",
    "totals_mismatch": "the totals are not those of the lines",
    "business_rule": "Odoo refuses it, `detail` says why",
    "validation_failed": "the body breaks its contract, see `errors`",
    "precondition_failed": "the record changed since you read it",
    "quota_exceeded": "your plan is used up until Retry-After",
}
_WRITES = frozenset({"create", "replace", "patch", "bulk"})
_SUMMARIES = {
    "list": "List {name}, oldest change first",
    "create": "Create one of the {name}",
    "read": "Read one of the {name}",
    "replace": "Create or replace one of the {name}",
    "patch": "Change members of one of the {name}",
    "bulk": "Create or replace many {name}",
}


@dataclass(frozen=True)
class ResourceDescription:
    """What the document needs to know of a resource.

    ``schemas``, ``examples`` and ``notes`` (what else a caller has to know, such as
    which versions of which contract a body may follow) are keyed by operation and
    transition name.
    """

    name: str
    domain: str | None
    operations: frozenset[str]
    transitions: Mapping[str, str]
    schemas: Mapping[str, Mapping[str, Any]]
    examples: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def document(
    resources: Iterable[ResourceDescription],
    webhooks: Mapping[str, Any],
    server: str,
    version: str,
    hooks: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole document.

    :param webhooks: path items of the events that leave, by their names
    :param server: base address, without the path of the API
    :param version: version of the contract it describes
    :param hooks: path items of the ways in that are no resources
    """
    resources = sorted(resources, key=lambda one: one.name)
    paths: dict[str, Any] = {}
    for resource in resources:
        paths |= _paths(resource)
    return {
        "openapi": "3.1.0",
        "info": _info(version),
        "servers": [{"url": f"{server}/sync/v1"}],
        "security": [{"key": []}, {"oauth": []}],
        "tags": [
            *(
                {"name": one.name, "description": _tag_description(one)}
                for one in resources
            ),
            {"name": "access", "description": "Tokens, state and partner webhooks"},
            {"name": "webhooks", "description": "What is posted to subscribers"},
        ],
        "paths": {**paths, "/oauth/token": _token_path(), **hooks},
        "webhooks": webhooks,
        "components": _components(resources, server),
    }


def _tag_description(resource: ResourceDescription) -> str:
    """What a key needs for the resource."""
    if not resource.domain:
        return "Needs no scope: shows what the key may see anyway"
    kinds = ["read"]
    kinds += ["write"] if resource.operations & _WRITES else []
    kinds += ["transition"] if resource.transitions else []
    return "Scopes " + ", ".join(f"`{resource.domain}:{kind}`" for kind in kinds)


def _info(version: str) -> dict[str, Any]:
    return {
        "title": "Sync governance for Odoo",
        "version": version,
        "description": (
            "Every record is named by the caller's own id. Every change needs an"
            " Idempotency-Key and is applied once. Every error is a problem document."
        ),
        "contact": {
            "name": "Sync Governance contributors",
            "url": "https://github.com/sync-governance/sync-governance-odoo",
        },
        "license": {"name": "LGPL-3.0", "identifier": "LGPL-3.0-only"},
    }


# -- paths -----------------------------------------------------------------------------


def _paths(resource: ResourceDescription) -> dict[str, Any]:
    name, has = resource.name, resource.operations
    collection: dict[str, Any] = {}
    if "list" in has:
        collection["get"] = _list_operation(resource)
    if "create" in has:
        collection["post"] = _write_operation(resource, "create", (200, 201))
    one: dict[str, Any] = {}
    if "read" in has:
        one["get"] = _read_operation(resource)
    if "replace" in has:
        one["put"] = _write_operation(resource, "replace", (200, 201))
    if "patch" in has:
        one["patch"] = _write_operation(resource, "patch", (200,))
    paths = {f"/{name}": collection} if collection else {}
    if "bulk" in has:
        paths[f"/{name}/bulk"] = {"post": _bulk_operation(resource)}
    if one:
        paths[f"/{name}/{{external_id}}"] = {"parameters": [_ref("external_id")], **one}
    for transition, summary in resource.transitions.items():
        paths[f"/{name}/{{external_id}}/{transition}"] = {
            "parameters": [_ref("external_id")],
            "post": _transition_operation(resource, transition, summary),
        }
    return paths


def _operation(
    resource: ResourceDescription, operation: str, summary: str, access: str
) -> dict[str, Any]:
    scope = [f"{resource.domain}:{access}"] if resource.domain else []
    needs = f"Needs the scope `{scope[0]}`." if scope else "Shows your own data only."
    return {
        "operationId": f"{operation}_{resource.name}",
        "summary": summary,
        "description": needs,
        "tags": [resource.name],
        "security": [{"key": []}, {"oauth": scope}],
    }


def _list_operation(resource: ResourceDescription) -> dict[str, Any]:
    operation = _operation(resource, "list", _summary(resource, "list"), "read")
    operation["description"] += resource.notes.get("list", "")
    operation["parameters"] = [
        _ref("limit"),
        _ref("cursor"),
        *([] if resource.name == "events" else [_ref("updated_since")]),
        *resource.parameters,
    ]
    page = {
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": _schema_ref(resource.name, "read")},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    example = {"data": [resource.examples["read"]], "next_cursor": None}
    operation["responses"] = _responses({200: _json("One page", page, example)})
    return operation


def _read_operation(resource: ResourceDescription) -> dict[str, Any]:
    operation = _operation(resource, "read", _summary(resource, "read"), "read")
    operation["parameters"] = [_ref("if_none_match")]
    found = _json(
        "The record",
        _schema_ref(resource.name, "answer"),
        resource.examples["read"],
        ("ETag",),
    )
    unchanged = {"description": "The record is still as your ETag says"}
    operation["responses"] = _responses({200: found, 304: unchanged})
    return operation


def _write_operation(
    resource: ResourceDescription, kind: str, statuses: tuple[int, ...]
) -> dict[str, Any]:
    operation = _operation(resource, kind, _summary(resource, kind), "write")
    operation["description"] += resource.notes.get(kind, "")
    conditions = {"create": [], "replace": ["if_match"], "patch": ["if_match_required"]}
    key = "key_optional" if kind == "replace" else "key"
    operation["parameters"] = [_ref(key), *map(_ref, conditions[kind]), _ref("prefer")]
    media_type = MERGE_PATCH if kind == "patch" else JSON
    operation["requestBody"] = _body(resource, kind, media_type)
    operation["responses"] = _responses(
        {status: _written(resource, status) for status in statuses},
        202,
        *_WITH_BODY,
        *(() if kind == "create" else (412, 428)),
    )
    return operation


def _transition_operation(
    resource: ResourceDescription, transition: str, summary: str
) -> dict[str, Any]:
    operation = _operation(resource, transition, summary, "transition")
    operation["description"] += resource.notes.get(transition, "")
    operation["parameters"] = [_ref("key"), _ref("if_match"), _ref("prefer")]
    operation["requestBody"] = _body(resource, transition, JSON, required=False)
    operation["responses"] = _responses(
        {200: _written(resource, 200)}, 202, *_WITH_BODY, 412
    )
    return operation


def _bulk_operation(resource: ResourceDescription) -> dict[str, Any]:
    operation = _operation(resource, "bulk", _summary(resource, "bulk"), "write")
    operation["description"] += (
        " Each item stands alone: a bad one does not undo the others. An item that has"
        " an `idempotency_key` of its own is applied once across bulk calls."
    )
    operation["parameters"] = [_ref("key"), _ref("prefer")]
    operation["requestBody"] = {
        "required": True,
        "content": {
            JSON: {
                "schema": _schema_ref(resource.name, "bulk"),
                "example": {"items": [resource.examples["create"]]},
            }
        },
    }
    example = {
        "items": [
            {
                "index": 0,
                "external_id": resource.examples["create"].get("external_id"),
                "status": 201,
                "data": resource.examples["read"],
            }
        ]
    }
    results = _json(
        "One result an item", {"$ref": "#/components/schemas/bulk"}, example
    )
    operation["responses"] = _responses({207: results}, 202, *_WITH_BODY)
    return operation


def _body(
    resource: ResourceDescription, kind: str, media_type: str, required: bool = True
) -> dict[str, Any]:
    content = {
        "schema": _schema_ref(resource.name, kind),
        "example": resource.examples[kind],
    }
    return {"required": required, "content": {media_type: content}}


def _written(resource: ResourceDescription, status: int) -> dict[str, Any]:
    example = {**resource.examples["read"], "sync": {"applied": [], "held": []}}
    answer = _json(
        "The record, and what became of each field",
        _schema_ref(resource.name, "answer"),
        example,
        (
            *("ETag", "Idempotent-Replayed", "Deprecation", "Sunset"),
            *(("Location",) if status == 201 else ()),
        ),
    )
    if status == 201 and "read" in resource.operations:
        answer["links"] = _links(resource)
    return answer


def _links(resource: ResourceDescription) -> dict[str, Any]:
    """What a caller (and a stateful test) can do with a record just made."""
    own_id = {"external_id": "$response.body#/external_id"}
    links = {"read": {"operationId": f"read_{resource.name}", "parameters": own_id}}
    if "patch" in resource.operations:
        links["patch"] = {
            "operationId": f"patch_{resource.name}",
            "parameters": {**own_id, "header.If-Match": "$response.header.ETag"},
        }
    return links


def _token_path() -> dict[str, Any]:
    return {
        "post": {
            "operationId": "token",
            "summary": "Exchange a key for a short-lived access token (RFC 6749, 4.4)",
            "description": "`client_id` is the key's prefix, `client_secret` the key.",
            "tags": ["access"],
            "security": [{"client": []}, {}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/x-www-form-urlencoded": {
                        "schema": {
                            "type": "object",
                            "required": ["grant_type"],
                            "properties": {
                                "grant_type": {"const": "client_credentials"},
                                "client_id": _STRING,
                                "client_secret": _STRING,
                                "scope": _STRING,
                            },
                        },
                        "example": {
                            "grant_type": "client_credentials",
                            "scope": "customer:read",
                        },
                    }
                },
            },
            "responses": _responses(
                {
                    200: _json(
                        "The token",
                        {
                            "type": "object",
                            "required": [
                                "access_token",
                                "token_type",
                                "expires_in",
                                "scope",
                            ],
                            "properties": {
                                "access_token": _STRING,
                                "token_type": {"const": "Bearer"},
                                "expires_in": {"type": "integer"},
                                "scope": _STRING,
                            },
                        },
                        {
                            "access_token": "sgt_k3jd82la_eyJleHAiOjF9.c2lnbmF0dXJl",
                            "token_type": "Bearer",
                            "expires_in": 3600,
                            "scope": "customer:read",
                        },
                    )
                },
                413,
                415,
            ),
        }
    }


def hook_path() -> dict[str, Any]:
    """Path item of a partner's own webhooks."""
    received = {
        "type": "object",
        "required": ["request", "duplicate"],
        "properties": {"request": _STRING, "duplicate": {"type": "boolean"}},
    }
    example = {"request": "req_0f3a", "duplicate": False}
    answer = {
        "description": "Stored; the work is done later. A repeated event is a 200.",
        "content": {JSON: {"schema": received, "example": example}},
    }
    problems = {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in (400, 401, 413, 429, 500, 503)
    }
    return {
        "post": {
            "operationId": "hook",
            "summary": "Hand over an event of your own system",
            "description": "Signed with the secret agreed:"
            " the signature is the credential.",
            "tags": ["access"],
            "security": [],
            "parameters": [
                {
                    "name": "system_code",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,30}$"},
                }
            ],
            "requestBody": {
                "required": True,
                "content": {
                    JSON: {
                        "schema": {"type": "object"},
                        "example": {
                            "type": "shipment.delivered",
                            "timestamp": "2026-11-24T05:00:00Z",
                            "data": {"external_id": "SHP-1"},
                        },
                    }
                },
            },
            "responses": {"200": answer, "202": answer, **problems},
        }
    }


def health_path() -> dict[str, Any]:
    """Path item of the health check."""
    state = {
        "type": "object",
        "required": ["status", "time"],
        "properties": {
            "status": {"const": "pass"},
            "time": {"type": "string", "format": "date-time"},
        },
    }
    answer = {
        "description": "The API and its database answer",
        "content": {
            JSON: {
                "schema": state,
                "example": {"status": "pass", "time": "2026-11-24T05:00:00Z"},
            }
        },
    }
    return {
        "get": {
            "operationId": "health",
            "summary": "Whether the API works",
            "description": "Needs no key.",
            "tags": ["access"],
            "security": [],
            "responses": {
                "200": answer,
                "500": {"$ref": "#/components/responses/500"},
                "503": {"$ref": "#/components/responses/503"},
            },
        }
    }


# -- responses -------------------------------------------------------------------------


def _responses(own: Mapping[int, Any], *further: int) -> dict[str, Any]:
    shared = {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in sorted({*_ALWAYS, *further})
    }
    return {**{str(status): answer for status, answer in own.items()}, **shared}


def _json(
    description: str, schema: Any, example: Any, headers: tuple[str, ...] = ()
) -> dict[str, Any]:
    shown = ("X-Request-Id", "RateLimit", "RateLimit-Policy", *headers)
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in shown},
        "content": {JSON: {"schema": schema, "example": example}},
    }


# -- components ------------------------------------------------------------------------


def _components(resources: list[ResourceDescription], server: str) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        "problem": _problem_schema(),
        "accepted": _accepted_schema(),
        "outcome": _outcome_schema(),
        "bulk": _bulk_result_schema(),
    }
    for resource in resources:
        for operation, schema in resource.schemas.items():
            schemas[f"{resource.name}_{operation}"] = schema
        if "read" in resource.operations:
            schemas[f"{resource.name}_answer"] = _answer_schema(
                resource.schemas["read"]
            )
        if "bulk" in resource.operations:
            schemas[f"{resource.name}_bulk"] = bulk_schema(resource.schemas["create"])
    return {
        "schemas": schemas,
        "parameters": _parameters(),
        "headers": _headers(),
        "responses": _shared_responses(),
        "securitySchemes": _security_schemes(resources, server),
    }


def agree(understood: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """One schema of what a resource understands and what its contract asks for.

    The gate holds a body to both. A contract narrows, member by member: where both
    say something of a member, its word is shown; members of its own are not.
    """
    merged = {**understood, **asked}
    if "properties" in understood:
        narrowed = asked.get("properties", {})
        merged["properties"] = {
            name: agree(schema, narrowed.get(name, {}))
            for name, schema in understood["properties"].items()
        }
        required = {*understood.get("required", ()), *asked.get("required", ())}
        merged["required"] = [one for one in merged["properties"] if one in required]
        if "additionalProperties" in understood:
            merged["additionalProperties"] = understood["additionalProperties"]
    if "items" in understood:
        merged["items"] = agree(understood["items"], asked.get("items", {}))
    return merged


def bulk_schema(item: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a bulk body whose items are bodies that create or replace."""
    key = {"type": "string", "minLength": 1, "maxLength": MAX_KEY}
    properties = {**item["properties"], "idempotency_key": key}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_BULK,
                "items": {**item, "properties": properties},
            }
        },
    }


def _answer_schema(read: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is answered: with a member that says what the call did to it."""
    sync = {"$ref": "#/components/schemas/outcome"}
    return {**read, "properties": {**read["properties"], "sync": sync}}


def _outcome_schema() -> dict[str, Any]:
    """What a call did: fields applied, fields held, the id that moved."""
    text = {"type": ["string", "null"]}
    held = {
        "type": "object",
        "required": ["field", "owner", "reason", "conflict"],
        "properties": {
            "field": _STRING,
            "owner": {**_STRING, "description": "System of record; '' for a person."},
            "reason": text,
            "conflict": {**text, "description": "Where a steward decides about it."},
        },
    }
    moved = {
        "type": "object",
        "description": "The id in the address was merged into another one.",
        "required": ["from", "to"],
        "properties": {"from": _STRING, "to": text},
    }
    return {
        "type": "object",
        "properties": {
            "applied": {"type": "array", "items": _STRING},
            "held": {"type": "array", "items": held},
            "warnings": {"type": "array", "items": _STRING},
            "moved": moved,
        },
    }


def _accepted_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["request", "state", "href"],
        "properties": {
            "request": _STRING,
            "state": {"const": "validated"},
            "href": {"type": "string", "format": "uri-reference"},
        },
    }


def _bulk_result_schema() -> dict[str, Any]:
    result = {
        "type": "object",
        "required": ["index", "external_id", "status"],
        "properties": {
            "index": {"type": "integer"},
            "external_id": {"type": ["string", "null"]},
            "status": {"type": "integer"},
            "data": {"type": "object"},
            "problem": {"$ref": "#/components/schemas/problem"},
        },
    }
    return {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": result}},
    }


def _problem_schema() -> dict[str, Any]:
    fault = {
        "type": "object",
        "required": ["pointer", "detail", "code"],
        "properties": {"pointer": _STRING, "detail": _STRING, "code": _STRING},
    }
    candidate = {
        "type": "object",
        "required": ["external_id", "ref", "probability", "agrees"],
        "properties": {
            "external_id": {"type": ["string", "null"]},
            "ref": _STRING,
            "probability": {"type": "number"},
            "agrees": {"type": "array", "items": _STRING},
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457. `code` is what a program branches on: "
        + ", ".join(f"`{code}` ({why})" for code, why in CODES.items()),
        "required": ["type", "title", "status", "detail", "instance", "code", "errors"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _STRING,
            "status": {"type": "integer"},
            "detail": _STRING,
            "instance": _STRING,
            "code": _STRING,
            "errors": {"type": "array", "items": fault},
            "candidates": {
                "type": "array",
                "description": "Of `probable_duplicate`: whom Odoo takes it for.",
                "items": candidate,
            },
            "violated-policies": {
                "type": "array",
                "description": "Of `quota_exceeded`: names as in RateLimit-Policy.",
                "items": _STRING,
            },
            "error": {
                "type": "string",
                "description": "Of the token endpoint: the code of RFC 6749, 5.2.",
            },
        },
    }


def _parameters() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "The same for the same call, new for a new call."
        " Kept for 7 days.",
        "schema": {"type": "string", "pattern": r"^[!#-+\--~]{1,255}$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }
    match = {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "ETag of the state you change; * overwrites whatever is there.",
        "schema": {
            "anyOf": [
                {"type": "string", "enum": ["*"]},
                {"type": "string", "pattern": TAGS},
            ]
        },
        "example": "*",
    }
    return {
        "external_id": {
            "name": "external_id",
            "in": "path",
            "required": True,
            "description": "Your own id of the record. One that is `bulk` can be"
            " listed and not addressed.",
            "schema": dict(IDENTIFIER_SCHEMA),
        },
        "key": key,
        "key_optional": {**key, "required": False},
        "if_match": match,
        "if_match_required": {**match, "required": True},
        "if_none_match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "ETag you have: 304 if the record is still like that.",
            "schema": _STRING,
        },
        "prefer": {
            "name": "Prefer",
            "in": "header",
            "description": "`respond-async` answers 202 at once and does the work"
            " later. Other wishes are ignored (RFC 7240).",
            "schema": _STRING,
        },
        "limit": {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
        },
        "cursor": {
            "name": "cursor",
            "in": "query",
            "description": "`next_cursor` of the page before, unchanged.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,256}$"},
        },
        "updated_since": {
            "name": "updated_since",
            "in": "query",
            "schema": {"type": "string", "format": "date-time"},
        },
    }


def _headers() -> dict[str, Any]:
    texts = {
        "ETag": "Strong tag of the record's state",
        "Location": "Address of the record",
        "Idempotent-Replayed": "true when this is the stored answer of an earlier call",
        "Deprecation": "Since when the version your body follows is old (RFC 9745)",
        "Sunset": "Until when that version is valid (RFC 8594)",
        "X-Request-Id": "Your id of this call, or ours",
        "RateLimit": "Calls left and seconds until they are back",
        "RateLimit-Policy": "Limits of your plan",
        "Retry-After": "Seconds to wait",
    }
    return {
        name: {"description": text, "schema": _STRING} for name, text in texts.items()
    }


def _shared_responses() -> dict[str, Any]:
    statuses = sorted({*_ALWAYS, *_WITH_BODY, 412, 428})
    shared = {str(status): _problem_response(status) for status in statuses}
    accepted = {"$ref": "#/components/schemas/accepted"}
    example = {
        "request": "req_0f3a",
        "state": "validated",
        "href": "/sync/v1/requests/req_0f3a",
    }
    shared["202"] = _json("Will be done; ask at href", accepted, example, ("Location",))
    return shared


def _problem_response(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    response: dict[str, Any] = {
        "description": title,
        "content": {
            PROBLEM: {
                "schema": {"$ref": "#/components/schemas/problem"},
                "example": {
                    "type": "about:blank",
                    "title": title,
                    "status": status,
                    "detail": title,
                    "instance": "req_0f3a",
                    "code": title.lower().replace(" ", "_"),
                    "errors": [],
                },
            }
        },
    }
    if status in (409, 429, 503):
        response["headers"] = {
            "Retry-After": {"$ref": "#/components/headers/Retry-After"}
        }
    return response


def _security_schemes(
    resources: list[ResourceDescription], server: str
) -> dict[str, Any]:
    domains = sorted({one.domain for one in resources if one.domain})
    scopes = {
        f"{domain}:{access}": f"{access} {domain}"
        for domain in domains
        for access in ("read", "write", "transition")
    }
    return {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sgk_<prefix>_<secret>",
        },
        "client": {"type": "http", "scheme": "basic"},
        "oauth": {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": f"{server}/sync/v1/oauth/token",
                    "scopes": scopes,
                }
            },
        },
    }


def _summary(resource: ResourceDescription, operation: str) -> str:
    return _SUMMARIES[operation].format(name=resource.name)


def _ref(parameter: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{parameter}"}


def _schema_ref(resource: str, operation: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{resource}_{operation}"}
