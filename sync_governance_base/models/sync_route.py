from odoo import api, fields, models

from .sync_issue import SEVERITIES


class SyncRoute(models.Model):
    """Which team an issue goes to: the first route, in order, whose conditions all
    hold. An empty condition holds.
    """

    _name = "sync.route"
    _description = "Issue Route"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company")
    domain_id = fields.Many2one("sync.domain", ondelete="cascade")
    system_id = fields.Many2one("sync.system", ondelete="cascade")
    kind = fields.Char(
        help="Kind of issue, or its beginning: delivery takes delivery.dead and "
        "delivery.late."
    )
    min_severity = fields.Selection(SEVERITIES, string="From Severity")
    team_id = fields.Many2one(
        "sync.team", required=True, ondelete="cascade", check_company=True
    )
    response_days = fields.Integer(default=0, help="Days until the activity is due.")

    _response_days_positive = models.Constraint(
        "CHECK(response_days >= 0)", "A response time cannot be negative."
    )

    @api.depends("domain_id", "system_id", "kind", "min_severity", "team_id")
    def _compute_name(self):
        severities = dict(self._fields["min_severity"]._description_selection(self.env))
        for route in self:
            conditions = [
                route.domain_id.name,
                route.system_id.name,
                route.kind,
                severities.get(route.min_severity),
            ]
            conditions = ", ".join(filter(None, conditions)) or self.env._("everything")
            route.name = f"{conditions} → {route.team_id.name or ''}"

    @api.model
    def _route(self, issue):
        """The route of an issue, or an empty one."""
        # sudo: routing is configuration that the user
        # whose action raised the issue may not read
        routes = self.sudo().search(
            [("company_id", "in", (False, issue.company_id.id))]
        )
        return next((route for route in routes if route._takes(issue)), self.sudo())

    def _takes(self, issue):
        ranks = [key for key, _label in SEVERITIES]
        return (
            self.domain_id in (self.domain_id.browse(), issue.domain_id)
            and self.system_id in (self.system_id.browse(), issue.system_id)
            and (not self.kind or f"{issue.kind}.".startswith(f"{self.kind}."))
            and (
                not self.min_severity
                or ranks.index(issue.severity) >= ranks.index(self.min_severity)
            )
        )
