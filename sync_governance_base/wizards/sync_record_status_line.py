from odoo import fields, models


class SyncRecordStatusLine(models.TransientModel):
    """A governed field of the record."""

    _name = "sync.record.status.line"
    _description = "Governed Field of a Record"
    _order = "field_label"

    status_id = fields.Many2one("sync.record.status", required=True, ondelete="cascade")
    field_label = fields.Char(string="Field", readonly=True)
    value_display = fields.Char(string="Value", readonly=True)
    owner_system_id = fields.Many2one("sync.system", string="Owner", readonly=True)
    enforcement = fields.Selection(
        lambda self: self.env["sync.policy"]._fields["enforcement"].selection,
        readonly=True,
    )
    last_changes = fields.Char(readonly=True, help="When each system last wrote it.")
