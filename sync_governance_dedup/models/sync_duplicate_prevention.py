# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class SyncDuplicatePrevention(models.Model):
    """What somebody did at the door when told that a record is probably there already.

    A ledger: it measures how many duplicates were
    prevented, and keeps the reasons of those who went on.
    """

    _name = "sync.duplicate.prevention"
    _description = "Duplicate at the Door"
    _order = "id desc"
    _rec_name = "outcome"

    model_name = fields.Char(required=True, readonly=True)
    candidate_id = fields.Many2oneReference(
        model_field="model_name",
        string="Likely Match",
        required=True,
        readonly=True,
        index=True,
    )
    probability = fields.Float(digits=(6, 4), readonly=True, aggregator="avg")
    outcome = fields.Selection(
        [
            ("used", "Used the existing one"),
            ("created", "Created or kept anyway"),
            ("refused", "Refused at the API"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    reason = fields.Char(readonly=True)
    system_id = fields.Many2one("sync.system", readonly=True, index="btree_not_null")
    company_id = fields.Many2one(
        "res.company", readonly=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.uid
    )

    @api.model
    def _record(self, model_name, candidate_id, probability, outcome, reason=None):
        """Note what became of a warning, attributed to the current source."""
        source = self.env["sync.system"]._current_source()
        # sudo: a ledger that nobody writes through RPC
        return self.sudo().create(
            {
                "model_name": model_name,
                "candidate_id": candidate_id,
                "probability": probability,
                "outcome": outcome,
                "reason": reason,
                "system_id": source.system_id,
            }
        )

    @api.model
    def note_choice(self, model_name, candidate_id, probability, outcome, reason=None):
        """The form's buttons "use this one" and "create anyway".

        :raise UserError: created anyway without a reason
        """
        if not self.env.user._is_internal():
            raise AccessError(self.env._("Only who works here is told of duplicates."))
        if outcome not in ("used", "created"):
            raise UserError(self.env._("Unknown choice."))
        if outcome == "created" and not (reason or "").strip():
            raise UserError(self.env._("Tell why this is another one."))
        candidate = self.env[model_name].browse(candidate_id)
        candidate.check_access("read")
        self._record(model_name, candidate.id, float(probability), outcome, reason)
        return True
