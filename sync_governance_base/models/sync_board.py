from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SyncBoard(models.Model):
    """People who decide together about the contracts of some domains."""

    _name = "sync.board"
    _description = "Governance Board"
    _inherit = ["mail.thread"]
    _order = "name"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    domain_ids = fields.Many2many("sync.domain", string="Domains")
    member_ids = fields.Many2many("res.users", string="Members")
    quorum = fields.Integer(
        default=2,
        required=True,
        tracking=True,
        help="Approvals that a compatible change needs. A breaking one needs every "
        "member's.",
    )
    fast_track = fields.Boolean(
        tracking=True, help="One approval is enough for a compatible change."
    )

    _quorum_positive = models.Constraint(
        "CHECK(quorum > 0)", "A quorum is at least one."
    )

    @api.constrains("member_ids", "quorum")
    def _check_quorum(self):
        for board in self:
            if board.quorum > len(board.member_ids):
                raise ValidationError(
                    self.env._(
                        "%(board)s has %(members)s members and can never reach a "
                        "quorum of %(quorum)s.",
                        board=board.name,
                        members=len(board.member_ids),
                        quorum=board.quorum,
                    )
                )

    @api.constrains("member_ids")
    def _check_members(self):
        for member in self.member_ids:
            if not member.has_group("sync_governance_base.group_sync_board_member"):
                raise ValidationError(
                    self.env._(
                        "%(user)s is not in the group Board Member.", user=member.name
                    )
                )

    def _voters(self, authors):
        """Members who may vote: not on what they wrote themselves."""
        return self.member_ids.filtered("active") - authors

    def _approvals_needed(self, authors, breaking):
        """How many of the voters have to approve."""
        voters = len(self._voters(authors))
        if breaking:
            return max(voters, 1)
        return 1 if self.fast_track else min(self.quorum, max(voters, 1))
