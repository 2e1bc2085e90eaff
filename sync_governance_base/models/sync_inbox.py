from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: most kinds of work that ids can tell apart
MAX_KINDS = 16
#: what has waited longer stands out
LATE_DAYS = 7


class InboxWork(NamedTuple):
    """How one kind of work reads and is decided from the list, without opening it.

    :param title: field whose text says what it is about
    :param accept: method that lets the change in; None: the record is opened instead
    :param reject: method that turns it down
    :param group: who decides on it
    :param opens: many2one to the record that shows it; None: it has a form of its own
    """

    title: str = "display_name"
    accept: str | None = None
    reject: str | None = None
    group: str = "sync_governance_base.group_sync_steward"
    opens: str | None = None


class SyncInbox(models.Model):
    """Everything that waits for a steward's decision, as one list.

    Not a table but a union of queries, one a model: :meth:`_sync_inbox_queries`. Rows
    are read-only; the decision is taken on the record itself, which a row opens.
    """

    _name = "sync.inbox"
    _description = "Steward Inbox"
    _auto = False
    _order = "value_at_stake desc nulls last, since, id"
    _rec_name = "title"

    title = fields.Char(compute="_compute_title")
    kind = fields.Selection(
        selection=lambda self: self._sync_inbox_kinds(), readonly=True
    )
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    domain_id = fields.Many2one("sync.domain", readonly=True)
    system_id = fields.Many2one("sync.system", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", string="Steward", readonly=True)
    value_at_stake = fields.Float(
        readonly=True, help="In the company's currency, where it is known."
    )
    since = fields.Datetime(string="Waiting Since", readonly=True)
    waiting = fields.Char(compute="_compute_waiting", help="Time in this state.")
    is_late = fields.Boolean(compute="_compute_waiting")
    can_decide = fields.Boolean(compute="_compute_can_decide")

    _depends = {
        "sync.conflict": [
            "company_id",
            "create_date",
            "domain_id",
            "state",
            "steward_id",
            "system_id",
        ],
        "sync.change.request": [
            "company_id",
            "domain_id",
            "state",
            "state_since",
            "system_id",
        ],
    }

    @property
    def _table_query(self):
        parts = [
            SQL(
                """
                SELECT work.res_id * %s + %s AS id, %s AS kind, %s AS res_model, work.*
                  FROM (%s) AS work (res_id, domain_id, system_id, company_id, user_id,
                                     value_at_stake, since)
                """,
                MAX_KINDS,
                position,
                model_name,
                model_name,
                query,
            )
            for position, (model_name, query) in enumerate(
                sorted(self._sync_inbox_queries().items())
            )
        ]
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _sync_inbox_queries(self):
        """Queries of the open work: ``{model name: SQL}``, each giving the columns
        ``res_id, domain_id, system_id, company_id, user_id, value_at_stake,
        since`` in this order. Modules add theirs with ``super()``, and the fields they
        read to ``_depends``.
        """
        return {
            "sync.conflict": SQL(
                """
                SELECT id, domain_id, system_id, company_id, steward_id,
                       NULL::float, create_date
                  FROM sync_conflict WHERE state = 'open'
                """
            ),
            "sync.change.request": SQL(
                """
                SELECT id, domain_id, system_id, company_id, NULL::int,
                       NULL::float, state_since
                  FROM sync_change_request WHERE state = 'submitted'
                """
            ),
        }

    @api.model
    def _sync_inbox_work(self) -> dict[str, InboxWork]:
        """How each kind of work reads and is decided; modules add theirs."""
        return {
            "sync.conflict": InboxWork("summary", "action_take_all", "action_keep_all"),
            "sync.change.request": InboxWork(
                "summary", "action_approve", "action_reject"
            ),
        }

    @api.depends("res_model", "res_id")
    def _compute_title(self):
        kinds = self._sync_inbox_work()
        for model_name, rows in self.grouped("res_model").items():
            title = kinds.get(model_name, InboxWork()).title
            records = self.env[model_name].browse(rows.mapped("res_id"))
            for row, record in zip(rows, records, strict=True):
                row.title = record[title]

    @api.depends("since")
    @api.depends_context("lang")
    def _compute_waiting(self):
        tower = self.env["sync.control.tower"]
        late = fields.Datetime.now() - timedelta(days=LATE_DAYS)
        for row in self:
            row.waiting = tower._age(row.since)
            row.is_late = row.since < late

    @api.depends("res_model")
    @api.depends_context("uid")
    def _compute_can_decide(self):
        for row in self:
            row.can_decide = self.env.user.has_group(row._work().group)

    def _work(self):
        return self._sync_inbox_work().get(self.res_model, InboxWork())

    @api.model
    def _sync_inbox_kinds(self):
        return [
            (model_name, self.env["ir.model"]._get(model_name).name)
            for model_name in sorted(self._sync_inbox_queries())
        ]

    def action_open(self):
        """Open the record that waits for the decision."""
        self._check_waiting()
        record, opens = self.env[self.res_model].browse(self.res_id), self._work().opens
        shown = record[opens] if opens else record
        return {
            "type": "ir.actions.act_window",
            "res_model": shown._name,
            "res_id": shown.id,
            "views": [(False, "form")],
        }

    def action_accept(self):
        """Let the change in: take the incoming values, approve the request."""
        return self._decide("accept")

    def action_reject(self):
        """Turn the change down: keep Odoo's values, ask for the reason."""
        return self._decide("reject")

    def _decide(self, side):
        self._check_waiting()
        method = getattr(self._work(), side)
        if not method:
            return self.action_open()
        return getattr(self.env[self.res_model].browse(self.res_id), method)()

    def _check_waiting(self):
        self.ensure_one()
        if not self.exists():
            raise UserError(self.env._("This has just been decided by somebody else."))
