# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncRequestRehearsal(models.TransientModel):
    """Shows what a call would be answered today."""

    _name = "sync.request.rehearsal"
    _description = "Rehearsal of an API Request"

    status = fields.Integer(readonly=True)
    body = fields.Text(readonly=True)

    @api.model
    def _show(self, status, body):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Repeated and undone"),
            "res_model": self._name,
            "res_id": self.create({"status": status, "body": body}).id,
            "views": [(False, "form")],
            "target": "new",
        }
