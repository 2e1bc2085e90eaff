from datetime import timedelta

from odoo import fields, models


class SyncIssueDecide(models.TransientModel):
    """Asks for the reason to snooze or resolve issues."""

    _name = "sync.issue.decide"
    _description = "Snooze or Resolve Issues"

    issue_ids = fields.Many2many("sync.issue", required=True)
    decision = fields.Selection(
        [("snooze", "Snooze"), ("resolve", "Resolve")], required=True
    )
    reason = fields.Text(required=True)
    until = fields.Datetime(
        default=lambda self: fields.Datetime.now() + timedelta(hours=4)
    )

    def action_confirm(self):
        self.ensure_one()
        if self.decision == "snooze":
            self.issue_ids._snooze(self.until, self.reason)
        else:
            self.issue_ids._resolve(self.reason)
        return {"type": "ir.actions.act_window_close"}
