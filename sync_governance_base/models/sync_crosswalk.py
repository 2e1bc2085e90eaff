from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

# whoever may see all fields of all records, so to say
_KEEPERS = (
    "sync_governance_base.group_sync_integration_manager,"
    "sync_governance_base.group_sync_auditor"
)
_MOVED_FIELDS = ("res_id", "state", "superseded_by_id", "reason", "valid_to")


class SyncCrosswalk(models.Model):
    """An external id of a record in one system.

    Several ids of one system may point to one record; an id names one record only.  Ids
    outlive merges: the id of a merged record leads to the survivor.
    """

    _name = "sync.crosswalk"
    _description = "External Id"
    _inherit = ["sync.record.pointer", "sync.bulk.insert", "sync.company.guard"]
    _order = "res_model, res_id, system_id, id"
    _rec_name = "external_id"
    _check_company_auto = True

    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="restrict", index=True
    )
    res_model = fields.Char(string="Model", required=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True
    )
    external_id = fields.Char(string="External Id", required=True)
    external_url = fields.Char(compute="_compute_external_url")
    state = fields.Selection(
        [("active", "Active"), ("superseded", "Superseded"), ("retired", "Retired")],
        required=True,
        default="active",
    )
    valid_from = fields.Datetime(required=True, default=fields.Datetime.now)
    valid_to = fields.Datetime()
    reason = fields.Char()
    superseded_by_id = fields.Many2one(
        "sync.crosswalk", ondelete="set null", index="btree_not_null"
    )
    base_json = fields.Json(
        string="Last Agreed Values",
        help="The values last agreed with that system.",
        groups=_KEEPERS,
    )
    stamps_json = fields.Json(
        string="Written At",
        help="When that system last wrote each field, in UTC.",
        groups=_KEEPERS,
    )
    last_seen = fields.Datetime(readonly=True)
    health = fields.Selection(
        [
            ("good", "Good"),
            ("orphan", "Record gone"),
            ("shared", "Several ids for one record"),
            ("unused", "Unused for 90 days"),
        ],
        compute="_compute_health",
        search="_search_health",
    )
    company_id = fields.Many2one("res.company")

    _external_unique = models.Constraint(
        "UNIQUE(system_id, res_model, external_id)",
        "This external id already names a record.",
    )
    _record_index = models.Index("(res_model, res_id)")

    # ------------------------------------------------------------------
    # Computed
    # ------------------------------------------------------------------

    @property
    def record(self):
        """The Odoo record, empty when it or its model is gone."""
        return self._record() or self.env.get(self.res_model, self).browse()

    @api.depends("external_id", "system_id.record_url_template")
    def _compute_external_url(self):
        for crosswalk in self:
            crosswalk.external_url = (
                crosswalk.system_id
                and crosswalk.system_id._record_url(crosswalk.external_id or "")
            )

    @api.depends("res_model", "res_id", "state", "last_seen")
    def _compute_health(self):
        ids = {
            health: self._ids_in_health(health)
            for health in ("orphan", "shared", "unused")
        }
        for crosswalk in self:
            crosswalk.health = next(
                (health for health, found in ids.items() if crosswalk.id in found),
                "good",
            )

    @api.model
    def _search_health(self, operator, value):
        if operator != "in":
            return NotImplemented
        bad = ("orphan", "shared", "unused")
        domain = Domain.OR(
            Domain("id", "in", list(self._ids_in_health(health)))
            for health in bad
            if health in value
        )
        if "good" in value:
            everything_bad = set().union(
                *(self._ids_in_health(health) for health in bad)
            )
            domain |= Domain("id", "not in", list(everything_bad))
        return domain

    @api.model
    def _ids_in_health(self, health: str) -> set[int]:
        """The active rows of one kind of trouble."""
        active = [("state", "=", "active")]
        if health == "unused":
            since = fields.Datetime.subtract(fields.Datetime.now(), days=90)
            stale = [("last_seen", "=", False), ("valid_from", "<", since)]
            stale = Domain(stale) | Domain("last_seen", "<", since)
            return set(self.search(Domain(active) & stale).ids)
        if health == "shared":
            groups = self._read_group(
                active,
                ["system_id", "res_model", "res_id"],
                ["id:recordset"],
                having=[("__count", ">", 1)],
            )
            return {row.id for *_key, rows in groups for row in rows}
        orphans = set()
        for model_name, rows in self._read_group(
            active, ["res_model"], ["id:recordset"]
        ):
            living = set()
            if model_name in self.env:
                records = self.env[model_name].browse(set(rows.mapped("res_id")))
                living = set(records.exists().ids)
            orphans.update(row.id for row in rows if row.res_id not in living)
        return orphans

    @api.constrains("superseded_by_id")
    def _check_superseded_by_id(self):
        if self._has_cycle("superseded_by_id"):
            raise ValidationError(
                self.env._(
                    "An external id cannot be superseded by itself,"
                    " not even by detours."
                )
            )

    # ------------------------------------------------------------------
    # Look-up and linking
    # ------------------------------------------------------------------

    @api.model
    def _resolve(self, system, res_model: str, external_id: str):
        """The row that points at the living record behind an external id, or empty."""
        return self._resolve_moved(system, res_model, external_id)[0]

    @api.model
    def _named(self, system, res_model: str, external_id: str):
        """The row of an external id, whatever its state, or empty."""
        return self.search_fetch(
            [
                ("system_id", "=", system.id),
                ("res_model", "=", res_model),
                ("external_id", "=", external_id),
            ],
            ["res_model", "res_id", "external_id", "state", "superseded_by_id"],
            order="id",
        )

    @api.model
    def _resolve_moved(self, system, res_model: str, external_id: str):
        """Like ``_resolve``; tells also whether the id has been superseded or retired.

        :return: (row or empty, moved)
        """
        row = living = self._named(system, res_model, external_id)
        # the constraint excludes cycles, but not those of rows written by SQL
        seen = set()
        while living.superseded_by_id and living.id not in seen:
            seen.add(living.id)
            living = living.superseded_by_id
        moved = bool(row) and row.state != "active"
        if living.state == "retired":
            return self.browse(), moved
        return living, moved

    @api.model
    def _link(self, system, record, external_id: str):
        """Note that a system knows the record under
        that id; does nothing if noted already.

        :raise ValidationError: if the id names another record
        """
        record.ensure_one()
        row, _moved = self._resolve_moved(system, record._name, external_id)
        if row and row.res_id != record.id:
            raise ValidationError(
                self.env._(
                    "%(id)s of %(system)s already names another record (%(record)s).",
                    id=external_id,
                    system=system.name,
                    record=row.record_name or row.res_id,
                )
            )
        return (
            row
            or self._revive(system, record, external_id)
            or self._add(system, record, external_id)
        )

    @api.model
    def _revive(self, system, record, external_id):
        """Take up again an id whose record was deleted."""
        row = self._named(system, record._name, external_id).filtered(
            lambda row: row.state == "retired"
        )
        row.write(
            {
                "res_id": record.id,
                "state": "active",
                "superseded_by_id": False,
                "valid_to": False,
                "base_json": False,
                "stamps_json": False,
            }
        )
        return row

    @api.model
    def _add(self, system, record, external_id):
        company = record.sudo().company_id if "company_id" in record._fields else None
        return self.create(
            {
                "system_id": system.id,
                "res_model": record._name,
                "res_id": record.id,
                "external_id": external_id,
                "company_id": company.id if company else False,
            }
        )

    @api.model
    def _of_records(self, records):
        """All rows of the records, whatever their state."""
        return self.search(
            [("res_model", "=", records._name), ("res_id", "in", records.ids)]
        )

    # ------------------------------------------------------------------
    # Merge and deletion
    # ------------------------------------------------------------------

    @api.model
    def _repoint(
        self, res_model, loser_ids, survivor_id, reason, merge_ref=None
    ) -> list[dict]:
        """Lead the ids of merged records to the survivor; none is lost.

        An id becomes superseded when the survivor has an active one in the same system.

        :return: the rows' former values, which
            ``_unpoint`` takes; empty on a second call
        """
        # a merge may be done by people who cannot edit external ids
        rows = self.sudo().search(
            [("res_model", "=", res_model), ("res_id", "in", loser_ids)]
        )
        survivors = self.sudo().search(
            [
                ("res_model", "=", res_model),
                ("res_id", "=", survivor_id),
                ("state", "=", "active"),
            ]
        )
        by_system = {row.system_id: row for row in reversed(survivors)}
        text = f"{reason} ({merge_ref})" if merge_ref else reason
        moves = []
        for row in rows:
            moves.append(
                {"id": row.id, **row._read_format(_MOVED_FIELDS, load=None)[0]}
            )
            values = {"res_id": survivor_id, "reason": text}
            winner = by_system.setdefault(row.system_id, row)
            if row.state == "active" and winner != row:
                values.update(
                    state="superseded",
                    superseded_by_id=winner.id,
                    valid_to=fields.Datetime.now(),
                )
            row.write(values)
        return [self._json_move(move) for move in moves]

    @api.model
    def _json_move(self, move: dict) -> dict:
        valid_to = move["valid_to"]
        return {**move, "valid_to": valid_to and fields.Datetime.to_string(valid_to)}

    @api.model
    def _unpoint(self, moves: list[dict]) -> None:
        """Undo ``_repoint``: give each row the values it had."""
        for move in moves:
            values = {name: move[name] for name in _MOVED_FIELDS}
            self.sudo().browse(move["id"]).exists().write(values)

    @api.model
    def _retire(self, res_model, ids: list[int]) -> None:
        """Retire the ids of deleted records; they go on being known as once used."""
        # whoever may delete the record need not be able to edit external ids
        rows = self.sudo().search(
            [
                ("res_model", "=", res_model),
                ("res_id", "in", ids),
                ("state", "!=", "retired"),
            ]
        )
        rows._retire_rows(self.env._("Record deleted"))

    def _retire_rows(self, reason: str) -> None:
        self.filtered(lambda row: row.state != "retired").write(
            {"state": "retired", "valid_to": fields.Datetime.now(), "reason": reason}
        )
