from datetime import datetime
from functools import partial

from psycopg2.extras import Json

from odoo import api, fields, models, tools
from odoo.tools import SQL

_KEY = "sync_write_samples"
_COLUMNS = (
    "written_at",
    "res_model",
    "res_id",
    "field_names",
    "company_id",
    "channel",
    "system_id",
    "user_id",
    "superuser",
    "weight",
)


class SyncWriteSample(models.Model):
    """Which fields a source has changed, on models whose writes are being recorded.

    For the dry run of a draft (see ``sync.policy``): names, never values. Recording is
    asked for per model and ends by itself. Of one call to ``write`` at most
    100 records are kept, each standing for as many as its weight says; rows are
    dropped after 14 days, and above 50,000 a model.
    """

    _name = "sync.write.sample"
    _description = "Recorded Write"
    _inherit = ["sync.record.pointer"]
    _order = "id desc"
    _log_access = False
    _kept_days = 14
    _max_rows = 50_000
    _max_records = 100
    _rec_name = "res_model"

    written_at = fields.Datetime(required=True, readonly=True, index=True)
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    field_names = fields.Json(
        readonly=True,
        help="Technical names of what was changed; (create) and (delete) for records.",
    )
    changed_fields = fields.Char(compute="_compute_changed_fields")
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    channel = fields.Selection(
        lambda self: self.env["sync.policy.hit"]._fields["channel"].selection,
        required=True,
        readonly=True,
    )
    system_id = fields.Many2one("sync.system", readonly=True, ondelete="set null")
    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    superuser = fields.Boolean(
        readonly=True, help="The write ran with access rights off."
    )
    weight = fields.Integer(
        readonly=True, default=1, help="How many records this one stands for."
    )

    _model_index = models.Index("(res_model, written_at)")

    @api.depends("res_model", "field_names")
    @api.depends_context("lang")
    def _compute_changed_fields(self):
        policies = self.env["sync.policy"]
        for sample in self:
            sample.changed_fields = ", ".join(
                policies._label(sample.res_model, name) for name in sample.field_names
            )

    # ------------------------------------------------------------------
    # Recording, called by the write hook
    # ------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _sampled_models(self) -> dict[str, datetime]:
        """The models whose writes are recorded, and until when."""
        # recording is for everybody's writes, whoever may read policies
        policies = self.env["sync.policy"].sudo()
        return {
            model_name: until
            for model_name, until in policies._read_group(
                [("sampling_until", "!=", False)],
                ["model_name"],
                ["sampling_until:max"],
            )
        }

    @api.model
    def _is_sampled(self, model_name: str) -> bool:
        until = self._sampled_models().get(model_name)
        return until is not None and fields.Datetime.now() < until

    @api.model
    def _note_write(self, records, vals) -> None:
        """Record a write that is about to be made: which records it changes, and where.

        Called before it, while the old values are still there.
        """
        policies = self.env["sync.policy"]
        changed = {}
        for name in vals.keys() & records._fields.keys():
            for record in policies._changed(records, name, vals[name]):
                changed.setdefault(record, []).append(name)
        kept = list(changed.items())[: self._max_records]
        self._note(
            (record, sorted(names), len(range(position, len(changed), len(kept))))
            for position, (record, names) in enumerate(kept)
        )

    @api.model
    def _note_whole(self, records, what: str) -> None:
        """Record that records have been created, or are about to be deleted.

        :param what: CREATION or DELETION
        """
        groups = records.grouped(self._company_of)
        self._note((group[:1], [what], len(group)) for group in groups.values())

    @api.model
    def _company_of(self, record):
        company = record.sudo().company_id if "company_id" in record._fields else None
        return company or self.env.company

    @api.model
    def _note(self, writes) -> None:
        """Keep rows for the end of the transaction.

        :param writes: triples of record, names of fields, and weight
        """
        data = self.env.cr.precommit.data
        if _KEY not in data:
            data[_KEY] = []
            self.env.cr.precommit.add(partial(self._store_noted, data))
        source = self.env["sync.system"]._current_source()
        now = fields.Datetime.now()
        data[_KEY] += [
            (
                now,
                record._name,
                record.id,
                Json(names),
                self._company_of(record).id,
                source.channel.value,
                source.system_id,
                source.user_id,
                source.superuser,
                weight,
            )
            for record, names, weight in writes
        ]

    @api.model
    def _store_noted(self, data) -> None:
        rows = data.pop(_KEY)
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s",
                SQL.identifier(self._table),
                SQL(", ").join(map(SQL.identifier, _COLUMNS)),
                SQL(", ").join(
                    SQL("(%s)", SQL(", ").join(SQL("%s", one) for one in row))
                    for row in rows
                ),
            )
        )

    @api.autovacuum
    def _gc_samples(self):
        """Drop what is too old, and the oldest of what is too much."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM sync_write_sample
                 WHERE written_at < %s
                    OR id IN (
                        SELECT id
                          FROM (SELECT id, row_number() OVER (
                                           PARTITION BY res_model ORDER BY id DESC
                                       ) AS rank
                                  FROM sync_write_sample) AS ranked
                         WHERE rank > %s)
                """,
                fields.Datetime.subtract(fields.Datetime.now(), days=self._kept_days),
                self._max_rows,
            )
        )
