# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import UserError


class SyncPlan(models.Model):
    """How much a credential may ask of Odoo, or a system send by webhooks."""

    _name = "sync.plan"
    _description = "API Plan"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, help="Name of the policy in the RateLimit response headers."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    per_minute = fields.Integer(
        "Calls per Minute", default=600, help="Even rate. 0 means no limit."
    )
    burst = fields.Integer(default=100, help="Calls that may come at once.")
    per_day = fields.Integer("Calls per Day", help="Per day in UTC. 0 means no limit.")
    concurrency = fields.Integer(
        "Calls at the Same Time", default=16, help="0 means no limit."
    )
    max_body_kb = fields.Integer("Largest Body (kB)", default=1024, required=True)
    credential_count = fields.Integer(compute="_compute_credential_count")

    _code_unique = models.Constraint("UNIQUE(code)", "Another plan has this code.")
    _code_format = models.Constraint(
        "CHECK(code ~ '^[a-z][a-z0-9_-]{0,40}$')",
        "A plan's code starts with a small letter;"
        " small letters, digits, - and _ follow.",
    )
    _limits_positive = models.Constraint(
        "CHECK(per_minute >= 0 AND burst >= 1 AND per_day >= 0"
        " AND concurrency >= 0 AND max_body_kb BETWEEN 1 AND 16384)",
        "Limits are not negative, the burst is at least 1, a body at most 16 MB.",
    )

    def _compute_credential_count(self):
        groups = self.env["sync.credential"]._read_group(
            [("plan_id", "in", self.ids)], ["plan_id"], ["__count"]
        )
        counts = {plan.id: count for plan, count in groups}
        for plan in self:
            plan.credential_count = counts.get(plan.id, 0)

    @api.model
    def _of_hooks(self):
        """The plan of systems that have none of their own for their webhooks."""
        return self.env.ref("sync_governance_connectors.sync_plan_webhooks")

    @api.ondelete(at_uninstall=False)
    def _keep_that_of_hooks(self):
        if self._of_hooks() in self:
            raise UserError(
                self.env._("Systems without a plan for their webhooks have this one.")
            )

    def _columns(self):
        """The plan as the gate reads it, see ``caller.Allowance``."""
        self.ensure_one()
        names = ("per_minute", "burst", "per_day", "concurrency", "max_body_kb")
        return {"plan": self.code, **{name: self[name] for name in names}}
