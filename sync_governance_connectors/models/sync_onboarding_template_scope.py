# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models

from .sync_credential_scope import OPERATIONS


class SyncOnboardingTemplateScope(models.Model):
    """A scope that partners of a kind need, and no more."""

    _name = "sync.onboarding.template.scope"
    _description = "Scope of an Onboarding Template"
    _order = "template_id, domain_id, operation"

    template_id = fields.Many2one(
        "sync.onboarding.template", required=True, ondelete="cascade", index=True
    )
    domain_id = fields.Many2one("sync.domain", required=True, ondelete="cascade")
    operation = fields.Selection(OPERATIONS, required=True)

    _scope_unique = models.Constraint(
        "UNIQUE(template_id, domain_id, operation)", "The template has this scope."
    )

    @api.depends("domain_id", "operation")
    def _compute_display_name(self):
        for scope in self:
            scope.display_name = f"{scope.domain_id.code}:{scope.operation}"
