from odoo import fields, models


class SyncDeliveryAttempt(models.Model):
    """One request and its answer. Append-only: written by the dispatcher's SQL."""

    _name = "sync.delivery.attempt"
    _description = "Delivery Attempt"
    _order = "delivery_id, id"
    _rec_name = "number"
    _log_access = False

    delivery_id = fields.Many2one(
        "sync.delivery", required=True, readonly=True, ondelete="cascade", index=True
    )
    subscription_id = fields.Many2one(
        "sync.subscription", readonly=True, ondelete="cascade"
    )
    number = fields.Integer(readonly=True, aggregator=None)
    started_at = fields.Datetime(readonly=True)
    duration_ms = fields.Integer(
        string="Duration (ms)", readonly=True, aggregator="avg"
    )
    status_code = fields.Integer(string="Status", readonly=True, aggregator=None)
    verdict = fields.Selection(
        [
            ("delivered", "Delivered"),
            ("retry", "To be retried"),
            ("dead", "Refused for good"),
            ("gone", "Receiver gone"),
        ],
        readonly=True,
    )
    error_class = fields.Char(readonly=True)
    error = fields.Char(readonly=True)
    request_headers = fields.Text(readonly=True)
    request_size = fields.Integer(readonly=True, help="Bytes.")
    response_headers = fields.Text(readonly=True)
    response_body = fields.Text(
        readonly=True,
        groups="sync_governance_base.group_sync_integration_manager",
        help="The first 20 kB.",
    )
    response_shown = fields.Text(
        string="Answer (masked)",
        compute="_compute_response_shown",
        help="The first 20 kB, private values of the payload hidden.",
    )
    response_base64 = fields.Boolean(
        readonly=True, help="The answer was no text; it is shown in base64."
    )
    response_size = fields.Integer(readonly=True, help="Bytes.")
    node = fields.Char(readonly=True, help="The machine and process that sent it.")

    _time_idx = models.Index("(subscription_id, started_at)")

    def _compute_response_shown(self):
        for attempt in self:
            # sudo: the raw answer is for integration managers, this is its masked form
            raw = attempt.sudo().response_body
            attempt.response_shown = attempt.delivery_id.event_id._masked_text(raw)
