# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import defaultdict

from odoo import api, models

#: Rows that name a journal entry, or are one: their customer is what a hash seals.
ENTRY_MODELS = ("account.move", "account.move.line", "account.payment")


class SyncMergeService(models.AbstractModel):
    """Journal entries that a hash seals name their customer for good: one that was
    sealed after a merge stays with the survivor when the merge is undone."""

    _inherit = "sync.merge.service"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _held_rows(self, journal):
        """Rows of a merge that an undo must leave with the survivor.

        :return: ``{table: ids}``; extension point
        """
        entries = self._sealed_entries(self._moved_ids(journal))
        if not entries:
            return {}
        payments = entries.env["account.payment"].search(
            [("move_id", "in", entries.ids)]
        )
        held = (entries, entries.line_ids, payments)
        return {records._table: set(records.ids) for records in held}

    @api.model
    def _sealed_since(self, journal):
        """:return: names of the entries that an undo leaves with the survivor"""
        entries = self._sealed_entries(self._moved_ids(journal))
        if not entries:
            return ""
        return self._names(entries._name, entries.ids, entries._table)

    @api.model
    def _moved_ids(self, journal):
        ids_by_table = defaultdict(set)
        # sudo: images of rows are kept from everybody; ids are all that is taken
        for entry in (journal.sudo().changes or {}).get("changed", ()):
            ids_by_table[entry["table"]].update(entry["ids"])
        return ids_by_table

    @api.model
    def _sealed_entries(self, ids_by_table):
        """:return: sealed journal entries that have one of these rows, as superuser"""
        if "account.move" not in self.env:
            return self.browse()
        entries = self.env["account.move"].sudo()
        for model in ENTRY_MODELS:
            rows = self.env[model].sudo()
            rows = rows.browse(ids_by_table.get(rows._table, ())).exists()
            entries |= rows if model == entries._name else rows.move_id
        return entries.filtered("inalterable_hash")
