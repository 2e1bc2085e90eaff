# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.fields import Command

from ..models.sync_system import MADE_BY_PARTNER

#: Domains whose records are documents: those of trials have to make room.
DOCUMENTS = ("order", "shipment", "invoice", "payment")


class SyncOnboardingLive(models.TransientModel):
    _name = "sync.onboarding.live"
    _description = "Take a Partner Live"

    onboarding_id = fields.Many2one("sync.onboarding", required=True, readonly=True)
    grants_key = fields.Boolean(compute="_compute_what_follows")
    renews_secret = fields.Boolean(compute="_compute_what_follows")
    wants_secret = fields.Boolean(compute="_compute_what_follows")
    line_ids = fields.One2many("sync.onboarding.live.line", "wizard_id", "Trial Data")

    @api.depends("onboarding_id")
    def _compute_what_follows(self):
        for wizard in self:
            system = wizard.onboarding_id.system_id
            theirs = system.inbound_strategy in MADE_BY_PARTNER
            wizard.grants_key = bool(wizard.onboarding_id.template_id.scope_ids)
            wizard.renews_secret = system.inbound_secret_set and not theirs
            wizard.wants_secret = system.inbound_secret_set and theirs

    @api.model
    def _open(self, onboarding):
        wizard = self.create(
            {
                "onboarding_id": onboarding.id,
                "line_ids": [
                    Command.create(values) for values in self._trial_data(onboarding)
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Take %s live", onboarding.name),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _trial_data(self, onboarding):
        """What is known by the partner's ids from its trials, by kind of record."""
        documents = self.env["sync.domain"].search([("code", "in", DOCUMENTS)])
        names = set(documents.model_ids.mapped("model"))
        lines = self.env["sync.onboarding.live.line"]
        trial_ids = lines._trial_ids(onboarding)
        return [
            {
                "res_model": name,
                "count": len(rows),
                "retire": name in names,
                **(lines._documents(rows) if name in names else {}),
            }
            for name, rows in trial_ids.grouped("res_model").items()
        ]

    def action_confirm(self):
        """Go live; then show the live key and secret, once."""
        self.ensure_one()
        onboarding = self.onboarding_id
        onboarding.check_access("write")
        renews = self.renews_secret  # asked before the one of the trials ends
        onboarding.system_id.action_go_live()
        self.line_ids._clear_away()
        secret = onboarding.system_id._set_inbound_secret() if renews else False
        if not self.grants_key and not secret:
            return onboarding._open()
        key = onboarding._issue_key(sandbox=False) if self.grants_key else False
        return self.env["sync.credential.key"]._show(key, onboarding, secret=secret)
