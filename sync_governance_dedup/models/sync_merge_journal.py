# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError


class SyncMergeJournal(models.Model):
    """What a merge did, row by row: enough to explain it and to take it back.

    A ledger: written by :meth:`SyncMergeService._merge`, never through RPC.
    """

    _name = "sync.merge.journal"
    _description = "Merge Journal"
    _order = "id desc"
    _rec_name = "ref"

    ref = fields.Char(string="Reference", required=True, readonly=True, index=True)
    model_name = fields.Char(required=True, readonly=True)
    survivor_id = fields.Many2oneReference(
        model_field="model_name", required=True, readonly=True, index=True
    )
    survivor_name = fields.Char(readonly=True)
    retired_ids = fields.Json(
        readonly=True, help="Ids of the records that were merged away."
    )
    retired_names = fields.Char(readonly=True)
    company_ids = fields.Many2many(
        "res.company",
        "sync_merge_journal_company_rel",
        readonly=True,
        help="Companies of the merged records; decides who sees the merge.",
    )
    group_id = fields.Many2one(
        "sync.duplicate.group", ondelete="set null", readonly=True
    )
    rule_id = fields.Many2one("sync.duplicate.rule", ondelete="set null", readonly=True)
    reason = fields.Char(readonly=True)
    is_automatic = fields.Boolean(readonly=True)
    changes = fields.Json(readonly=True, groups="base.group_system")
    crosswalk_moves = fields.Json(readonly=True, groups="base.group_system")
    values = fields.Json(
        readonly=True, help="Survivorship: which record gave the survivor which field."
    )
    moved_count = fields.Integer(string="Rows Moved", readonly=True)
    folded_count = fields.Integer(string="Rows Folded", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Merged By",
        default=lambda self: self.env.uid,
        readonly=True,
    )
    reversible_until = fields.Datetime(readonly=True)
    state = fields.Selection(
        selection=[("done", "Merged"), ("reverted", "Undone")],
        default="done",
        required=True,
        readonly=True,
    )
    reverted_by_id = fields.Many2one("res.users", readonly=True)
    reverted_at = fields.Datetime(readonly=True)
    kept_since = fields.Json(
        readonly=True, help="What had changed since and stayed as it was."
    )
    is_reversible = fields.Boolean(compute="_compute_is_reversible")

    _ref_uniq = models.Constraint("UNIQUE (ref)", "A merge reference is unique.")

    @api.depends("state", "reversible_until")
    def _compute_is_reversible(self):
        now = fields.Datetime.now()
        for journal in self:
            journal.is_reversible = (
                journal.state == "done"
                and bool(journal.reversible_until)
                and journal.reversible_until >= now
            )

    def _check_undo_allowed(self):
        """A merge is undone by a steward who may write the survivor."""
        self.check_access("read")
        if not self.env.user.has_group("sync_governance_base.group_sync_steward"):
            raise AccessError(self.env._("Only a steward undoes a merge."))
        for journal in self:
            survivor = self.env[journal.model_name].browse(journal.survivor_id).exists()
            survivor.check_access("write")

    def _release_files(self):
        """The files of retired records are kept
        only as long as they could be restored."""
        self.env["ir.attachment"].sudo().search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        ).unlink()

    @api.autovacuum
    def _gc_irreversible(self):
        """Past its period a merge stays on record,
        without the images of what it replaced."""
        expired = self.search(
            [
                ("state", "=", "done"),
                ("reversible_until", "<", fields.Datetime.now()),
                ("changes", "!=", False),
            ],
            limit=1000,
        )
        expired._release_files()
        expired.write({"changes": False, "crosswalk_moves": False})
        return len(expired), len(expired) == 1000

    def _close_group(self, reason, not_duplicate):
        """The group of an undone merge says so;
        the pairs may be remembered as different."""
        group = self.group_id.sudo()
        if not_duplicate and group:
            pairs = [(self.survivor_id, retired) for retired in self.retired_ids]
            self.env["sync.duplicate.verdict"].sudo()._record_pairs(
                group, pairs, False, reason
            )
        group.write({"state": "unmerged", "decision_reason": reason})

    def action_undo(self):
        """Open the undo wizard: it tells what
        changed since, then takes the merge back."""
        self.ensure_one()
        wizard = self.env["sync.merge.undo"].create({"journal_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Undo Merge"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_open_survivor(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model_name,
            "res_id": self.survivor_id,
            "view_mode": "form",
        }
