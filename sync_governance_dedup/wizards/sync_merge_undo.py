# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

#: Documents that are listed; what came before them stays with the survivor.
MOST_LISTED = 200


class SyncMergeUndo(models.TransientModel):
    """Asks once more before a merge is taken back: what changed and what came since is
    told line by line, and stays with the survivor unless the steward says otherwise."""

    _name = "sync.merge.undo"
    _description = "Undo a Merge"

    journal_id = fields.Many2one("sync.merge.journal", required=True, readonly=True)
    survivor_name = fields.Char(related="journal_id.survivor_name")
    retired_names = fields.Char(related="journal_id.retired_names")
    reversible_until = fields.Datetime(related="journal_id.reversible_until")
    change_ids = fields.One2many("sync.merge.undo.change", "wizard_id")
    addition_ids = fields.One2many("sync.merge.undo.addition", "wizard_id")
    unlisted_count = fields.Integer(readonly=True)
    gone_since = fields.Char(readonly=True)
    sealed_since = fields.Char(readonly=True)
    has_sealed = fields.Boolean(readonly=True)
    not_duplicate = fields.Boolean(
        string="Remember that they are different",
        default=True,
        help="They are not suggested again unless a compared value changes.",
    )
    reason = fields.Char()

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        # what it tells of a merge is told to whom may undo it
        wizards.journal_id._check_undo_allowed()
        for wizard in wizards:
            wizard._tell()
        return wizards

    def write(self, vals):
        result = super().write(vals)
        self.journal_id._check_undo_allowed()
        return result

    def _tell(self):
        service, journal = self.env["sync.merge.service"], self.journal_id
        additions = service._additions_since(journal)
        # sudo: the texts are the server's, only the decision on each is the steward's
        wizard = self.sudo()
        wizard.write(
            {
                "unlisted_count": len(additions[MOST_LISTED:]),
                "gone_since": service._gone_since(journal),
                "sealed_since": service._sealed_since(journal),
                "has_sealed": any(values["is_sealed"] for values in additions),
            }
        )
        parties = self.env["sync.merge.undo.party"].sudo()
        parties = parties.create(
            [
                {"wizard_id": self.id, "record_id": record_id, "name": name}
                for record_id, name in service._parties(journal)
            ]
        )
        wizard.change_ids = [
            fields.Command.create(values) for values in service._changes_since(journal)
        ]
        wizard.addition_ids = [
            fields.Command.create(dict(values, destination_id=parties[0].id))
            for values in additions[:MOST_LISTED]
        ]

    def action_undo(self):
        self.ensure_one()
        journal = self.journal_id
        journal._check_undo_allowed()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say what was wrong with the merge."))
        self.env["sync.merge.service"]._undo(
            journal, reason, self._put_back(), self._moves()
        )
        journal._close_group(reason, self.not_duplicate)
        if self.env.context.get("sync_undo_stays"):
            return {"type": "ir.actions.act_window_close"}
        return journal.action_open_survivor()

    def _put_back(self):
        # sudo: raw values, compared and not shown
        return {
            (line.table, row_id, line.column): line.now
            for line in self.sudo().change_ids.filtered("put_back")
            for row_id in line.row_ids
        }

    def _moves(self):
        return {
            line.key: line.destination_id.record_id
            for line in self.sudo().addition_ids
            if line.destination_id.record_id in self.journal_id.retired_ids
        }
