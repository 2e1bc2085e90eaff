# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.fields import Command

#: Domains whose records are documents: those of trials have to make room.
DOCUMENTS = ("order", "shipment", "invoice", "payment")


class SyncOnboardingLive(models.TransientModel):
    _name = "sync.onboarding.live"
    _description = "Take a Partner Live"

    onboarding_id = fields.Many2one("sync.onboarding", required=True, readonly=True)
    grants_key = fields.Boolean(compute="_compute_grants_key")
    line_ids = fields.One2many("sync.onboarding.live.line", "wizard_id", "Trial Data")

    @api.depends("onboarding_id")
    def _compute_grants_key(self):
        for wizard in self:
            wizard.grants_key = bool(wizard.onboarding_id.template_id.scope_ids)

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
        groups = self._trial_ids(onboarding)._read_group(
            [
                ("system_id", "=", onboarding.system_id.id),
                ("state", "=", "active"),
            ],
            ["res_model"],
            ["__count"],
        )
        documents = self.env["sync.domain"].search([("code", "in", DOCUMENTS)])
        names = set(documents.model_ids.mapped("model"))
        return [
            {"res_model": name, "count": count, "retire": name in names}
            for name, count in groups
        ]

    def _trial_ids(self, onboarding):
        # sudo: stewards edit ids one by one; here those of all trials end together
        return self.env["sync.crosswalk"].sudo()

    def action_confirm(self):
        """Go live; then show the live key, once."""
        self.ensure_one()
        onboarding = self.onboarding_id
        onboarding.check_access("write")
        onboarding.system_id.action_go_live()
        self._retire_trial_data(onboarding)
        if not self.grants_key:
            return onboarding._open()
        key = onboarding._issue_key(sandbox=False)
        return self.env["sync.credential.key"]._show(key, onboarding)

    def _retire_trial_data(self, onboarding):
        """The partner may use the same numbers again, for real records."""
        for line in self.line_ids.filtered("retire"):
            self._trial_ids(onboarding).search(
                [
                    ("system_id", "=", onboarding.system_id.id),
                    ("res_model", "=", line.res_model),
                    ("state", "=", "active"),
                ]
            )._retire_rows(self.env._("Trial data"))
