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
        string="Likely Match Id",
        required=True,
        readonly=True,
        index=True,
    )
    candidate_name = fields.Char(
        string="Likely Match", compute="_compute_candidate_name", compute_sudo=False
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

    @api.depends("model_name", "candidate_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_candidate_name(self):
        """The record's name for whom may read it; it may have been merged since."""
        for model_name, notes in self.grouped("model_name").items():
            readable = (
                self.env[model_name]
                .with_context(active_test=False)
                .search([("id", "in", notes.mapped("candidate_id"))])
            )
            names = {record.id: record.display_name for record in readable}
            for note in notes:
                note.candidate_name = names.get(
                    note.candidate_id, f"#{note.candidate_id}"
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

        :param probability: as :meth:`SyncDuplicateDoor.get_matches` told it, 0 to 1
        :raise UserError: created anyway without a reason, or nobody was warned
        """
        if not self.env.user._is_internal():
            raise AccessError(self.env._("Only who works here is told of duplicates."))
        if outcome not in ("used", "created"):
            raise UserError(self.env._("Unknown choice."))
        if outcome == "created" and not (reason or "").strip():
            raise UserError(self.env._("Tell why this is another one."))
        # Not a number is between nothing.
        if (
            self.env["sync.duplicate.rule"]._door(model_name).mode == "off"
            or not isinstance(probability, (int, float))
            or not 0 <= probability <= 1
        ):
            raise UserError(self.env._("Nobody was warned of this one."))
        candidate = self.env[model_name].browse(candidate_id)
        candidate.check_access("read")
        self._record(model_name, candidate.id, probability, outcome, reason)
        return True
