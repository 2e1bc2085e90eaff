from odoo import api, fields, models
from odoo.exceptions import UserError


class SyncSodFinding(models.Model):
    """A user found to hold two duties that must be separate; accepted with a
    mitigation, or ended by taking one away.
    """

    _name = "sync.sod.finding"
    _description = "Segregation of Duties Finding"
    _inherit = ["mail.thread", "sync.life.cycle"]
    _order = "state desc, id desc"
    _rec_name = "user_id"
    _by_buttons = frozenset(
        {"rule_id", "user_id", "origin", "state", "found_at", "gone_at"}
    )

    rule_id = fields.Many2one(
        "sync.sod.rule", required=True, readonly=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade"
    )
    origin = fields.Text(readonly=True, help="The groups that give the two duties.")
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted"), ("gone", "Gone")],
        required=True,
        default="open",
        readonly=True,
        tracking=True,
    )
    mitigation = fields.Text(
        tracking=True,
        help="What keeps the risk small as long as the user holds both duties.",
    )
    found_at = fields.Datetime(default=fields.Datetime.now, readonly=True)
    gone_at = fields.Datetime(readonly=True)

    _live_uniq = models.UniqueIndex("(rule_id, user_id) WHERE state <> 'gone'")

    @api.constrains("state", "mitigation")
    def _check_mitigation(self):
        for finding in self.filtered(lambda finding: finding.state == "accepted"):
            if not (finding.mitigation or "").strip():
                raise UserError(
                    self.env._("Say how the risk is kept small before you accept it.")
                )

    def action_accept(self):
        """Accept the risk. Not for oneself."""
        for finding in self:
            if finding.user_id == self.env.user:
                raise UserError(
                    self.env._("Somebody else has to accept what you hold.")
                )
            finding._move_on({"state": "accepted"})
            self.env["sync.audit"]._log(
                "sod.accepted",
                finding,
                after={"user": finding.user_id.login, "rule": finding.rule_id.name},
                reason=finding.mitigation,
            )

    def action_reopen(self):
        accepted = self.filtered(lambda finding: finding.state == "accepted")
        accepted._move_on({"state": "open"})

    def _gone(self):
        self.write({"state": "gone", "gone_at": fields.Datetime.now()})
