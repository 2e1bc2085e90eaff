# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from contextlib import contextmanager

from psycopg2.extras import execute_values

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import keys as blocking
from ..tools.profile import Layout, pack

#: Records that are read and normalised at a time.
BATCH = 20_000


class SyncDuplicateKey(models.Model):
    """A record as the engine compares it: its normalised profile and its blocking keys.

    One row a record and rule; the keys are an indexed array, so that "who shares a key
    with this record" is one index scan. Rows are written by batched SQL only:
    in the transaction that changes a record, and for all records that have none
    when a scan begins.
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
        """The array column and its index: the ORM has no field for them.

        No ``fastupdate``: its list of pending entries is read by every single check.
        """
        self.env.cr.execute(
            """
            ALTER TABLE sync_duplicate_key ADD COLUMN IF NOT EXISTS keys int4[];
            CREATE INDEX IF NOT EXISTS sync_duplicate_key_keys_idx
                ON sync_duplicate_key USING gin (keys) WITH (fastupdate = off)
            """
        )

    @api.model
    def _refresh(self, rule, record_ids):
        """Write the rows of these records; a record
        that the rule no longer covers loses its row."""
        covered = set()
        layout = Layout(rule.env["sync.duplicate.engine"]._spec(rule))
        for start in range(0, len(record_ids), BATCH):
            rows = self._read_rows(rule, record_ids[start : start + BATCH])
            covered.update(row["id"] for row in rows)
            self._write_rows(rule, layout, rows)
        self._drop(rule, [each for each in record_ids if each not in covered])

    @api.model
    def _refresh_slice(self, rule, after_id, limit):
        """Bring the rows of the ``limit`` records behind ``after_id`` up to date.

        :return: (last id of the slice, number of records)
        """
        with self._bulk():
            return self._write_slice(rule, after_id, limit)

    @contextmanager
    def _bulk(self):
        """Let the index collect entries while thousands of rows are written."""
        self.env.cr.execute(
            "ALTER INDEX sync_duplicate_key_keys_idx SET (fastupdate = on)"
        )
        yield
        self.env.cr.execute(
            """
            ALTER INDEX sync_duplicate_key_keys_idx SET (fastupdate = off);
            SELECT gin_clean_pending_list('sync_duplicate_key_keys_idx')
            """
        )

    @api.model
    def _write_slice(self, rule, after_id, limit):
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        last_id, count = after_id, 0
        while count < limit:
            rows = self._read_rows(
                rule, after_id=last_id, limit=min(BATCH, limit - count)
            )
            if not rows:
                break
            self._write_rows(rule, layout, rows)
            self._drop_between(rule, last_id, rows)
            last_id, count = rows[-1]["id"], count + len(rows)
        else:
            return last_id, count
        self._drop_between(rule, last_id, [])
        return last_id, count

    @api.model
    def _drop_between(self, rule, after_id, rows):
        """Drop rows of records that the rule no
        longer covers, in the range just read."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM sync_duplicate_key WHERE rule_id = %s AND res_id > %s"
                " AND res_id <= %s AND res_id != ALL(%s)",
                rule.id,
                after_id,
                rows[-1]["id"] if rows else 2**31 - 1,
                [row["id"] for row in rows],
            )
        )

    @api.model
    def _stream(self, rule, size=BATCH):
        """Chunks of (record id, profile, keys) of the rule's rows, by record id."""
        last_id = 0
        while True:
            rows = self.env.execute_query(
                SQL(
                    "SELECT res_id, profile, keys FROM sync_duplicate_key"
                    " WHERE rule_id = %s AND res_id > %s ORDER BY res_id LIMIT %s",
                    rule.id,
                    last_id,
                    size,
                )
            )
            if not rows:
                return
            yield rows
            last_id = rows[-1][0]

    @api.model
    def _read_rows(self, rule, record_ids=None, after_id=None, limit=None):
        """Raw values of records that the rule covers, by field name.

        Either of ``record_ids`` or of the ``limit`` records behind ``after_id``.
        """
        Model = self.env[rule.model_name].sudo().with_context(active_test=False)
        domain = rule._record_domain()
        if record_ids is not None:
            domain &= fields.Domain("id", "in", record_ids)
        if after_id is not None:
            domain &= fields.Domain("id", ">", after_id)
        query = Model._search(domain, order="id", limit=limit)
        columns = self._columns(rule, Model, query)
        self.env.cr.execute(query.select(*(sql for _name, sql in columns)))
        names = [name for name, _sql in columns]
        return [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]

    @api.model
    def _columns(self, rule, Model, query):
        """[(field, SQL)] of what is read; many2one
        fields as :class:`Layout` wants them."""
        columns = [("id", SQL.identifier(Model._table, "id"))]
        for line in rule.field_ids:
            field = Model._fields[line.name]
            expression = Model._field_to_sql(query.table, line.name, query)
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

    @api.model
    def _write_rows(self, rule, layout, rows):
        """Insert or update the key rows of raw rows."""
        prepared = []
        for row in rows:
            profile = layout.profile(row)
            prepared.append((rule.id, row["id"], pack(profile), blocking.keys(profile)))
        execute_values(
            self.env.cr._obj,
            """
            INSERT INTO sync_duplicate_key AS known
                   (rule_id, res_id, profile, keys)
            VALUES %s
            ON CONFLICT (rule_id, res_id) DO UPDATE
               SET profile = EXCLUDED.profile, keys = EXCLUDED.keys
             WHERE known.profile != EXCLUDED.profile
            """,
            prepared,
            template="(%s, %s, %s, %s)",
            page_size=5000,
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
