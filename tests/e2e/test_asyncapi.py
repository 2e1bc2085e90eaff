"""The catalogue describes itself, and AsyncAPI's reference parser is content."""

import json
import os
import shutil
import subprocess

import pytest
import requests

from devenv import lint

# Types as a person makes them: lists of fields, dots in keys, umlauts in texts.
EXTRA = """
partner = env["ir.model"]._get_id("res.partner")
if not env["sync.event.type"].search([("name", "=", "e2e.partner_updated")]):
    env["sync.event.type"].create({
        "name": "e2e.partner_updated", "model_id": partner, "operation": "write",
        "description": "Größer & <kleiner>",
        "watched_field_ids": [(6, 0, [
            env["ir.model.fields"]._get("res.partner", "name").id])],
        "payload_line_ids": [(0, 0, {"key": key, "path": path}) for key, path in (
            ("name", "name"), ("address.city", "city"), ("since", "create_date"),
            ("contacts", "child_ids.name"), ("company", "is_company"))]})
    env.cr.commit()
result = env["sync.event.type"]._asyncapi()
"""


@pytest.fixture(scope="module")
def documents(world):
    """The catalogue's own document, and the one that is served."""
    catalogue = world.shell(EXTRA)
    served = requests.get(f"{world.url}/sync/v1/asyncapi.json", timeout=60).json()
    return {"catalogue": catalogue, "served": served}


@pytest.mark.parametrize("which", ["catalogue", "served"])
def test_the_reference_parser_is_content(which, documents, settings, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("no npm on this machine: left to CI, as the linters are")
    lint.install_node_packages(settings)
    file = tmp_path / "asyncapi.json"
    file.write_text(json.dumps(documents[which]))
    done = subprocess.run(
        ["node", settings.root / "devenv/asyncapi.cjs", file],
        env={
            **os.environ,
            "NODE_PATH": str(settings.state / "node" / "node_modules"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_active_type_is_described(documents, world):
    active = world.shell("result = env['sync.event.type'].search([]).mapped('name')")
    for document in documents.values():
        assert document["asyncapi"] == "3.1.0"
        messages = document["components"]["messages"].values()
        assert {message["name"] for message in messages} == set(active)
