# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import re

from odoo import api, fields, models


class SyncOnboardingStart(models.TransientModel):
    _name = "sync.onboarding.start"
    _description = "Onboard a Partner"

    name = fields.Char(string="Partner", required=True)
    code = fields.Char(
        compute="_compute_code",
        store=True,
        readonly=False,
        required=True,
        help="Short name used in addresses and messages: small letters, digits and _.",
    )
    template_id = fields.Many2one(
        "sync.onboarding.template", required=True, string="Kind of Partner"
    )
    purpose = fields.Text(related="template_id.purpose")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    target = fields.Selection(
        lambda self: self.env["sync.onboarding"]._fields["target"].selection,
        string="Environment",
        required=True,
        default="live",
        help="Every partner begins with trials. One for trials only never goes live.",
    )
    contact_id = fields.Many2one("res.partner", string="Partner's Contact")
    url = fields.Char(
        string="Address for Events",
        help="Where the partner wants our events, such as"
        " https://partner.example/hooks. Can be given later.",
    )

    @api.depends("name")
    def _compute_code(self):
        for wizard in self:
            words = re.sub(r"[^a-z0-9]+", "_", (wizard.name or "").lower()).strip("_")
            if words and not words[0].isalpha():
                words = f"p_{words}"
            wizard.code = words[:31]

    def action_launch(self):
        """Create what the partner needs, and show its test key, once."""
        self.ensure_one()
        onboarding, key = self.env["sync.onboarding"]._launch(
            self.template_id,
            self.name,
            self.code,
            self.company_id,
            target=self.target,
            contact=self.contact_id,
            url=self.url,
        )
        if not key:
            return onboarding._open()
        return self.env["sync.credential.key"]._show(key, onboarding)
