from odoo import fields, models


class SyncChangeRequestReject(models.TransientModel):
    """Asks why change requests are rejected, so that the requester learns it."""

    _name = "sync.change.request.reject"
    _description = "Reject Change Requests"

    request_ids = fields.Many2many("sync.change.request", required=True)
    reason = fields.Text(required=True)

    def action_reject(self):
        """Reject the requests and tell their requesters."""
        self.request_ids._reject(self.reason)
