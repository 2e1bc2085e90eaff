# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Puts back what :class:`~.recorder.RowRecorder` wrote down."""

import json

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

#: Columns whose change since the merge is not worth a steward's attention.
SILENT_COLUMNS = frozenset({"write_uid", "write_date"})


class RowRestorer:
    def __init__(self, env, changes):
        """:param changes: see :meth:`.recorder.RowRecorder.changes`"""
        self.env = env
        self.changes = changes

    def restore(self, overwrite=False):
        """:return: list of ``{"table", "ids", "columns"}``
        that changed since and were kept"""
        self._insert_deleted()
        kept = []
        for entry in self.changes["changed"]:
            kept += self._restore_entry(entry, overwrite)
        for entry in self.changes["links"]:
            self._restore_links(entry)
        self._remove_files()
        return kept

    def changed_since(self):
        """:return: as :meth:`restore`, without changing anything"""
        found = []
        for entry in self.changes["changed"]:
            for column in self._loud(entry["before"]):
                ids = self._differing(entry, column)
                if ids:
                    found.append(
                        {"table": entry["table"], "ids": ids, "columns": [column]}
                    )
        return found

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
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
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

    def _loud(self, columns):
        return [column for column in columns if column not in SILENT_COLUMNS]

    def _restore_entry(self, entry, overwrite):
        """Whole rows first, in one statement; of rows that changed since,
        column by column what is still as the merge left it."""
        done = set(self._set(entry, list(entry["before"]), force=overwrite))
        late = [row_id for row_id in entry["ids"] if row_id not in done]
        if not late:
            return []
        kept = []
        for column in entry["before"]:
            part = dict(entry, ids=late)
            restored = self._set(part, [column], force=overwrite)
            rest = sorted(set(late) - set(restored))
            if rest and column not in SILENT_COLUMNS:
                kept.append({"table": entry["table"], "ids": rest, "columns": [column]})
        return kept

    def _set(self, entry, columns, force):
        """:return: ids of the rows that now have the old values again"""
        table = SQL.identifier(entry["table"])
        unchanged = SQL("TRUE") if force else self._unchanged(entry, columns)
        rows = self.env.execute_query(
            SQL(
                "UPDATE %s AS record SET %s"
                " FROM jsonb_populate_record(NULL::%s, %s::jsonb) AS old"
                " WHERE record.id = ANY(%s) AND %s RETURNING record.id",
                table,
                SQL(", ").join(
                    SQL(
                        "%s = %s", SQL.identifier(column), SQL.identifier("old", column)
                    )
                    for column in columns
                ),
                table,
                json.dumps(entry["before"]),
                entry["ids"],
                unchanged,
            )
        )
        return [row_id for (row_id,) in rows]

    def _unchanged(self, entry, columns):
        after = {column: entry["after"][column] for column in columns}
        # containment would take a JSON column with more keys for the same one
        return SQL(" AND ").join(
            SQL("to_jsonb(record) -> %s = %s::jsonb", column, json.dumps(value))
            for column, value in after.items()
        )

    def _differing(self, entry, column):
        rows = self.env.execute_query(
            SQL(
                "SELECT record.id FROM %s AS record"
                " WHERE record.id = ANY(%s) AND NOT (%s)",
                SQL.identifier(entry["table"]),
                entry["ids"],
                self._unchanged(entry, [column]),
            )
        )
        return [row_id for (row_id,) in rows]

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
