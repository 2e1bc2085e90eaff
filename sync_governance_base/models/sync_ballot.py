from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SyncBallot(models.Model):
    """One member's vote on one version, cast once and never changed."""

    _name = "sync.ballot"
    _description = "Ballot"
    _order = "version_id, round desc, id"
    _rec_name = "member_id"

    version_id = fields.Many2one(
        "sync.contract.version",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    round = fields.Integer(
        readonly=True, help="A version that was turned down is voted on anew."
    )
    member_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    vote = fields.Selection(
        [("approve", "Approve"), ("reject", "Reject")], required=True
    )
    comment = fields.Text(help="A rejection needs one.")
    cast_at = fields.Datetime(readonly=True, default=fields.Datetime.now)

    _one_vote_uniq = models.UniqueIndex(
        "(version_id, member_id, round)", "You have voted on this version already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        versions = self.env["sync.contract.version"]
        for vals in vals_list:
            version = versions.browse(vals.get("version_id"))
            vals.update(
                member_id=self.env.uid,
                round=version.sudo().round,
                cast_at=fields.Datetime.now(),
            )
        ballots = super().create(vals_list)
        for ballot in ballots:
            self.env["sync.audit"]._log(
                "contract.voted",
                ballot.version_id,
                after={"vote": ballot.vote, "version": ballot.version_id.display_name},
                reason=ballot.comment,
            )
        # sudo: the count may end the review, which no member could do alone
        ballots.version_id.sudo()._tally()
        return ballots

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("A ballot that was cast cannot be changed."))

    @api.constrains("version_id", "member_id")
    def _check_right_to_vote(self):
        for ballot in self:
            version = ballot.version_id.sudo()
            if version.state != "in_review":
                raise ValidationError(
                    self.env._(
                        "%(version)s is not under review.", version=version.display_name
                    )
                )
            if ballot.member_id in version.author_ids:
                raise ValidationError(
                    self.env._("Authors do not vote on their own work.")
                )
            if ballot.member_id not in version.contract_id.board_id.member_ids:
                raise ValidationError(
                    self.env._(
                        "Only members of %(board)s vote on this contract.",
                        board=version.contract_id.board_id.name,
                    )
                )

    @api.constrains("vote", "comment")
    def _check_comment(self):
        for ballot in self:
            if ballot.vote == "reject" and not (ballot.comment or "").strip():
                raise ValidationError(self.env._("Say why you reject it."))
