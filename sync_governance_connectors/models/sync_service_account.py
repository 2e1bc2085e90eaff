# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncServiceAccount(models.Model):
    _inherit = "sync.service.account"

    @api.model
    def _remind_reviews(self):
        """One issue for each account whose rights are due to be looked at again."""
        today = fields.Date.context_today(self)
        for account in self.search([("review_date", "<=", today)]):
            self.env["sync.issue"]._raise(
                account._review_fingerprint(),
                self.env._(
                    "Rights of %(account)s (%(system)s) are due for review",
                    account=account.name,
                    system=account.system_id.name,
                ),
                "credential_review",
                record=account,
                system=account.system_id,
                detail=self.env._(
                    "Take away scopes that nobody used, then set the next review date."
                ),
            )

    def write(self, vals):
        result = super().write(vals)
        if "review_date" in vals:
            today = fields.Date.context_today(self)
            for account in self.filtered(
                lambda one: not one.review_date or one.review_date > today
            ):
                self.env["sync.issue"]._recover(
                    account._review_fingerprint(),
                    self.env._("Reviewed; next on %s.", account.review_date or "-"),
                )
        return result

    def _review_fingerprint(self):
        return f"account-review:{self.id}"
