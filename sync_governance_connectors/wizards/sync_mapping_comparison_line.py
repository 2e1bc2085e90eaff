# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models

from odoo.addons.sync_governance_webhooks.tools import difference


class SyncMappingComparisonLine(models.TransientModel):
    """One message: its outcome today, and by the draft."""

    _name = "sync.mapping.comparison.line"
    _description = "Message Compared"
    _order = "id"
    _rec_name = "request_id"

    comparison_id = fields.Many2one(
        "sync.mapping.comparison", required=True, ondelete="cascade", index=True
    )
    request_id = fields.Many2one("sync.request", readonly=True, ondelete="cascade")
    event_id = fields.Char(related="request_id.event_id")
    received_at = fields.Datetime(related="request_id.create_date", string="Received")
    outcome = fields.Selection(
        [
            ("fails", "Newly fails"),
            ("body", "Other body"),
            ("reason", "Fails otherwise"),
            ("passes", "Newly passes"),
            ("same", "Same"),
        ],
        readonly=True,
    )
    before = fields.Text("In Force", readonly=True)
    after = fields.Text("Draft", readonly=True)
    difference = fields.Text(compute="_compute_difference")

    @api.depends("before", "after")
    def _compute_difference(self):
        for line in self:
            line.difference = difference.lines(line.before or "", line.after or "")
