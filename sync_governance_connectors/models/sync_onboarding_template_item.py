# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SyncOnboardingTemplateItem(models.Model):
    """An item that checklists begin with: those of a template, or all."""

    _name = "sync.onboarding.template.item"
    _inherit = ["sync.onboarding.check"]
    _description = "Item of an Onboarding Template"

    template_id = fields.Many2one(
        "sync.onboarding.template",
        ondelete="cascade",
        index=True,
        help="Empty: an item of every checklist, wherever it applies.",
    )

    def _applies_to(self, template):
        """Whether it makes sense: without scopes there is no key to be tried."""
        return bool(template.scope_ids) or not self.check.startswith("credential_")

    def _to_item(self):
        """Values of the item of one partner."""
        return {
            "name": self.name,
            "sequence": self.sequence,
            "stage_id": self.stage_id.id,
            "required": self.required,
            "check": self.check,
            "argument": self.argument,
            "hint": self.hint,
        }
