# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..merge import RowRestorer


class SyncMergeService(models.AbstractModel):
    """Takes a merge back by its journal."""

    _inherit = "sync.merge.service"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _undo(self, journal, reason, overwrite=False):
        """Take a merge back: records, ids and references are as they were.

        :param overwrite: also put back what was changed since the merge
        :return: list of ``{"table", "ids", "columns"}``
            that changed since and were kept
        """
        survivor = self.env[journal.model_name].browse(journal.survivor_id).exists()
        if not survivor:
            raise UserError(
                self.env._(
                    "The survivor was deleted since: there is nothing left to split."
                )
            )
        journal.sudo().lock_for_update()
        survivor.sudo().lock_for_update()
        journal.invalidate_recordset()
        if not journal.is_reversible:
            raise UserError(self.env._("This merge can no longer be undone."))
        self.env.flush_all()
        kept = RowRestorer(self.env, journal.sudo().changes).restore(overwrite)
        self.env["sync.crosswalk"].sudo()._unpoint(journal.sudo().crosswalk_moves or [])
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self._close_undo(journal, survivor, kept, reason)
        return kept

    @api.model
    def _close_undo(self, journal, survivor, kept, reason):
        journal.sudo().write(
            {
                "state": "reverted",
                "reverted_by_id": self.env.uid,
                "reverted_at": fields.Datetime.now(),
                "kept_since": kept,
            }
        )
        journal._release_files()
        restored = self.env[journal.model_name].browse(journal.retired_ids)
        records = survivor | restored
        self.env["sync.write.hook"]._dedup_collect(records)
        self.env["sync.audit"].sudo()._log("unmerge", record=survivor, reason=reason)
        name = self._updated_event_name(journal.model_name)
        for record in records:
            if hasattr(record, "message_post"):
                record.sudo().message_post(
                    body=self.env._(
                        "Merge %(ref)s was undone: %(reason)s",
                        ref=journal.ref,
                        reason=reason,
                    )
                )
            self._emit(name, record)
