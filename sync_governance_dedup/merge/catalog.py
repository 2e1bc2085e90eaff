# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who points at a record: read from PostgreSQL's catalog and from the registry.

The catalog knows every foreign key, of modules that are not loaded too;
the registry knows what the database cannot: (model, id) pairs, ``reference`` fields
and company-dependent many2one fields.
"""

from dataclasses import dataclass
from functools import cached_property

from odoo.tools import SQL, split_every

#: References that are looked at in one statement.
SLICE = 50


@dataclass(frozen=True)
class Reference:
    """A column whose values are ids of records.

    :ivar model_column: column that names the model
        of a (model, id) pair, or ``None`` for a foreign key
    """

    table: str
    column: str
    model_column: str | None = None

    def where(self, model, ids):
        """:return: SQL condition on ``record``
        for the rows that point at these records"""
        condition = SQL(
            "%s = ANY(%s)", SQL.identifier("record", self.column), list(ids)
        )
        if self.model_column:
            condition = SQL(
                "%s = %s AND %s",
                SQL.identifier("record", self.model_column),
                model,
                condition,
            )
        return condition

    def where_movable(self, model, ids):
        """As :meth:`where`, without the rows that are part of the record itself:
        the files of its binary fields are columns in all but name, and the
        survivor has its own."""
        if self.table == "ir_attachment" and self.model_column:
            return SQL("record.res_field IS NULL AND %s", self.where(model, ids))
        return self.where(model, ids)


@dataclass(frozen=True)
class Unique:
    """A unique index over plain columns;
    ``predicate`` is its WHERE clause, or ``""``."""

    name: str
    columns: tuple[str, ...]
    predicate: str


class Catalog:
    """Read-through view of one database;
    keep it for one merge, the schema may change."""

    def __init__(self, env, history_models=()):
        """:param history_models: models whose (model, id) pairs are ledgers: they go on
        naming the record that they were written for"""
        self.env = env
        self.history_models = frozenset(history_models)
        self._uniques = {}
        self._foreign_keys = {}

    def has_id(self, table):
        return table in self._tables_with_id

    @cached_property
    def _tables_with_id(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT relation.relname FROM pg_class AS relation"
                " JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid"
                " WHERE attribute.attname = 'id' AND relation.relkind = 'r'"
                " AND relation.relnamespace = current_schema::regnamespace"
            )
        )
        return {table for (table,) in rows}

    def used(self, references, model, ids):
        """Most of the hundreds of references lead nowhere: a few statements tell which.

        :return: list of those by which a row points at one of these records
        """
        found = []
        for part in split_every(SLICE, references, list):
            rows = self.env.execute_query(
                SQL(" UNION ALL ").join(
                    SQL(
                        "SELECT %s WHERE EXISTS (SELECT FROM %s AS record WHERE %s)",
                        place,
                        SQL.identifier(reference.table),
                        reference.where(model, ids),
                    )
                    for place, reference in enumerate(part)
                )
            )
            found += [part[place] for (place,) in sorted(rows)]
        return found

    def foreign_keys(self, table):
        """:return: list of :class:`Reference` to the ``id`` of a table"""
        if table not in self._foreign_keys:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT source.relname, attribute.attname
                      FROM pg_constraint AS fk
                      JOIN pg_class AS source ON source.oid = fk.conrelid
                      JOIN pg_attribute AS attribute
                        ON attribute.attrelid = fk.conrelid AND attribute.attnum =
                        fk.conkey[1]
                     WHERE fk.contype = 'f'
                       AND fk.confrelid = %s::regclass
                       AND array_length(fk.conkey, 1) = 1
                  ORDER BY source.relname, attribute.attname
                    """,
                    f'"{table}"',
                )
            )
            # rows of the core wizard itself are transient and are about this very merge
            self._foreign_keys[table] = [
                Reference(*row)
                for row in rows
                if not row[0].startswith("base_partner_merge_")
            ]
        return self._foreign_keys[table]

    @cached_property
    def pairs(self):
        """:return: :class:`Reference` of every
        stored (model, id) pair in the registry"""
        found = set()
        for Model in self.env.registry.models.values():
            if Model._abstract or not Model._auto or Model._name in self.history_models:
                continue
            for field in Model._fields.values():
                if field.type != "many2one_reference" or not field.store:
                    continue
                model_field = Model._fields.get(field.model_field)
                if model_field and model_field.store and model_field.column_type:
                    found.add(Reference(Model._table, field.name, model_field.name))
        return sorted(found, key=lambda ref: (ref.table, ref.column))

    @cached_property
    def written_models(self):
        """:return: names of the models that somebody may write by hand"""
        rows = (
            self.env["ir.model.access"]
            .sudo()
            ._read_group(
                [("perm_write", "=", True), ("active", "=", True)], ["model_id"]
            )
        )
        return {model.model for (model,) in rows}

    @cached_property
    def reference_columns(self):
        """:return: ``(table, column)`` of every stored ``reference`` field"""
        return sorted(
            (Model._table, field.name)
            for Model in self.env.registry.models.values()
            if not Model._abstract and Model._auto
            for field in Model._fields.values()
            if field.type == "reference" and field.store and field.column_type
        )

    def company_dependent_columns(self, model):
        """:return: ``(table, column)`` of
        company-dependent many2one fields to a model"""
        return [
            (self.env[field.model_name]._table, field.name)
            for field in self.env.registry.many2one_company_dependents[model]
        ]

    def uniques(self, table):
        """:return: list of :class:`Unique` of a table, primary key left out"""
        if table not in self._uniques:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT relation.relname,
                           array_agg(attribute.attname::text ORDER BY key.position),
                           COALESCE(pg_get_expr(index.indpred, index.indrelid), '')
                      FROM pg_index AS index
                      JOIN pg_class AS relation ON relation.oid = index.indexrelid
                CROSS JOIN LATERAL unnest(index.indkey) WITH ORDINALITY AS key(number,
                position)
                      JOIN pg_attribute AS attribute
                        ON attribute.attrelid = index.indrelid AND attribute.attnum =
                        key.number
                     WHERE index.indrelid = %s::regclass
                       AND index.indisunique
                       AND index.indexprs IS NULL
                       AND key.position <= index.indnkeyatts
                  GROUP BY relation.relname, index.indpred, index.indrelid
                    """,
                    f'"{table}"',
                )
            )
            self._uniques[table] = [
                Unique(name, tuple(columns), predicate)
                for name, columns, predicate in rows
                if columns != ["id"]
            ]
        return self._uniques[table]

    def model_of(self, table):
        """:return: name of the model that a table belongs to, or ``None``"""
        return self._model_by_table.get(table)

    @cached_property
    def _model_by_table(self):
        return {
            Model._table: Model._name
            for Model in self.env.registry.models.values()
            if not Model._abstract and Model._auto
        }
