# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import keys as blocking
from ..tools.copying import FixedRows, array_text
from ..tools.profile import VERSION, Layout, pack, unpack

#: Records that are read at a time.
BATCH = 20_000
#: Name under which the hash of a raw row travels beside its fields.
SOURCE = "\0source"


class SyncDuplicateKey(models.Model):
    """A record as the engine compares it: its normalised profile and its blocking keys.

    One row a record and rule; the keys are an indexed array, so that "who shares a key
    with this record" is one index scan. Rows are written by batched SQL only: in the
    transaction that changes a record, and when a scan meets a record whose compared
    values are not those that ``source`` is the hash of.
    """

    _name = "sync.duplicate.key"
    _description = "Duplicate Matching Keys"
    _log_access = False
    _rec_name = "res_id"

    rule_id = fields.Many2one("sync.duplicate.rule", required=True, ondelete="cascade")
    res_id = fields.Many2oneReference(
        model_field="res_model", string="Record", required=True
    )
    res_model = fields.Char(related="rule_id.model_name")
    profile = fields.Text(
        required=True, help="Normalised values, see tools/profile.py."
    )

    _record_uniq = models.UniqueIndex("(rule_id, res_id)")

    def init(self):
        """What the ORM has no words for: the array of keys, its index, and the query
        by it.

        No ``fastupdate``: its list of pending entries is read by every single check.
        The planner cannot know how rare a key is, and for the few rows that the LIMIT
        asks for it would rather read the table: inside the function only the index
        is left to it.
        """
        self.env.cr.execute(
            """
            ALTER TABLE sync_duplicate_key ADD COLUMN IF NOT EXISTS keys int4[];
            ALTER TABLE sync_duplicate_key ADD COLUMN IF NOT EXISTS source int8;
            CREATE INDEX IF NOT EXISTS sync_duplicate_key_keys_idx
                ON sync_duplicate_key USING gin (keys) WITH (fastupdate = off);
            CREATE OR REPLACE FUNCTION sync_duplicate_blocks(
                wanted_rule int4, wanted int4[], most int4
            ) RETURNS TABLE (key int4, res_id int4)
            LANGUAGE sql STABLE SET enable_seqscan = off AS $$
                SELECT wanted_key, known.res_id
                  FROM unnest(wanted) AS wanted_key,
                       LATERAL (SELECT row.res_id
                                  FROM sync_duplicate_key AS row
                                 WHERE row.rule_id + 0 = wanted_rule
                                   AND row.keys @> ARRAY[wanted_key]
                                 LIMIT most) AS known
            $$
            """
        )

    # -- write -------------------------------------------------------------------------

    @api.model
    def _refresh(self, rule, record_ids):
        """Write the rows of these records; a record
        that the rule no longer covers loses its row."""
        covered = set()
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        for start in range(0, len(record_ids), BATCH):
            rows = self._read_rows(
                rule, fields.Domain("id", "in", record_ids[start : start + BATCH])
            )
            covered.update(row["id"] for row in rows)
            self._write_rows(rule, self._prepare(layout, rows))
        self._drop(rule, [each for each in record_ids if each not in covered])

    @api.model
    def _prepare(self, layout, rows):
        """:return: [(record id, packed profile, keys, source)] of raw rows"""
        prepared = []
        for row in rows:
            profile = layout.profile(row)
            keys = blocking.keys(layout, profile)
            prepared.append((row["id"], pack(profile), keys, row[SOURCE]))
        return prepared

    @api.model
    def _write_rows(self, rule, prepared):
        """Insert or update rows made by :meth:`_prepare`."""
        if not prepared:
            return
        ids, profiles, keys, sources = zip(*prepared, strict=True)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sync_duplicate_key (rule_id, res_id, profile, keys, source)
                SELECT %s, res_id, profile, keys::int4[], source
                  FROM unnest(%s::int4[], %s::text[], %s::text[], %s::int8[])
                       AS row(res_id, profile, keys, source)
                    ON CONFLICT (rule_id, res_id) DO UPDATE
                   SET profile = EXCLUDED.profile, keys = EXCLUDED.keys,
                       source = EXCLUDED.source
                """,
                rule.id,
                array_text(ids),
                array_text(profiles),
                array_text(map(array_text, keys)),
                array_text(sources),
            )
        )

    @api.model
    def _drop(self, rule, record_ids):
        if record_ids:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM sync_duplicate_key"
                    " WHERE rule_id = %s AND res_id = ANY(%s)",
                    rule.id,
                    list(record_ids),
                )
            )

    @api.model
    def _drop_uncovered(self, rule):
        """Drop the rows of records that have gone or that the rule no longer covers.

        :return: ids of these records
        """
        dropped = self.env.execute_query(
            SQL(
                "DELETE FROM sync_duplicate_key AS known WHERE rule_id = %s"
                " AND NOT EXISTS (SELECT FROM (%s) AS record"
                " WHERE record.id = known.res_id) RETURNING res_id",
                rule.id,
                self._covered(rule).select(),
            )
        )
        return [res_id for (res_id,) in dropped]

    @api.model
    def _analyze(self):
        """Tell PostgreSQL's planner how many rows a scan has written."""
        self.env.cr.execute("ANALYZE sync_duplicate_key (rule_id, res_id)")

    # -- read --------------------------------------------------------------------------

    @api.model
    def _sharing(self, rule, keys):
        """:return: (keys, record ids that hold them), as arrays; of each of these keys
        one more record than may share it at most"""
        return self._fetch_arrays(
            SQL(
                "SELECT key, res_id FROM sync_duplicate_blocks(%s, %s::int4[], %s)",
                rule.id,
                array_text(keys),
                blocking.CAP + 1,
            ),
            ">i4",
            ">i4",
        )

    @api.model
    def _profiles(self, rule, record_ids):
        """:return: {record id: packed profile}"""
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT res_id, profile FROM sync_duplicate_key"
                    " WHERE rule_id = %s AND res_id = ANY(%s::int4[])",
                    rule.id,
                    array_text(record_ids),
                )
            )
        )

    @api.model
    def _stream(self, rule, size=BATCH):
        """Lists of (record id, profile) of the rule's rows, by record id."""
        last_id = 0
        while True:
            rows = self.env.execute_query(
                SQL(
                    "SELECT res_id, profile FROM sync_duplicate_key"
                    " WHERE rule_id = %s AND res_id > %s ORDER BY res_id LIMIT %s",
                    rule.id,
                    last_id,
                    size,
                )
            )
            if not rows:
                return
            yield [(res_id, unpack(text)) for res_id, text in rows]
            last_id = rows[-1][0]

    @api.model
    def _entries(self, rule):
        """:return: array of :func:`~..tools.blocking.entries` of the whole base; rows
        are numbered as :meth:`_stream` yields them"""
        [entries] = self._fetch_arrays(
            SQL(
                "SELECT (key::int8 << 32) | place"
                " FROM (SELECT keys, row_number() OVER (ORDER BY res_id) - 1 AS place"
                " FROM sync_duplicate_key WHERE rule_id = %s) AS known,"
                " unnest(keys) AS key",
                rule.id,
            ),
            ">i8",
        )
        return entries

    @api.model
    def _fetch_arrays(self, query, *types):
        """:return: one array a column of a query, see :class:`FixedRows`"""
        rows = FixedRows(*types)
        command = SQL("COPY (%s) TO STDOUT (FORMAT binary)", query)
        self.env.cr.copy_expert(self.env.cr.mogrify(command).decode(), rows)
        return rows.columns()

    @api.model
    def _covered(self, rule, domain=fields.Domain.TRUE, **options):
        """Query of the records that the rule covers."""
        domain = rule._record_domain() & fields.Domain(domain)
        return self._records(rule)._search(domain, **options)

    @api.model
    def _records(self, rule):
        """The rule's model as the engine reads it, whoever runs it: all records, and
        of translated texts the original."""
        Model = self.env[rule.model_name].sudo()
        return Model.with_context(active_test=False, lang=None)

    @api.model
    def _column(self, rule, query, name):
        """SQL of a compared field. Hook: for fields that are no column of the model."""
        return self._records(rule)._field_to_sql(query.table, name, query)

    @api.model
    def _read_rows(self, rule, domain, limit=None, changed_after=None):
        """Raw values of records that the rule covers by field name, by record id,
        and the hash of them.

        :param changed_after: only of records behind this id whose stored row is missing
            or of other values
        """
        if changed_after is not None:
            domain = fields.Domain(domain) & fields.Domain("id", ">", changed_after)
        query = self._covered(rule, domain, order="id", limit=limit)
        columns = self._columns(rule, query)
        source = self._source(rule, query)
        if changed_after is not None:
            # the id twice: PostgreSQL begins behind it on both sides
            query.add_join(
                "LEFT JOIN",
                "known",
                self._table,
                SQL(
                    "known.rule_id = %s AND known.res_id = %s AND known.res_id > %s",
                    rule.id,
                    SQL.identifier(query.table, "id"),
                    changed_after,
                ),
            )
            query.add_where(SQL("known.source IS DISTINCT FROM %s", source))
        rows = self.env.execute_query(
            query.select(source, *(sql for _name, sql in columns))
        )
        names = [SOURCE, *(name for name, _sql in columns)]
        return [dict(zip(names, row, strict=True)) for row in rows]

    @api.model
    def _source(self, rule, query):
        """SQL of the hash of a record's compared values, and of how they are read."""
        names = rule.field_ids.mapped("name")
        kinds = [f"{line.name}:{line.kind}" for line in rule.field_ids]
        return SQL(
            "hashtextextended(ROW(%s)::text, %s)",
            SQL(", ").join(self._column(rule, query, name) for name in names),
            blocking.hashed("layout", str(VERSION), *kinds),
        )

    @api.model
    def _columns(self, rule, query):
        """[(field, SQL)] of what is read; many2one
        fields as :class:`Layout` wants them."""
        Model = self.env[rule.model_name]
        columns = [("id", SQL.identifier(query.table, "id"))]
        for line in rule.field_ids:
            field = Model._fields[line.name]
            expression = self._column(rule, query, line.name)
            if field.type == "many2one" and line.kind in ("country", "state"):
                name = (
                    "code" if "code" in self.env[field.comodel_name]._fields else "name"
                )
                comodel = self.env[field.comodel_name].sudo()
                alias = query.make_alias(query.table, line.name)
                query.add_join(
                    "LEFT JOIN",
                    alias,
                    comodel._table,
                    SQL("%s = %s", expression, SQL.identifier(alias, "id")),
                )
                expression = SQL.identifier(alias, name)
            columns.append((line.name, expression))
        return columns
