"""Six ways in, four modes, four kinds of writer: what happens, and who is on record."""

import xmlrpc.client
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged, test_cursor
from odoo.tools import mute_logger

from .common import OwnershipCase

# One field a mode, so that one policy covers them all.
MODES = {
    "observe": ("ref", "observed", True),
    "warn": ("phone", "warned", True),
    "propose": ("city", "proposed", False),
    "block": ("function", "blocked", False),
}
KINDS = ("user", "steward", "service", "superuser")


@tagged("post_install", "-at_install")
class TestMatrix(OwnershipCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.account.user_id
        cls.service.password = cls.service.login.ljust(8, "x")
        cls.users = {
            "user": cls.user,
            "steward": cls.steward,
            "service": cls.service,
            "superuser": cls.user,
        }
        names = [name for name, _outcome, _written in MODES.values()]
        cls.policy = cls._policy(dict.fromkeys(names, cls.finance), activate=False)
        for mode, (name, _outcome, _written) in MODES.items():
            line = cls.policy.line_ids.filtered(
                lambda one, name=name: one.field_name == name
            )
            line.enforcement = mode
        cls.policy.action_activate()
        cls.sudo_action = cls.env["ir.actions.server"].create(
            {
                "name": "Write with all rights",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "state": "code",
                "code": "record.sudo().write(env.context['t_values'])",
            }
        )

    def setUp(self):
        super().setUp()
        # test cursors forget what is to be done after a commit: keep our part of it
        commit = test_cursor.TestCursor.commit

        def commit_and_store(cursor):
            cursor.flush()
            hits = cursor.postrollback.data.get("sync_policy_hits")
            commit(cursor)
            if hits:
                self.env["sync.policy.hit"]._store_refused(hits)

        self.startPatcher(
            patch.object(test_cursor.TestCursor, "commit", commit_and_store)
        )

    # -- the ways in: each writes one field of one partner, as one kind of writer ------

    def _call(self, kind, partner, values):
        """Model, method, ids, positional arguments and context of the call to make."""
        if kind != "superuser":
            return "res.partner", "write", partner.ids, [values], {}
        context = {
            "active_model": "res.partner",
            "active_id": partner.id,
            "active_ids": partner.ids,
            "t_values": values,
        }
        return "ir.actions.server", "run", self.sudo_action.ids, [], context

    def _call_kw(self, route, params):
        """A call as the web client makes it; tells what its user would be told."""
        answer = self.url_open(
            route, json={"jsonrpc": "2.0", "id": 0, "params": params}
        ).json()
        if "error" in answer:
            raise UserError(answer["error"]["data"]["message"])
        return answer["result"]

    def _way_ui(self, kind, partner, values):
        login = self.users[kind].login
        self.authenticate(login, login)
        model, method, ids, arguments, context = self._call(kind, partner, values)
        self._call_kw(
            f"/web/dataset/call_kw/{model}/{method}",
            {
                "model": model,
                "method": method,
                "args": [ids, *arguments],
                "kwargs": {"context": context},
            },
        )

    def _way_rpc(self, kind, partner, values):
        user = self.users[kind]
        model, method, ids, arguments, context = self._call(kind, partner, values)
        self.xmlrpc_object.execute_kw(
            self.env.cr.dbname,
            user.id,
            user.login.ljust(8, "x"),  # as new_test_user makes it
            model,
            method,
            [ids, *arguments],
            {"context": context},
        )

    def _way_json2(self, kind, partner, values):
        expires = fields.Datetime.now() + timedelta(days=1)
        keys = self.env["res.users.apikeys"].with_user(self.users[kind]).sudo()
        key = keys._generate("rpc", "test", expires)
        model, method, ids, arguments, context = self._call(kind, partner, values)
        self.session = None
        response = self.url_open(
            f"/json/2/{model}/{method}",
            json={
                "ids": ids,
                "context": context,
                **({"vals": arguments[0]} if arguments else {}),
            },
            headers={"Authorization": f"bearer {key}"},
            cookies={},
        )
        if response.status_code != 200:
            raise UserError(response.json()["message"])

    def _way_import(self, kind, partner, values):
        ((name, value),) = values.items()
        if kind == "superuser":  # nobody imports with all rights but code
            loader = self.env["res.partner"].with_context(import_file=True)
            with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                result = loader.with_env(loader.env(cr=cr)).load(
                    [".id", name], [[str(partner.id), value]]
                )
        else:
            user = self.users[kind]
            self.authenticate(user.login, user.login)
            job = (
                self.env["base_import.import"]
                .with_user(user)
                .create(
                    {
                        "res_model": "res.partner",
                        "file": f".id,{name}\n{partner.id},{value}\n".encode(),
                        "file_type": "text/csv",
                        "file_name": "contacts.csv",
                    }
                )
            )
            options = {"has_headers": True, "quoting": '"', "separator": ","}
            result = self._call_kw(
                "/web/dataset/call_kw/base_import.import/execute_import",
                {
                    "model": "base_import.import",
                    "method": "execute_import",
                    "args": [job.ids, [".id", name], [], options],
                    "kwargs": {},
                },
            )
        errors = [
            message for message in result["messages"] if message["type"] == "error"
        ]
        if errors:
            raise UserError(errors[0]["message"])

    def _way_automation(self, kind, partner, values):
        ((name, value),) = values.items()
        user = self.env["res.users"].browse(SUPERUSER_ID)
        if kind != "superuser":
            user = self.users[kind]
        with self.registry.cursor() as cr:
            partners = partner.with_env(self.env(cr=cr)).with_user(user)
            partners.write({"street2": f"{name}={value}"})

    def _way_cron(self, kind, partner, values):
        user = SUPERUSER_ID if kind == "superuser" else self.users[kind].id
        cron = self.env["ir.cron"].create(
            {
                "name": f"Write as {kind}",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "code",
                "code": f"model.browse({partner.id}).write({values!r})",
                "user_id": user,
            }
        )
        self.env.flush_all()
        cron.method_direct_trigger()

    # -- the matrix --------------------------------------------------------------------

    def _row(self, way, channel, kinds=KINDS, always_superuser=False, failing=True):
        """Try all modes and kinds on one way in.

        :param always_superuser: the way itself runs with access rights off
        :param failing: a refusal reaches the caller
        """
        for kind in kinds:
            for mode, (name, outcome, written) in MODES.items():
                with self.subTest(way=channel, kind=kind, mode=mode):
                    superuser = always_superuser or kind == "superuser"
                    if superuser:
                        outcome, written = "observed", True
                    partner = self.env["res.partner"].create(
                        {"name": "Cell", name: "old"}
                    )
                    self.env["sync.policy.hit"].search([]).sudo().unlink()
                    self.env.flush_all()
                    try:
                        way(kind, partner, {name: "new"})
                        refused = False
                    except (UserError, xmlrpc.client.Fault) as error:
                        self.assertIn(
                            "Finance", str(getattr(error, "faultString", error))
                        )
                        refused = True
                    self.env.invalidate_all()
                    if failing:
                        self.assertEqual(refused, outcome == "blocked")
                    self.assertEqual(partner[name], "new" if written else "old")
                    self._check_source(kind, channel, name, outcome, superuser)
                    requests = self.env["sync.change.request"].search(
                        [("res_model", "=", "res.partner"), ("res_id", "=", partner.id)]
                    )
                    self.assertEqual(len(requests), outcome == "proposed")

    def _check_source(self, kind, channel, name, outcome, superuser):
        hit = self.env["sync.policy.hit"].search([("field_name", "=", name)])
        self.assertEqual(len(hit), 1, hit.read())
        self.assertEqual((hit.channel, hit.outcome), (channel, outcome))
        # an import tries a refused row a second time, alone
        self.assertIn(hit.count, (1, 2) if channel == "import" else (1,))
        self.assertEqual(hit.superuser, superuser)
        self.assertEqual(
            hit.system_id, self.shop if kind == "service" else hit.system_id.browse()
        )
        if kind != "superuser":
            self.assertEqual(hit.user_id, self.users[kind])

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.json2")
    def test_ui(self):
        self._row(self._way_ui, "ui")

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc")
    def test_rpc(self):
        self._row(self._way_rpc, "rpc")

    @mute_logger("odoo.http")
    def test_json2(self):
        if "rpc" not in self.registry._init_modules:
            self.skipTest("JSON-2 comes with the module rpc")
        self._row(self._way_json2, "json2")

    @mute_logger("odoo.http", "odoo.addons.base_import.models.base_import")
    def test_import(self):
        if "base_import.import" not in self.env:
            self.skipTest("imports come with the module base_import")
        self._row(self._way_import, "import")

    def test_cron(self):
        with mute_logger("odoo.addons.base.models.ir_cron"):
            self._row(self._way_cron, "cron", failing=False)

    def test_automation(self):
        if "base.automation" not in self.env:
            self.skipTest("automation rules come with the module base_automation")
        rule = self.env["base.automation"].create(
            {
                "name": "Write what the second street line says",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "trigger": "on_write",
                "trigger_field_ids": [
                    Command.link(
                        self.env["ir.model.fields"]._get("res.partner", "street2").id
                    )
                ],
            }
        )
        self.env["ir.actions.server"].create(
            {
                "name": "Write",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "code",
                "code": "name, value = record.street2.split('=')\n"
                "record.write({name: value})",
                "base_automation_id": rule.id,
                "usage": "base_automation",
            }
        )
        self._row(self._way_automation, "automation", always_superuser=True)

    def test_hooks_survive_automation_rules_coming_and_going(self):
        """base_automation replaces methods of the same classes, before or after us."""
        if "base.automation" not in self.env:
            self.skipTest("automation rules come with the module base_automation")
        rule = self.env["base.automation"].create(
            {
                "name": "Nothing",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "trigger": "on_write",
            }
        )
        hook = self.env["sync.write.hook"]
        hook._unregister_hook()
        hook._register_hook()  # now under a patch that was there first
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).function = "new"
        rule.unlink()
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).function = "new"
