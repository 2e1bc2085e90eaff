from odoo import fields, models


class SyncTeam(models.Model):
    """People who share the work on issues; the next
    task goes to whoever has the fewest open ones.
    """

    _name = "sync.team"
    _description = "Sync Team"
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    leader_id = fields.Many2one("res.users", help="Takes over what nobody else can.")
    member_ids = fields.Many2many("res.users", string="Members")
    company_id = fields.Many2one("res.company", help="Empty: works for all companies.")
    issue_ids = fields.One2many("sync.issue", "team_id", string="Issues")
    open_issue_count = fields.Integer(compute="_compute_open_issue_count")

    def _compute_open_issue_count(self):
        counts = dict(
            self.env["sync.issue"]._read_group(
                [("team_id", "in", self.ids), ("state", "!=", "resolved")],
                ["team_id"],
                ["__count"],
            )
        )
        for team in self:
            team.open_issue_count = counts.get(team, 0)

    def _next_assignee(self):
        """The member with the fewest open issues, the first by id among equals; the
        leader of an empty team.
        """
        self.ensure_one()
        members = self.member_ids.filtered("active")
        # sudo: the load of the team includes issues
        # of companies the current user does not see
        load = dict(
            self.env["sync.issue"]
            .sudo()
            ._read_group(
                [("user_id", "in", members.ids), ("state", "!=", "resolved")],
                ["user_id"],
                ["__count"],
            )
        )
        return min(
            members,
            key=lambda user: (load.get(user, 0), user.id),
            default=self.leader_id,
        )

    def action_open_issues(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_base.sync_issue_action"
        )
        return dict(
            action,
            domain=[("team_id", "=", self.id)],
            context={"search_default_open": 1},
        )
