# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models

OPERATIONS = [
    ("read", "Read"),
    ("write", "Create and Change"),
    ("transition", "Run Transitions"),
]


class SyncCredentialScope(models.Model):
    """One thing a credential may do: an operation on a domain."""

    _name = "sync.credential.scope"
    _description = "Credential Scope"
    _order = "credential_id, domain_id, operation"
    _rec_names_search = ["domain_id"]

    credential_id = fields.Many2one(
        "sync.credential", required=True, ondelete="cascade", index=True
    )
    domain_id = fields.Many2one("sync.domain", required=True, ondelete="restrict")
    operation = fields.Selection(OPERATIONS, required=True)
    last_used_on = fields.Date("Last Used", readonly=True, copy=False)
    system_id = fields.Many2one(related="credential_id.system_id", store=True)
    company_id = fields.Many2one(related="credential_id.company_id", store=True)
    credential_state = fields.Selection(related="credential_id.state")

    _scope_unique = models.Constraint(
        "UNIQUE(credential_id, domain_id, operation)", "This scope is granted already."
    )

    @api.depends("domain_id", "operation")
    def _compute_display_name(self):
        for scope in self:
            scope.display_name = f"{scope.domain_id.code}:{scope.operation}"
