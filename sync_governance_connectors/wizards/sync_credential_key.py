# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncCredentialKey(models.TransientModel):
    """Shows a new key, once; and a new secret for webhooks, where one was made with it.

    They travel in the action's context only: the dialog is never saved, and the fields
    have no column.
    """

    _name = "sync.credential.key"
    _description = "Key of an API Credential"

    key = fields.Char(store=False, readonly=True)
    secret = fields.Char(string="Webhook Secret", store=False, readonly=True)
    res_model = fields.Char(store=False, readonly=True)

    @api.model
    def _show(self, key, record=None, secret=False):
        """Dialog that shows ``key``.

        :param key: or False, where a secret alone is shown
        :param record: what to open once it was copied
        :param secret: what the partner signs its webhooks with
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Copy this key now"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_key": key,
                "default_secret": secret,
                "default_res_model": record._name if record else False,
                "next_id": record.id if record else False,
            },
        }

    def action_continue(self):
        """Open what the key was issued for."""
        return {
            "type": "ir.actions.act_window",
            "res_model": self.env.context["default_res_model"],
            "res_id": self.env.context["next_id"],
            "views": [(False, "form")],
        }
