# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import ormcache

from ..merge import Catalog, LaterRows, RowRestorer


class SyncMergeService(models.AbstractModel):
    """Takes a merge back by its journal. Extension points: :meth:`_check_movable`,
    :meth:`_held_rows`."""

    _inherit = "sync.merge.service"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _undo(self, journal, reason, put_back=None, moves=None):
        """Take a merge back: records, ids and references are as they were.

        What changed or came since stays with the survivor, unless it is named here.

        :param put_back: ``{(table, id, column): value when it was decided}``: changed
            since, put back all the same
        :param moves: ``{case key: record id}``: documents that came since (see
            :meth:`_later_cases`), and whose they are
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
        cases = self._later_cases(journal) if moves else []
        kept = RowRestorer(self.env, journal.sudo().changes).restore(
            put_back, self._held_rows(journal)
        )
        self.env["sync.crosswalk"].sudo()._unpoint(journal.sudo().crosswalk_moves or [])
        for case in cases:
            if case.key in moves:
                self._move_case(case, moves[case.key])
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        records = survivor.browse([survivor.id, *journal.retired_ids])
        for record in records.sudo():
            self._refresh_stored(record)
        self._refresh_derived(kept)
        self._close_undo(journal, records, self._told(kept), reason, put_back, moves)
        return journal.sudo().kept_since

    # -- what came since ---------------------------------------------------------------

    @api.model
    def _later_cases(self, journal):
        """:return: list of :class:`~..merge.later.Case` that came to the survivor"""
        env = self.sudo().env
        env.flush_all()
        return LaterRows(env, Catalog(env, self._history_models())).cases(
            journal.model_name, journal.survivor_id, journal.create_date
        )

    @api.model
    def _move_case(self, case, record_id):
        self._check_movable(case)
        # sudo: the undo is theirs who may write all
        # the records, as the merge was; documents follow
        LaterRows(self.sudo().env, None).move(case, record_id)

    @api.model
    def _check_movable(self, case):
        """:raise UserError: documents that came since have to stay where they are"""
        sealed = self._sealed_case(case)
        if sealed:
            raise UserError(
                self.env._(
                    "%s is sealed by a hash that covers the customer: it has to stay"
                    " with the survivor.",
                    ", ".join(sealed.mapped("display_name")),
                )
            )

    @api.model
    def _sealed_case(self, case):
        tables = {table for table, _column in case.columns}
        return self._sealed_entries({table: case.ids(table) for table in tables})

    # -- what changed since ------------------------------------------------------------

    @api.model
    def _is_derived(self, difference):
        """Whether a column follows from others, on which the decision is taken."""
        field = self._field_of(difference)
        return bool(field and field.compute and field.readonly)

    @api.model
    def _field_of(self, difference):
        model = self._model_of(difference.table)
        return self.env[model]._fields.get(difference.column) if model else None

    @api.model
    @ormcache("table")
    def _model_of(self, table):
        return Catalog(self.env).model_of(table)

    @api.model
    def _refresh_derived(self, kept):
        for difference in filter(self._is_derived, kept):
            field = self._field_of(difference)
            records = self.env[field.model_name].sudo().browse(difference.ids)
            self.env.add_to_compute(field, records.exists())

    @api.model
    def _told(self, kept):
        return [
            {"table": one.table, "ids": list(one.ids), "columns": [one.column]}
            for one in kept
            if not self._is_derived(one)
        ]

    @api.model
    def _close_undo(self, journal, records, kept, reason, put_back, moves):
        journal.sudo().write(
            {
                "state": "reverted",
                "reverted_by_id": self.env.uid,
                "reverted_at": fields.Datetime.now(),
                "kept_since": kept,
            }
        )
        journal._release_files()
        self.env["sync.write.hook"]._dedup_collect(records)
        self.env["sync.audit"].sudo()._log(
            "unmerge",
            record=records[0],
            after={
                "merge": journal.ref,
                "put_back": sorted(put_back or ()),
                "moved": moves or {},
            },
            reason=reason,
        )
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
