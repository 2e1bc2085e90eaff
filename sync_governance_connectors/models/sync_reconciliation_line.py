# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.reconcile import Comparison, comparable


class SyncReconciliationLine(models.Model):
    """One member that a reconciliation compares, and how exactly."""

    _name = "sync.reconciliation.line"
    _description = "Compared Member"
    _order = "reconciliation_id, id"
    _rec_name = "path"

    reconciliation_id = fields.Many2one(
        "sync.reconciliation", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True)
    path = fields.Char(string="Member", required=True)
    tolerance = fields.Selection(
        [
            ("exact", "The same"),
            ("numeric", "The same number"),
            ("text", "The same words"),
            ("days", "About the same day"),
        ],
        required=True,
        default="exact",
        help="The same words: case, width and kinds of blanks do not matter.",
    )
    margin = fields.Float(
        digits=(12, 4),
        help="Numbers: the largest difference that does not matter. Days: likewise.",
    )

    _path_unique = models.Constraint(
        "UNIQUE(reconciliation_id, path)", "Each member is compared once."
    )
    _margin_positive = models.Constraint(
        "CHECK(margin >= 0)", "A margin is not negative."
    )

    @api.constrains("path", "reconciliation_id")
    def _check_path(self):
        for line in self:
            known = [
                member.path
                for member in line.reconciliation_id._resource()._members()
                if comparable(member)
            ]
            if line.path not in known:
                raise ValidationError(
                    self.env._(
                        "%(path)s cannot be compared. These can: %(known)s.",
                        path=line.path,
                        known=", ".join(known),
                    )
                )

    def _comparison(self):
        return Comparison(self.path, self.tolerance, Decimal(str(self.margin)))
