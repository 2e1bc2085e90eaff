# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What came to a survivor after its merge: documents that may belong to somebody else.

Rows that point at each other are one case (an order, its lines, its transfer), so that
a decision on one never tears a document apart.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import SQL

#: They go with the document that they are about, and are no case of their own.
SATELLITES = frozenset({"mail.message", "mail.followers"})


@dataclass(frozen=True)
class Case:
    """Rows that came together.

    :ivar model: and ``row_id``: the record that the others hang on
    :ivar columns: ``{(table, column): ids}`` of what points at the survivor
    """

    model: str
    row_id: int
    columns: dict

    @property
    def key(self):
        return f"{self.model},{self.row_id}"

    def ids(self, table):
        return {
            row_id
            for (name, _column), ids in self.columns.items()
            if name == table
            for row_id in ids
        }


class LaterRows:
    """Rows that point at a record and were created after a moment."""

    def __init__(self, env, catalog):
        """:param env: of a superuser; ``catalog``: its ledgers are left out"""
        self.env = env
        self.catalog = catalog

    def cases(self, model, record_id, since):
        """:return: list of :class:`Case`, by model, the latest first"""
        found = self._found(model, record_id, since)
        links = self._links({row for rows in found.values() for row in rows})
        leaders = {row: row for rows in found.values() for row in rows}

        def leader(row):
            while leaders[row] != row:
                row = leaders[row]
            return row

        for child, parent in links:
            leaders[leader(child)] = leader(parent)
        members = defaultdict(set)
        for row in leaders:
            members[leader(row)].add(row)
        outgoing = Counter(child for child, _parent in links)
        cases = [self._case(rows, found, outgoing) for rows in members.values()]
        return sorted(filter(None, cases), key=lambda case: (case.model, -case.row_id))

    def move(self, case, target):
        """Let a record own what came to another one.

        :raise UserError: a row cannot belong to it
        """
        for (table, column), ids in case.columns.items():
            try:
                with self.env.cr.savepoint(flush=False):
                    self.env.cr.execute(
                        SQL(
                            "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                            SQL.identifier(table),
                            SQL.identifier(column),
                            target,
                            list(ids),
                        )
                    )
            except psycopg2.IntegrityError as error:
                raise UserError(
                    self.env._(
                        "“%(what)s” cannot be moved: %(detail)s",
                        what=self.env[case.model].browse(case.row_id).display_name,
                        detail=error.diag.message_primary or "",
                    )
                ) from error

    # -- what came ---------------------------------------------------------------------

    def _found(self, model, record_id, since):
        """:return: ``{(table, column): rows}``; a row is ``(table, id)``"""
        table = self.env[model]._table
        references = self.catalog.used(
            [
                reference
                for reference in self.catalog.foreign_keys(table) + self.catalog.pairs
                if self._is_told(reference)
            ],
            model,
            [record_id],
        )
        found = {}
        for reference in references:
            rows = self.env.execute_query(
                SQL(
                    "SELECT record.id FROM %s AS record WHERE %s AND %s",
                    SQL.identifier(reference.table),
                    reference.where_movable(model, [record_id]),
                    self._came(reference.table, since),
                )
            )
            there = {(reference.table, row_id) for (row_id,) in rows}
            there.discard((table, record_id))
            if there:
                found[reference.table, reference.column] = there
        return found

    def _is_told(self, reference):
        """Whether a table holds what people make: no passing rows, and no ledger."""
        name = self.catalog.model_of(reference.table)
        return (
            name
            and not self.env[name]._transient
            and name not in self.catalog.history_models
            and (
                name in SATELLITES
                or (self.env[name]._log_access and name in self.catalog.written_models)
            )
        )

    def _came(self, table, since):
        """Followers bear no date: those count that follow what came."""
        if not self.env[self.catalog.model_of(table)]._log_access:
            return SQL("TRUE")
        return SQL("record.create_date > %s", since)

    def _links(self, rows):
        """:return: list of (row, row that it points at), both among ``rows``"""
        ids = defaultdict(set)
        for table, row_id in rows:
            ids[table].add(row_id)
        links = []
        for table, targets in ids.items():
            model = self.catalog.model_of(table)
            for reference in self.catalog.foreign_keys(table) + self.catalog.pairs:
                if reference.table in ids:
                    links += self._links_by(reference, model, ids, table, targets)
        return links

    def _links_by(self, reference, model, ids, table, targets):
        rows = self.env.execute_query(
            SQL(
                "SELECT record.id, %s FROM %s AS record"
                " WHERE record.id = ANY(%s) AND %s",
                SQL.identifier("record", reference.column),
                SQL.identifier(reference.table),
                list(ids[reference.table]),
                reference.where(model, targets),
            )
        )
        return [
            ((reference.table, row_id), (table, target))
            for row_id, target in rows
            if (reference.table, row_id) != (table, target)
        ]

    def _case(self, rows, found, outgoing):
        named = [row for row in rows if self.catalog.model_of(row[0]) not in SATELLITES]
        if not named:
            return None
        table, row_id = min(named, key=lambda row: (outgoing[row], row))
        columns = {
            place: sorted(row_id for _table, row_id in kept)
            for place, there in found.items()
            if (kept := there & rows)
        }
        return Case(self.catalog.model_of(table), row_id, columns)
