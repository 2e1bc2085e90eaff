# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..merge import RowRestorer


class SyncMergeUndo(models.TransientModel):
    """Asks once more before a merge is taken back, and tells what changed since."""

    _name = "sync.merge.undo"
    _description = "Undo a Merge"

    journal_id = fields.Many2one("sync.merge.journal", required=True, readonly=True)
    survivor_name = fields.Char(related="journal_id.survivor_name")
    retired_names = fields.Char(related="journal_id.retired_names")
    reversible_until = fields.Datetime(related="journal_id.reversible_until")
    changed_since = fields.Text(compute="_compute_changed_since")
    overwrite = fields.Boolean(
        string="Put those back too",
        help="Without it, what was changed since the merge stays as it is,"
        " with the survivor.",
    )
    not_duplicate = fields.Boolean(
        string="Remember that they are different",
        default=True,
        help="They are not suggested again unless a compared value changes.",
    )
    reason = fields.Char(required=True)

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        # what it tells of a merge is told to whom may undo it
        wizards.journal_id._check_undo_allowed()
        return wizards

    def write(self, vals):
        result = super().write(vals)
        self.journal_id._check_undo_allowed()
        return result

    @api.depends("journal_id")
    def _compute_changed_since(self):
        for wizard in self:
            wizard.changed_since = wizard._describe(
                # sudo: the row images are kept from
                # everybody, what changed is told in words
                RowRestorer(self.env, wizard.journal_id.sudo().changes).changed_since()
                if wizard.journal_id
                else []
            )

    @api.model
    def _describe(self, changed):
        models_by_table = {
            Model._table: Model
            for Model in self.env.registry.models.values()
            if not Model._abstract
        }
        lines = []
        for entry in changed:
            Model = models_by_table.get(entry["table"])
            lines.append(
                self.env._(
                    "%(what)s: %(columns)s of %(count)s records",
                    what=Model._description if Model else entry["table"],
                    columns=", ".join(entry["columns"]),
                    count=len(entry["ids"]),
                )
            )
        return "\n".join(lines)

    def action_undo(self):
        self.ensure_one()
        journal = self.journal_id
        journal._check_undo_allowed()
        self.env["sync.merge.service"]._undo(journal, self.reason, self.overwrite)
        journal._close_group(self.reason, self.not_duplicate)
        return journal.action_open_survivor()
