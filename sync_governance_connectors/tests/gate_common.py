# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from datetime import datetime, timezone
from unittest.mock import Mock, patch

from odoo.orm.model_classes import add_to_registry
from odoo.tests.common import HttpCase

from ..models import sync_gate, sync_gate_oauth
from .fake_resource import FakeResource


class GateCase(HttpCase):
    """A system ``shop`` with a key for the fake resource, called over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._register_fake_resource()
        cls.domain = cls.env["sync.domain"].create({"name": "Tag", "code": "tag"})
        cls.plan = cls.env["sync.plan"].create(
            {"name": "Test", "code": "test", "per_minute": 6000, "burst": 1000}
        )
        cls.system = cls._make_system("gate_shop")
        cls.credential, cls.key = cls._issue(cls.system, ["tag:*"])

    @classmethod
    def _register_fake_resource(cls):
        registry = cls.registry
        add_to_registry(registry, FakeResource)
        registry._setup_models__(cls.env.cr, [FakeResource._name])
        registry.clear_cache()
        cls.addClassCleanup(cls._unregister_fake_resource)

    @classmethod
    def _unregister_fake_resource(cls):
        registry = cls.registry
        registry["sync.resource"]._inherit_children.discard(FakeResource._name)
        del registry.models[FakeResource._name]
        registry.clear_cache()

    @classmethod
    def _make_system(cls, code):
        return cls.env["sync.system"].create(
            {"name": code, "code": code, "kind": "shop", "state": "live"}
        )

    @classmethod
    def _issue(cls, system, scopes, **values):
        account = system.service_account_ids[:1] or cls.env[
            "sync.service.account"
        ]._create_for(system, "tests")
        return cls.env["sync.credential"]._issue(
            account, scopes, **{"plan": cls.plan, **values}
        )

    def call(self, method, path, body=None, key=None, token=None, **headers):
        """One HTTP call. ``headers`` in snake case; ``raw`` sends bytes as they are."""
        raw = headers.pop("raw", None)
        sent = {
            "Authorization": f"Bearer {token or self.key}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None and "content-type" not in map(str.lower, sent):
            patch_type = "application/merge-patch+json"
            sent["Content-Type"] = (
                patch_type if method == "PATCH" else "application/json"
            )
        return self.url_open(f"/sync/v1{path}", data=raw, method=method, headers=sent)

    def stop_the_clock(self):
        """The gate's time stands still, so that no count depends on how fast the test
        runs."""
        clock = Mock(wraps=datetime)
        clock.now.return_value = datetime.now(timezone.utc)
        for module in (sync_gate, sync_gate_oauth):
            self.startPatcher(patch.object(module, "datetime", clock))

    def create_tag(self, external_id="T-1", name="Gold", **values):
        body = {"external_id": external_id, "name": name, **values}
        response = self.call("POST", "/tags", body, key=f"create-{external_id}")
        self.assertEqual(response.status_code, 201, response.text)
        return response

    def assert_problem(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/problem+json")
        document = response.json()
        self.assertEqual(document["code"], code)
        self.assertEqual(document["status"], status)
        self.assertTrue(
            {"type", "title", "detail", "instance", "errors"} <= document.keys()
        )
        self.assertNotIn("Traceback", response.text)
        return document

    def tags(self, name):
        return self.env["res.partner.category"].search([("name", "=", name)])

    def last_request(self):
        return self.env["sync.request"].search([], limit=1)

    def muted(self):
        """Silence the log of a crash that a test provokes."""
        return patch("odoo.addons.sync_governance_connectors.models.sync_gate._logger")
