# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Puts back what :class:`~.recorder.RowRecorder` wrote down."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

#: Columns whose change since the merge is not worth a steward's attention.
SILENT_COLUMNS = frozenset({"write_uid", "write_date"})


@dataclass(frozen=True)
class Difference:
    """Rows of which a column changed alike since the merge.

    :ivar before: value that an undo puts back
    :ivar left: value as the merge left it
    :ivar now: what it is now; all three as ``to_jsonb`` spells them
    """

    table: str
    column: str
    ids: tuple[int, ...]
    before: Any
    left: Any
    now: Any


class RowRestorer:
    def __init__(self, env, changes):
        """:param changes: see :meth:`.recorder.RowRecorder.changes`"""
        self.env = env
        self.changes = changes

    def restore(self, put_back=None, held=None):
        """Put everything back that is still as the merge left it.

        :param put_back: ``{(table, id, column): value}``: what changed since and is to
            be put back all the same, and the value that it had when that was decided
        :param held: ``{table: ids}``: rows that stay as they are, whatever was decided
        :return: list of :class:`Difference` that changed since, or had to stay
        :raise UserError: a row cannot come back, or changed after the decision
        """
        put_back = put_back or {}
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
                self._insert_deleted()
                kept = []
                for entry in self.changes["changed"]:
                    stay = (held or {}).get(entry["table"], ())
                    kept += self._restore_entry(entry, put_back, stay)
                for entry in self.changes["links"]:
                    self._restore_links(entry)
                self._remove_files()
        except psycopg2.errors.ForeignKeyViolation as error:
            raise UserError(
                self.env._(
                    "The merge cannot be undone: a record that was in use then is gone."
                    " %s",
                    error.diag.message_detail or "",
                )
            ) from error
        return kept

    def changed_since(self):
        """:return: list of :class:`Difference`"""
        return [
            difference
            for entry in self.changes["changed"]
            for difference in self._differences(entry)
        ]

    def gone_since(self):
        """:return: ``{table: ids}`` of rows that the merge
        changed and that were deleted since"""
        ids_by_table = defaultdict(set)
        for entry in self.changes["changed"]:
            ids_by_table[entry["table"]].update(entry["ids"])
        gone = {}
        for table, ids in ids_by_table.items():
            found = self.env.execute_query(
                SQL(
                    "SELECT id FROM %s WHERE id = ANY(%s)",
                    SQL.identifier(table),
                    list(ids),
                )
            )
            gone[table] = sorted(ids - {row_id for (row_id,) in found})
        return {table: ids for table, ids in gone.items() if ids}

    # -- deleted rows ------------------------------------------------------------------

    def _insert_deleted(self):
        """Rows may point at each other across tables: what
        fails for want of another row is tried again after it."""
        waiting = list(self.changes["deleted"])
        while waiting:
            failed = [entry for entry in waiting if not self._try_insert(entry)]
            if len(failed) == len(waiting):
                raise UserError(
                    self.env._(
                        "The merge cannot be undone: rows of %s point at records that"
                        " were deleted since.",
                        ", ".join(entry["table"] for entry in failed),
                    )
                )
            waiting = failed

    def _try_insert(self, entry):
        table = SQL.identifier(entry["table"])
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(
                    SQL(
                        "INSERT INTO %s SELECT *"
                        " FROM jsonb_populate_recordset(NULL::%s, %s::jsonb)",
                        table,
                        table,
                        json.dumps(entry["rows"]),
                    )
                )
        except psycopg2.errors.ForeignKeyViolation:
            return False
        return True

    # -- changed rows ------------------------------------------------------------------

    def _differences(self, entry):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.key, array_agg(record.id ORDER BY record.id),
                       now.body -> entry.key
                  FROM %s AS record
            CROSS JOIN LATERAL (SELECT to_jsonb(record) AS body) AS now
            CROSS JOIN LATERAL jsonb_each(%s::jsonb) AS entry
                 WHERE record.id = ANY(%s)
                   AND now.body -> entry.key IS DISTINCT FROM entry.value
              GROUP BY entry.key, now.body -> entry.key
              ORDER BY entry.key, 2
                """,
                SQL.identifier(entry["table"]),
                json.dumps(entry["after"]),
                entry["ids"],
            )
        )
        return [
            Difference(
                entry["table"],
                column,
                tuple(ids),
                entry["before"][column],
                entry["after"][column],
                now,
            )
            for column, ids, now in rows
            if column not in SILENT_COLUMNS
        ]

    def _restore_entry(self, entry, put_back, held):
        stay = [row_id for row_id in entry["ids"] if row_id in held]
        kept = self._kept(entry, put_back) + self._stayed(entry, stay)
        columns_by_id = dict.fromkeys(entry["ids"], frozenset())
        for difference in kept:
            for row_id in difference.ids:
                columns_by_id[row_id] |= {difference.column}
        ids_by_kept = defaultdict(list)
        for row_id, columns in columns_by_id.items():
            ids_by_kept[columns].append(row_id)
        for columns, ids in ids_by_kept.items():
            self._set(
                entry, ids, [name for name in entry["before"] if name not in columns]
            )
        return kept

    def _kept(self, entry, put_back):
        """What changed since, without the rows of which it is to be put back."""
        kept = []
        for found in self._differences(entry):
            chosen = {
                row_id: put_back[key]
                for row_id in found.ids
                if (key := (found.table, row_id, found.column)) in put_back
            }
            if any(value != found.now for value in chosen.values()):
                raise UserError(
                    self.env._("What you decided on has changed again. Look once more.")
                )
            rest = tuple(row_id for row_id in found.ids if row_id not in chosen)
            if rest:
                kept.append(replace(found, ids=rest))
        return kept

    def _stayed(self, entry, ids):
        if not ids:
            return []
        left = entry["after"]
        return [
            Difference(entry["table"], column, tuple(ids), before, *(left[column],) * 2)
            for column, before in entry["before"].items()
            if column not in SILENT_COLUMNS
        ]

    def _set(self, entry, ids, columns):
        if not columns:
            return
        table = SQL.identifier(entry["table"])
        self.env.cr.execute(
            SQL(
                "UPDATE %s AS record SET %s"
                " FROM jsonb_populate_record(NULL::%s, %s::jsonb) AS old"
                " WHERE record.id = ANY(%s)",
                table,
                SQL(", ").join(
                    SQL(
                        "%s = %s", SQL.identifier(column), SQL.identifier("old", column)
                    )
                    for column in columns
                ),
                table,
                json.dumps(entry["before"]),
                ids,
            )
        )

    # -- many2many links ---------------------------------------------------------------

    def _restore_links(self, entry):
        table = SQL.identifier(entry["table"])
        for row in entry["added"]:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s AS record WHERE to_jsonb(record) = %s::jsonb",
                    table,
                    json.dumps(row),
                )
            )
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s"
                " SELECT * FROM jsonb_populate_recordset(NULL::%s, %s::jsonb)"
                " ON CONFLICT DO NOTHING",
                table,
                table,
                json.dumps(entry["removed"]),
            )
        )

    def _remove_files(self):
        """Files that the merge gave to the survivor,
        unless they were replaced since."""
        files = self.changes["files"]
        if files:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM ir_attachment USING"
                    " unnest(%s::int[], %s::text[]) AS given(id, checksum)"
                    " WHERE ir_attachment.id = given.id"
                    " AND ir_attachment.checksum = given.checksum",
                    [int(row_id) for row_id in files],
                    list(files.values()),
                )
            )
