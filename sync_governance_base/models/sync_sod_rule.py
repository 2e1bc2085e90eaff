from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SyncSodRule(models.Model):
    """Two duties that no user may hold together,
    neither directly nor through implied groups.
    """

    _name = "sync.sod.rule"
    _description = "Segregation of Duties Rule"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    first_group_id = fields.Many2one(
        "res.groups",
        string="First Duty",
        required=True,
        ondelete="cascade",
        tracking=True,
    )
    second_group_id = fields.Many2one(
        "res.groups",
        string="Second Duty",
        required=True,
        ondelete="cascade",
        tracking=True,
    )
    enforcement = fields.Selection(
        [("refuse", "Refuse the assignment"), ("report", "Report in the nightly scan")],
        required=True,
        default="refuse",
        tracking=True,
    )
    risk = fields.Text(
        translate=True, help="What one person with both duties could do."
    )
    finding_ids = fields.One2many("sync.sod.finding", "rule_id", string="Findings")

    _different_duties = models.Constraint(
        "CHECK(first_group_id <> second_group_id)",
        "A rule separates two different duties.",
    )

    @api.constrains("first_group_id", "second_group_id")
    def _check_not_implied(self):
        for rule in self:
            first, second = rule.first_group_id, rule.second_group_id
            if first in second.all_implied_ids or second in first.all_implied_ids:
                raise ValidationError(
                    self.env._(
                        "%(first)s and %(second)s cannot be separated: one of them "
                        "implies the other.",
                        first=first.full_name,
                        second=second.full_name,
                    )
                )

    @api.model
    def _violators(self, users=None):
        """Active users that hold both duties of a rule.

        :param users: look among these alone
        :return: ``{rule: users}``, rules without a violator left out
        """
        # sudo: the rules bind everybody, also those
        # who may not read them or the users concerned
        found = {}
        for rule in self.sudo():
            domain = Domain("all_group_ids", "in", rule.first_group_id.ids) & Domain(
                "all_group_ids", "in", rule.second_group_id.ids
            )
            if users is not None:
                domain &= Domain("id", "in", users.ids)
            if violators := self.env["res.users"].sudo().search(domain):
                found[rule] = violators
        return found

    @api.model
    def _enforce(self, users=None):
        """Refuse the change in hand if it gives one
        of the users two duties that must be separate.

        :raises ValidationError: names user, duties and risk
        """
        rules = self.sudo().search([("enforcement", "=", "refuse")])
        for rule, violators in rules._violators(users).items():
            # a finding that a security officer has accepted is an exception to the rule
            accepted = rule.finding_ids.filtered(
                lambda finding: finding.state == "accepted"
            ).user_id
            if offender := (violators - accepted)[:1]:
                raise ValidationError(rule._refusal(offender))

    def _refusal(self, user):
        return self.env._(
            "%(user)s would hold two duties that must be separate: %(first)s and "
            "%(second)s. %(risk)s",
            user=user.name,
            first=self.first_group_id.full_name,
            second=self.second_group_id.full_name,
            risk=self.risk or "",
        ).strip()

    @api.model
    def _cron_scan(self):
        """Record who holds two separate duties, and close the findings that are gone.

        Finds what enforcement cannot see: violations older than their rule, rules that
        only report, raw SQL.
        """
        rules = self.sudo().search([("active", "=", True)])
        findings = self.env["sync.sod.finding"].sudo()
        current = {
            (rule, user) for rule, users in rules._violators().items() for user in users
        }
        known = findings.search([("state", "!=", "gone")])
        known.filtered(
            lambda finding: (finding.rule_id, finding.user_id) not in current
        )._gone()
        new = current - {(finding.rule_id, finding.user_id) for finding in known}
        findings.create(
            [
                {
                    "rule_id": rule.id,
                    "user_id": user.id,
                    "origin": rule._origin_of(user),
                }
                for rule, user in sorted(new, key=lambda pair: (pair[0].id, pair[1].id))
            ]
        )
        self._report(findings.search_count([("state", "=", "open")]))

    def _origin_of(self, user):
        """How a user came to the two duties:
        the groups given directly that lead to each.
        """
        lines = []
        for duty in (self.first_group_id, self.second_group_id):
            direct = user.group_ids.filtered(
                lambda group, duty=duty: duty in group.all_implied_ids
            )
            lines.append(f"{duty.full_name} ← {', '.join(direct.mapped('full_name'))}")
        return "\n".join(lines)

    @api.model
    def _report(self, open_count):
        issues = self.env["sync.issue"]
        if not open_count:
            issues._recover(
                "sod", self.env._("The scan finds no open violation any more.")
            )
            return
        issues._raise(
            "sod",
            self.env._(
                "%(count)s violations of segregation of duties", count=open_count
            ),
            "access.sod",
            severity="error",
        )

    def action_scan(self):
        self.check_access("write")
        self._cron_scan()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_base.sync_sod_finding_action"
        )
