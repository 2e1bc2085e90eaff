# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Moves references from a retired record to its survivor without losing a row.

The core wizard updates a table in one statement and, when that violates a unique
constraint, deletes *all* rows of the retired record. Here each clash is settled row
by row: two rows that say the same are folded into one (what pointed at the dropped
row points at the kept one then), two rows that differ stop the merge, unless a rule
for their table says otherwise.
"""

from enum import Enum

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

#: Columns that do not make two rows different.
AUDIT_COLUMNS = ("id", "create_uid", "create_date", "write_uid", "write_date")


class RowRule(Enum):
    """What to do with two rows that cannot both belong to the survivor."""

    SAME_ONLY = "fold if equal, else stop"
    KEEP_SURVIVOR = "keep the survivor's row"


class ReferenceMover:
    def __init__(self, env, catalog, recorder, row_rules):
        """
        :param recorder: :class:`~.recorder.RowRecorder`,
            told of each row before it is dropped
        :param row_rules: ``{table: RowRule}``
        """
        self.env = env
        self.catalog = catalog
        self.recorder = recorder
        self.row_rules = row_rules

    def move_foreign_keys(self, table, sources, target):
        """:param sources: ids of the retired rows
        of ``table``; ``target``: the survivor's"""
        references = self.catalog.foreign_keys(table)
        for reference in self.catalog.used(references, None, sources):
            self._move(reference, None, sources, target)

    def move_pairs(self, model, sources, target):
        """Move the (model, id) pairs; the core wizard knows five of them."""
        for reference in self.catalog.used(self.catalog.pairs, model, sources):
            self._move(reference, model, sources, target)

    def _move(self, reference, model, sources, target):
        for source in sources:
            for unique in self.catalog.uniques(reference.table):
                if reference.column in unique.columns:
                    self._settle(reference, model, unique, source, target)
            self._update(reference, model, source, target)

    def _update(self, reference, model, source, target):
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s AS record SET %s = %s WHERE %s",
                        SQL.identifier(reference.table),
                        SQL.identifier(reference.column),
                        target,
                        reference.where_movable(model, [source]),
                    )
                )
        except psycopg2.IntegrityError as error:
            raise UserError(
                self.env._(
                    "The merge was stopped: a row of %(what)s cannot be moved to the"
                    " survivor. %(detail)s",
                    what=self._table_label(reference.table),
                    detail=error.diag.message_primary or "",
                )
            ) from error

    def _settle(self, reference, model, unique, source, target):
        """Fold the rows of ``source`` that would clash with a row of ``target``."""
        if not self.catalog.has_id(reference.table):
            self._drop_twin_links(reference, unique, source, target)
            return
        for dropped, kept in self._clashes(reference, model, unique, source, target):
            self._fold(reference, dropped, kept)

    def _rows_of(self, reference, model, unique, record_id):
        """:return: subquery of the rows that point at a record and are in the index"""
        predicate = (
            SQL(unique.predicate.replace("%", "%%"))
            if unique.predicate
            else SQL("TRUE")
        )
        return SQL(
            "(SELECT record.* FROM %s AS record WHERE %s AND %s)",
            SQL.identifier(reference.table),
            reference.where_movable(model, [record_id]),
            predicate,
        )

    def _same_key(self, reference, unique):
        others = [column for column in unique.columns if column != reference.column]
        return SQL(" AND ").join(
            [
                SQL(
                    "%s = %s",
                    SQL.identifier("dropped", column),
                    SQL.identifier("kept", column),
                )
                for column in others
            ]
            or [SQL("TRUE")]
        )

    def _clashes(self, reference, model, unique, source, target):
        return self.env.execute_query(
            SQL(
                "SELECT dropped.id, kept.id FROM %s AS dropped JOIN %s AS kept ON %s",
                self._rows_of(reference, model, unique, source),
                self._rows_of(reference, model, unique, target),
                self._same_key(reference, unique),
            )
        )

    def _drop_twin_links(self, reference, unique, source, target):
        """A row of a many2many table has no more to it than its two ids."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM %s AS dropped USING %s AS kept"
                " WHERE %s = %s AND %s = %s AND %s",
                SQL.identifier(reference.table),
                SQL.identifier(reference.table),
                SQL.identifier("dropped", reference.column),
                source,
                SQL.identifier("kept", reference.column),
                target,
                self._same_key(reference, unique),
            )
        )

    def _fold(self, reference, dropped, kept):
        table = reference.table
        rule = self.row_rules.get(table, RowRule.SAME_ONLY)
        if rule is RowRule.SAME_ONLY:
            self._require_equal(reference, dropped, kept)
        self.recorder.watch(table, [dropped, kept])
        self.move_foreign_keys(table, [dropped], kept)
        model = self.catalog.model_of(table)
        if model:
            self.move_pairs(model, [dropped], kept)
        self.env.cr.execute(
            SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(table), dropped)
        )

    def _require_equal(self, reference, dropped, kept):
        table = reference.table
        ignored = [*AUDIT_COLUMNS, reference.column]
        rows = self.env.execute_query(
            SQL(
                "SELECT to_jsonb(record) - %s::text[] FROM %s AS record WHERE id IN %s",
                ignored,
                SQL.identifier(table),
                (dropped, kept),
            )
        )
        (left,), (right,) = rows
        columns = sorted(name for name in left if left[name] != right[name])
        if columns:
            raise UserError(
                self.env._(
                    "The merge was stopped, nothing was lost: both records have a row"
                    " of %(what)s (%(dropped)s and %(kept)s), only one can belong to"
                    " the survivor, and they differ in %(columns)s. Make them equal or"
                    " remove one, then merge again.",
                    what=self._table_label(table),
                    dropped=dropped,
                    kept=kept,
                    columns=", ".join(columns),
                )
            )

    def _table_label(self, table):
        model = self.catalog.model_of(table)
        return f"“{self.env[model]._description}”" if model else table
