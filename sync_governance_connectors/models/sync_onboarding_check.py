# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncOnboardingCheck(models.AbstractModel):
    """Role: something to be done before a partner is live, and how it is proven."""

    _name = "sync.onboarding.check"
    _description = "Role: an item of an onboarding checklist"
    _order = "stage_sequence, sequence, id"

    name = fields.Char(string="What", required=True, translate=True)
    sequence = fields.Integer(default=10)
    stage_id = fields.Many2one("sync.onboarding.stage", required=True, index=True)
    stage_sequence = fields.Integer(
        related="stage_id.sequence", store=True, string="Stage's Sequence"
    )
    required = fields.Boolean(
        default=True, help="The partner does not go live while it is open."
    )
    check = fields.Selection(
        "_selection_check",
        string="Proof",
        required=True,
        default="manual",
        help="What the system sees for itself, or that a person says so with a note.",
    )
    argument = fields.Char(
        string="Of What",
        help="Narrows the proof: the partner's event of a mapping or feed,"
        " resource.operation of a call (orders.create, orders.confirm), the type of a"
        " delivered event (order.*). Empty: any.",
    )
    hint = fields.Text(
        string="How", translate=True, help="What to do to get it done, for beginners."
    )

    @api.model
    def _selection_check(self):
        """The closed set of proofs: ``sync.onboarding.proof`` has a method for each."""
        return [
            ("manual", self.env._("A person says so")),
            ("contact", self.env._("Contact with an e-mail address")),
            ("account_rights", self.env._("Service account without further rights")),
            ("credential_test", self.env._("Test key is active")),
            ("credential_used", self.env._("Test key was used")),
            ("secret_set", self.env._("Webhook secret is set")),
            ("hook_received", self.env._("Webhook arrived and was verified")),
            ("mapping_active", self.env._("Mapping is active")),
            ("mapping_covered", self.env._("Mapping fills what the contract requires")),
            ("values_mapped", self.env._("No value waits for a translation")),
            ("remote_reached", self.env._("Remote was reached")),
            ("feed_run", self.env._("Feed ran without a fault")),
            ("request", self.env._("Scenario: a call was applied")),
            ("delivery", self.env._("Scenario: an event was delivered")),
            ("reconciled", self.env._("Reconciliation without open differences")),
            ("policy_active", self.env._("Policy is in force")),
            ("credential_live", self.env._("Live key is active")),
            ("live_request", self.env._("Live call was applied")),
        ]
