# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from fnmatch import fnmatchcase

from odoo import fields, models


class SyncReconciliationIgnore(models.Model):
    """Differences that are known and right: later runs count them, and no more."""

    _name = "sync.reconciliation.ignore"
    _description = "Ignore Rule"
    _order = "reconciliation_id, id"
    _rec_name = "reason"

    reconciliation_id = fields.Many2one(
        "sync.reconciliation", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True)
    kind = fields.Selection(
        selection=lambda self: self.env["sync.reconciliation.difference"]
        ._fields["kind"]
        ._description_selection(self.env),
        required=True,
    )
    member = fields.Char(help="Values: of this member alone. Empty: of any.")
    key_pattern = fields.Char(
        string="Ids",
        required=True,
        default="*",
        help="Of ids like this, such as TEST-*; * for all.",
    )
    reason = fields.Char(required=True)

    def _covers(self, kind, external_id, member):
        """Whether one of the rules is about such a difference."""
        return any(
            rule.kind == kind
            and rule.member in (False, "", member)
            and fnmatchcase(external_id, rule.key_pattern)
            for rule in self
        )
