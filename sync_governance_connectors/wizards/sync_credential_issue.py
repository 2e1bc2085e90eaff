# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import timedelta

from odoo import api, fields, models


class SyncCredentialIssue(models.TransientModel):
    _name = "sync.credential.issue"
    _description = "Issue an API Credential"

    account_id = fields.Many2one(
        "sync.service.account", "Service Account", required=True
    )
    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, required=True
    )
    plan_id = fields.Many2one(
        "sync.plan",
        required=True,
        default=lambda self: self.env["sync.plan"].search([], limit=1),
    )
    days = fields.Integer("Valid for (days)", default=90, required=True)
    sandbox = fields.Boolean()
    allowed_networks = fields.Char("Allowed Addresses")
    read_domain_ids = fields.Many2many(
        "sync.domain", "sync_credential_issue_read_rel", string="May Read"
    )
    write_domain_ids = fields.Many2many(
        "sync.domain", "sync_credential_issue_write_rel", string="May Create and Change"
    )
    transition_domain_ids = fields.Many2many(
        "sync.domain",
        "sync_credential_issue_transition_rel",
        string="May Run Transitions",
    )

    _days_bounded = models.Constraint(
        "CHECK(days BETWEEN 1 AND 730)", "A key lives for 1 to 730 days."
    )

    @api.depends("account_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.account_id.name

    def action_issue(self):
        """Issue and show the key; it is pending unless a security officer issues it."""
        self.ensure_one()
        _credential, key = self.env["sync.credential"]._issue(
            self.account_id,
            self._scopes(),
            name=self.name,
            plan=self.plan_id,
            lifetime=timedelta(days=self.days),
            sandbox=self.sandbox,
            allowed_networks=self.allowed_networks,
        )
        return self.env["sync.credential.key"]._show(key)

    def _scopes(self):
        granted = (
            ("read", self.read_domain_ids),
            ("write", self.write_domain_ids),
            ("transition", self.transition_domain_ids),
        )
        return [
            f"{domain.code}:{operation}"
            for operation, domains in granted
            for domain in domains
        ]
