# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Remembers rows before a merge and tells afterwards what became of them.

The rows stay in the database: those that hang on a record may be many (every mail,
every order), and only what differs travels to Python. Whoever changes them,
raw SQL, the ORM or another module's override, is seen alike, because rows are
compared and not calls.
"""

import json

from odoo.tools import SQL


class RowRecorder:
    """One merge's before-image.

    ``watch`` may be called any number of times
    before rows change; ``changes`` once, after.
    """

    def __init__(self, env, catalog):
        self.env = env
        self.catalog = catalog
        self._watched = set()
        self._whole = {}
        self._links = {}
        self.env.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE IF NOT EXISTS sync_merge_before"
                " (tbl text, row_id bigint, body jsonb, PRIMARY KEY (tbl, row_id))"
                " ON COMMIT DROP"
            )
        )
        self.env.cr.execute(SQL("TRUNCATE sync_merge_before"))

    def watch(self, table, ids, whole=False):
        """Remember these rows and all rows that point at them.

        :param whole: tell all columns of these rows, not only those that the merge
            changes: what changes in them later is to be seen, too
        """
        if whole:
            self._whole.setdefault(table, set()).update(ids)
        new = sorted({(table, row_id) for row_id in ids} - self._watched)
        if not new:
            return
        self._watched.update(new)
        ids = [row_id for _table, row_id in new]
        model = self.catalog.model_of(table)
        self._keep(table, SQL("record.id = ANY(%s)", ids))
        references = self.catalog.foreign_keys(table)
        for reference in references:
            if not self.catalog.has_id(reference.table):
                _before, watched = self._links.setdefault(
                    reference.table, (set(), set())
                )
                watched.update((reference, row_id) for row_id in ids)
        for reference in self.catalog.used(references, None, ids):
            if self.catalog.has_id(reference.table):
                self._keep(reference.table, reference.where(None, ids))
            else:
                before, _watched = self._links[reference.table]
                before.update(self._read_links(reference, ids))
        if model:
            self._watch_model(model, ids)

    def _watch_model(self, model, ids):
        for reference in self.catalog.used(self.catalog.pairs, model, ids):
            self._keep(reference.table, reference.where(model, ids))
        names = [f"{model},{row_id}" for row_id in ids]
        for table, column in self.catalog.reference_columns:
            self._keep(
                table, SQL("%s = ANY(%s)", SQL.identifier("record", column), names)
            )
        texts = [str(row_id) for row_id in ids]
        for table, column in self.catalog.company_dependent_columns(model):
            self._keep(
                table,
                SQL(
                    "EXISTS (SELECT 1 FROM jsonb_each_text(%s) AS entry"
                    " WHERE entry.value = ANY(%s))",
                    SQL.identifier("record", column),
                    texts,
                ),
            )
        self._keep("ir_default", SQL("record.json_value = ANY(%s)", texts))

    def _keep(self, table, condition):
        self.env.cr.execute(
            SQL(
                "INSERT INTO sync_merge_before"
                " SELECT %s, record.id, to_jsonb(record) FROM %s AS record WHERE %s"
                " ON CONFLICT DO NOTHING",
                table,
                SQL.identifier(table),
                condition,
            )
        )

    def _read_links(self, reference, ids):
        rows = self.env.execute_query(
            SQL(
                "SELECT to_jsonb(record)::text FROM %s AS record WHERE %s",
                SQL.identifier(reference.table),
                reference.where(None, ids),
            )
        )
        return {row for (row,) in rows}

    def changes(self):
        """:return: JSON-able dict

        - ``changed``: list of ``{table, ids, before, after}``; ``before`` and ``after``
          hold only the columns that differ (all of a row that is watched whole), rows
          that changed alike share an entry
        - ``deleted``: list of ``{table, rows}`` with whole rows
        - ``links``: list of ``{table, removed, added}`` for many2many tables
        - ``files``: ``{attachment id: checksum}``
          of binary fields that the survivor was given
        """
        tables = [
            table
            for (table,) in self.env.execute_query(
                SQL("SELECT DISTINCT tbl FROM sync_merge_before ORDER BY tbl")
            )
        ]
        return {
            "changed": [entry for table in tables for entry in self._changed(table)],
            "deleted": [
                {"table": table, "rows": rows}
                for table in tables
                if (rows := self._deleted(table))
            ],
            "links": self._changed_links(),
            "files": self._new_files(),
        }

    def _new_files(self):
        """Binary fields are rows of another table;
        those the merge filled are new rows."""
        found = {}
        for model, ids in self._watched_by_model().items():
            found.update(
                self.env.execute_query(
                    SQL(
                        "SELECT record.id::text, record.checksum"
                        " FROM ir_attachment AS record"
                        " WHERE res_model = %s AND res_id = ANY(%s)"
                        " AND res_field IS NOT NULL"
                        " AND NOT EXISTS (SELECT 1 FROM sync_merge_before AS kept"
                        "  WHERE kept.tbl = 'ir_attachment'"
                        " AND kept.row_id = record.id)",
                        model,
                        ids,
                    )
                )
            )
        return found

    def _watched_by_model(self):
        by_model = {}
        for table, row_id in self._watched:
            model = self.catalog.model_of(table)
            if model:
                by_model.setdefault(model, []).append(row_id)
        return by_model

    def _changed(self, table):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT array_agg(row_id ORDER BY row_id), before, after
                  FROM (
                    SELECT kept.row_id,
                           jsonb_object_agg(entry.key, entry.value) AS before,
                           jsonb_object_agg(entry.key, now.body -> entry.key) AS after
                      FROM sync_merge_before AS kept
                      JOIN %s AS record ON record.id = kept.row_id
                CROSS JOIN LATERAL (SELECT to_jsonb(record) AS body) AS now
                CROSS JOIN LATERAL jsonb_each(kept.body) AS entry
                     WHERE kept.tbl = %s
                       AND (kept.row_id = ANY(%s) OR now.body <> kept.body
                       AND now.body -> entry.key <> entry.value)
                  GROUP BY kept.row_id
                  ) AS difference
              GROUP BY before, after
              ORDER BY 1
                """,
                SQL.identifier(table),
                table,
                list(self._whole.get(table, ())),
            )
        )
        return [
            {"table": table, "ids": ids, "before": before, "after": after}
            for ids, before, after in rows
        ]

    def _deleted(self, table):
        rows = self.env.execute_query(
            SQL(
                "SELECT body FROM sync_merge_before AS kept WHERE tbl = %s"
                " AND NOT EXISTS (SELECT 1 FROM %s AS record"
                " WHERE record.id = kept.row_id)"
                " ORDER BY row_id",
                table,
                SQL.identifier(table),
            )
        )
        return [body for (body,) in rows]

    def _changed_links(self):
        entries = []
        for table, (before, watched) in sorted(self._links.items()):
            after = set()
            for reference in {reference for reference, _id in watched}:
                ids = [row_id for known, row_id in watched if known == reference]
                after |= self._read_links(reference, ids)
            if before != after:
                entries.append(
                    {
                        "table": table,
                        "removed": [json.loads(row) for row in sorted(before - after)],
                        "added": [json.loads(row) for row in sorted(after - before)],
                    }
                )
        return entries
