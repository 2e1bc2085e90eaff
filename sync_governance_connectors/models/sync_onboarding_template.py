# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

#: What a system has and a partner gets a copy of, in this order: later ones may name
#: earlier ones.
PARTS = (
    "sync.remote",
    "sync.value.map",
    "sync.mapping",
    "sync.feed",
    "sync.subscription",
    "sync.reconciliation",
)


class SyncOnboardingTemplate(models.Model):
    """What partners of a kind begin with.

    The pattern is an ordinary system, archived so that nothing is exchanged with it:
    its mappings, value maps, remotes, feeds, subscriptions and reconciliations are
    edited on their own screens and copied for each new partner. Nothing is described
    a second time.
    """

    _name = "sync.onboarding.template"
    _description = "Onboarding Template"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    purpose = fields.Text(translate=True, help="Which partners it is for.")
    system_id = fields.Many2one(
        "sync.system",
        string="Pattern",
        required=True,
        ondelete="restrict",
        domain="[('code', '!=', 'odoo')]",
        context={"active_test": False},
        help="An archived system. What it has is copied for each new partner: kind,"
        " way of verification, mappings, value maps, remotes, feeds, subscriptions and"
        " reconciliations.",
    )
    kind = fields.Selection(related="system_id.kind", store=True)
    plan_id = fields.Many2one(
        "sync.plan", help="How much the partner may ask. Empty: the usual plan."
    )
    scope_ids = fields.One2many(
        "sync.onboarding.template.scope",
        "template_id",
        string="Scopes",
        copy=True,
        help="What the partner's key opens. None: the partner gets no key.",
    )
    domain_template_ids = fields.Many2many(
        "sync.domain.template",
        string="Owned Domains",
        help="Policies are drafted in which the partner owns the fields of these.",
    )
    item_ids = fields.One2many(
        "sync.onboarding.template.item", "template_id", string="Checklist", copy=True
    )
    common_item_ids = fields.Many2many(
        "sync.onboarding.template.item",
        string="In Every Checklist",
        compute="_compute_common_item_ids",
    )
    onboarding_count = fields.Integer(
        string="Partners", compute="_compute_onboarding_count"
    )

    @api.depends("scope_ids")
    def _compute_common_item_ids(self):
        common = self.env["sync.onboarding.template.item"].search(
            [("template_id", "=", False)]
        )
        for template in self:
            template.common_item_ids = common.filtered(
                lambda item, template=template: item._applies_to(template)
            )

    def _compute_onboarding_count(self):
        counts = dict(
            self.env["sync.onboarding"]._read_group(
                [("template_id", "in", self.ids)], ["template_id"], ["__count"]
            )
        )
        for template in self:
            template.onboarding_count = counts.get(template, 0)

    def _checklist(self):
        """Values of all items that a partner begins with."""
        return [item._to_item() for item in self.common_item_ids | self.item_ids]

    # -- copies of the pattern -------------------------------------------------------

    def _copy_parts(self, system):
        """What the pattern has, for a new system: everything at rest, for trials.

        The one who launches need not have the rights of the one who wrote the pattern,
        such as to read the records that a feed's scope is about: nothing of it is
        theirs to choose.

        :return: ``{record of the pattern: its copy}``
        """
        copies = {}
        for model_name in PARTS:
            parts = (
                self.env[model_name]
                .with_context(active_test=False)
                .search([("system_id", "=", self.system_id.id)])
            )
            for part in parts:
                author = part.with_user(SUPERUSER_ID)
                copied = author.copy(self._part_values(part, system, copies))
                copies[part] = copied.with_env(self.env)
        return copies

    def _part_values(self, part, system, copies):
        """What a copy has otherwise than its pattern."""
        values = {"system_id": system.id}
        names = part._fields
        if "active" in names:
            values["active"] = True
        if "name" in names:
            values["name"] = f"{system.name}: {part.name}"
        if part._name == "sync.mapping":
            values["sample"] = part.sample
        elif part._name == "sync.subscription":
            values |= {"environment": "test", "company_id": system.company_id.id}
        for name in ("remote_id", "feed_id"):
            if name in names and part[name]:
                values[name] = copies[part[name]].id
        return values

    # -- actions ---------------------------------------------------------------------

    def action_open_partners(self):
        """The partners that began with it."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_onboarding_action"
        )
        return {**action, "domain": [("template_id", "in", self.ids)], "context": {}}

    def action_open_parts(self):
        """What the pattern has of one kind, which the context names."""
        self.ensure_one()
        model_name = self.env.context["part"]
        if model_name not in PARTS:
            raise UserError(self.env._("%s is no part of a pattern.", model_name))
        return {
            "type": "ir.actions.act_window",
            "name": self.system_id.name,
            "res_model": model_name,
            "views": [(False, "list"), (False, "form")],
            "domain": [("system_id", "=", self.system_id.id)],
            "context": {"active_test": False, "default_system_id": self.system_id.id},
        }
