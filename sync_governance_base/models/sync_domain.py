from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SyncDomain(models.Model):
    """A part of the business's facts with one accountable owner."""

    _name = "sync.domain"
    _description = "Data Domain"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _parent_store = True
    _order = "complete_name"
    _rec_name = "complete_name"

    name = fields.Char(required=True, translate=True)
    complete_name = fields.Char(
        compute="_compute_complete_name", recursive=True, store=True, string="Domain"
    )
    code = fields.Char(required=True, copy=False)
    active = fields.Boolean(default=True)
    parent_id = fields.Many2one(
        "sync.domain", string="Part of", ondelete="restrict", index=True
    )
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("sync.domain", "parent_id")
    owner_id = fields.Many2one(
        "res.users",
        tracking=True,
        help="Accountable for the domain's data.",
    )
    steward_ids = fields.Many2many(
        "res.users",
        string="Stewards",
        help="Decide about conflicts and change requests.",
    )
    team_id = fields.Many2one("sync.team", help="Works on the domain's issues.")
    model_ids = fields.Many2many(
        "ir.model",
        string="Models",
        domain=[("transient", "=", False), ("abstract", "=", False)],
    )
    criticality = fields.Selection(
        [("a", "A: stops business"), ("b", "B: hurts"), ("c", "C: can wait")],
        required=True,
        default="b",
        tracking=True,
    )
    review_date = fields.Date()
    note = fields.Html()
    policy_ids = fields.One2many("sync.policy", "domain_id")
    coverage_pct = fields.Float(
        string="Coverage",
        compute="_compute_coverage_pct",
        help="Governed fields with an owner in an active policy,"
        " in percent of the fields"
        " that any policy of the domain names.",
    )

    _code_unique = models.Constraint("UNIQUE(code)", "Another domain has this code.")

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for domain in self:
            parent = domain.parent_id.complete_name
            domain.complete_name = (
                f"{parent} / {domain.name}" if parent else domain.name
            )

    @api.depends("policy_ids.state", "policy_ids.line_ids.owner_system_id")
    def _compute_coverage_pct(self):
        for domain in self:
            lines = domain.policy_ids.filtered(
                lambda policy: policy.state != "superseded"
            ).line_ids
            governed = lines.field_id
            owned = lines.filtered(
                lambda line: line.policy_id.state == "active" and line.owner_system_id
            ).field_id
            domain.coverage_pct = (
                100.0 * len(owned) / len(governed) if governed else 0.0
            )

    @api.constrains("parent_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A domain cannot be a part of itself."))

    @api.model
    def _of_model(self, model_name: str):
        """The domain that a model belongs to; of several, the most critical one."""
        return self.search(
            [("model_ids.model", "=", model_name)], order="criticality, id", limit=1
        )
