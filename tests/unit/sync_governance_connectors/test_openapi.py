from odoo.addons.sync_governance_connectors.tools import openapi

UNDERSTOOD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 255},
        "color": {"type": ["integer", "null"], "maximum": 11},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
        },
    },
}


def test_a_contract_narrows_what_a_resource_understands():
    asked = {
        "required": ["color"],
        "properties": {
            "color": {"type": "integer", "maximum": 5},
            "shade": {"type": "string"},
            "lines": {"items": {"required": ["sku"]}},
        },
    }
    agreed = openapi.agree(UNDERSTOOD, asked)
    assert agreed["required"] == ["name", "color"]
    assert agreed["properties"]["color"] == {"type": "integer", "maximum": 5}
    assert "shade" not in agreed["properties"]
    assert agreed["additionalProperties"] is False
    assert agreed["properties"]["lines"]["items"]["required"] == ["sku"]


def test_without_a_word_of_the_contract_nothing_changes():
    same = openapi.agree(UNDERSTOOD, {})
    assert same["properties"]["name"] == UNDERSTOOD["properties"]["name"]
    assert same["required"] == UNDERSTOOD["required"]
    assert openapi.agree(UNDERSTOOD, UNDERSTOOD)["required"] == ["name"]


def describe(**values):
    schema = {"type": "object", "properties": {"external_id": {"type": "string"}}}
    names = ("read", "create", "ship")
    return openapi.ResourceDescription(
        **{
            "name": "parcels",
            "domain": "parcel",
            "operations": frozenset({"read", "create"}),
            "transitions": {"ship": "Ship it"},
            "schemas": dict.fromkeys(names, schema),
            "examples": dict.fromkeys(names, {"external_id": "P-1"}),
            **values,
        }
    )


def test_the_document_speaks_of_what_is_there_and_no_more():
    document = openapi.document([describe()], {}, "https://x.example", "1.0.0", {})
    assert set(document["paths"]) == {
        "/oauth/token",
        "/parcels",
        "/parcels/{external_id}",
        "/parcels/{external_id}/ship",
    }
    assert set(document["paths"]["/parcels/{external_id}"]) == {"parameters", "get"}
    scopes = document["components"]["securitySchemes"]["oauth"]["flows"]
    assert set(scopes["clientCredentials"]["scopes"]) == {
        "parcel:read",
        "parcel:write",
        "parcel:transition",
    }


def test_versions_of_the_contract_are_told_where_the_body_is():
    told = describe(notes={"create": " Contract `parcels.write` 1.1.0."})
    document = openapi.document([told], {}, "https://x.example", "1.0.0", {})
    assert "1.1.0" in document["paths"]["/parcels"]["post"]["description"]
    answers = document["paths"]["/parcels"]["post"]["responses"]
    assert {"Deprecation", "Sunset", "Location"} <= set(answers["201"]["headers"])


def test_every_reference_leads_somewhere():
    document = openapi.document([describe()], {}, "https://x.example", "1.0.0", {})

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
