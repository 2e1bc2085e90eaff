# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from base64 import b64decode

from odoo import fields, models


class SyncReconciliationStart(models.TransientModel):
    """Asks for the snapshot that a reconciliation compares with."""

    _name = "sync.reconciliation.start"
    _description = "Compare with a Snapshot"

    reconciliation_id = fields.Many2one("sync.reconciliation", required=True)
    system_id = fields.Many2one(related="reconciliation_id.system_id")
    document_format = fields.Selection(related="reconciliation_id.document_format")
    document = fields.Binary(string="Snapshot", required=True, attachment=False)
    document_name = fields.Char()

    def action_start(self):
        self.ensure_one()
        self.reconciliation_id.check_access("write")
        attachment = self.env["ir.attachment"]._sync_keep(
            self.document_name or self.reconciliation_id.name,
            b64decode(self.document),
        )
        return self.reconciliation_id._run(attachment)._open()
