# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from ast import literal_eval
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain

from ..tools import reconcile

INTERVALS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


class SyncReconciliation(models.Model):
    """Compares what a system says it has with what Odoo has.

    The system's snapshot is a document (or comes by a feed); it is read by the same
    mapping as the system's messages, so that both sides are compared in canonical
    words, member by member, each with its tolerance.
    """

    _name = "sync.reconciliation"
    _description = "Reconciliation"
    _inherit = ["sync.company.guard", "mail.thread", "sync.document.layout"]
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="cascade", index=True, tracking=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    resource = fields.Selection("_selection_resource", required=True, tracking=True)
    event_type = fields.Char(
        string="Partner's Event",
        tracking=True,
        help="Rows are read by the system's active mapping of this event. Empty: the"
        " rows are written in our canonical words already.",
    )
    scope = fields.Char(
        required=True,
        default="[]",
        tracking=True,
        help="Which of Odoo's records the system should have. Records beyond it are"
        " never reported as missing there.",
    )
    scope_model = fields.Char(compute="_compute_scope_model")
    line_ids = fields.One2many(
        "sync.reconciliation.line",
        "reconciliation_id",
        string="Compared Members",
        copy=True,
    )
    feed_id = fields.Many2one(
        "sync.feed",
        domain="[('system_id', '=', system_id), ('direction', '=', 'in')]",
        help="Fetches the snapshot, in its own layout; it need not be active. Empty:"
        " somebody gives the snapshot.",
    )
    interval = fields.Selection(
        [("day", "Every day"), ("week", "Every week")],
        string="Repeat",
        tracking=True,
        help="Needs a source that can be asked again, such as a feed.",
    )
    next_run_at = fields.Datetime(string="Next Run", copy=False)
    run_ids = fields.One2many(
        "sync.reconciliation.run", "reconciliation_id", string="Runs"
    )
    last_run_id = fields.Many2one(
        "sync.reconciliation.run", compute="_compute_last_run_id"
    )
    ignore_ids = fields.One2many(
        "sync.reconciliation.ignore",
        "reconciliation_id",
        string="Ignore Rules",
        copy=True,
    )
    open_count = fields.Integer(
        string="Open Differences", compute="_compute_open_count"
    )

    @api.model
    def _selection_resource(self):
        return [
            (name, name)
            for name, model in sorted(self.env["sync.resource"]._model_names().items())
            if hasattr(self.env[model], "_members")
        ]

    @api.depends("resource")
    def _compute_scope_model(self):
        for reconciliation in self:
            resource = reconciliation._resource()
            reconciliation.scope_model = (
                resource._resource_model if resource is not None else False
            )

    def _compute_last_run_id(self):
        for reconciliation in self:
            reconciliation.last_run_id = reconciliation.run_ids[:1]

    def _compute_open_count(self):
        counts = dict(
            self.env["sync.reconciliation.difference"]._read_group(
                [("reconciliation_id", "in", self.ids), ("state", "=", "open")],
                ["reconciliation_id"],
                ["__count"],
            )
        )
        for reconciliation in self:
            reconciliation.open_count = counts.get(reconciliation, 0)

    @api.onchange("resource")
    def _onchange_resource(self):
        """Compare everything that can be compared, until somebody chooses."""
        self.line_ids = [Command.clear(), *self._usual_lines()]

    def _usual_lines(self):
        resource = self._resource()
        members = resource._members() if resource is not None else ()
        return [
            Command.create(
                {
                    "path": member.path,
                    "tolerance": reconcile.usual_tolerance(member),
                }
            )
            for member in members
            if reconcile.comparable(member)
        ]

    @api.constrains("feed_id", "system_id")
    def _check_feed(self):
        for reconciliation in self.filtered("feed_id"):
            if reconciliation.feed_id.system_id != reconciliation.system_id:
                raise ValidationError(
                    self.env._(
                        "The feed is not one of %s.", reconciliation.system_id.name
                    )
                )

    @api.constrains("scope", "resource")
    def _check_scope(self):
        for reconciliation in self:
            try:
                # A pattern's system acts for nobody.
                if reconciliation.system_id.sudo().service_account_ids:
                    reconciliation._records(0, 1)
                # As the one who writes it (constraints run as superuser): a search
                # tells what may not be read.
                user_env = self.sudo(False).env
                user_env[reconciliation.scope_model].search(
                    reconciliation._scope_domain(), limit=1
                )
            except (ValueError, SyntaxError, TypeError, KeyError) as error:
                raise ValidationError(
                    self.env._("The scope is not a domain: %s", error)
                ) from error

    # -- our side --------------------------------------------------------------------

    def _resource(self):
        """The API's resource that is compared, or None."""
        return self.env["sync.resource"]._get(self.resource or "")

    def _acting_resource(self):
        """The resource, as the system itself would use it."""
        call = self.system_id._call(f"reconciliation:{self.id}")
        return self.system_id._acting_env(call)["sync.resource"]._get(self.resource)

    def _own_domain(self):
        """What of Odoo the system should have, within what the resource is about."""
        resource = self._acting_resource()
        return (
            resource._served_domain()
            & resource._company_domain()
            & self._scope_domain()
        )

    def _scope_domain(self):
        return Domain(literal_eval(self.scope or "[]"))

    def _records(self, after_id, limit):
        """The next of Odoo's records, by id."""
        # The system's reach does not matter: it is about what the system should have.
        return (
            self._acting_resource()
            ._listed_model()
            .search(
                self._own_domain() & Domain("id", ">", after_id),
                order="id",
                limit=limit,
            )
        )

    def _comparisons(self):
        return [line._comparison() for line in self.line_ids]

    # -- their side ------------------------------------------------------------------

    def _mapping(self):
        """The mapping of the rows, empty when they are canonical already.

        :raise UserError: none is active
        """
        mappings = self.env["sync.mapping"]
        if not self.event_type:
            return mappings
        mapping = mappings._of(self.system_id, self.event_type)
        if not mapping or mapping._ignores():
            raise UserError(
                self.env._(
                    "%(system)s has no active mapping of %(event)s.",
                    system=self.system_id.name,
                    event=self.event_type,
                )
            )
        return mapping

    def _has_source(self):
        """Whether a snapshot can be had without a person."""
        return bool(self.feed_id)

    # -- running ---------------------------------------------------------------------

    def _run(self, attachment=None):
        """Begin a run; queue_job does the work.

        :param attachment: the system's snapshot, a document in the layout
        :return: ``sync.reconciliation.run``
        """
        self.ensure_one()
        if self.run_ids.filtered(lambda run: run.state in ("queued", "running")):
            raise UserError(self.env._("%s is being compared already.", self.name))
        # Runs are a ledger that no person writes.
        run = (
            self.env["sync.reconciliation.run"]
            .sudo()
            .create(
                {
                    "reconciliation_id": self.id,
                    "attachment_id": attachment and attachment.id,
                    "document_name": attachment and attachment.name,
                }
            )
        )
        run._enqueue()
        return run

    def action_run(self):
        """Ask for the snapshot, or fetch it."""
        self.ensure_one()
        self.check_access("write")
        if self._has_source():
            return self._run()._open()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare with a Snapshot"),
            "res_model": "sync.reconciliation.start",
            "views": [[False, "form"]],
            "target": "new",
            "context": {"default_reconciliation_id": self.id},
        }

    @api.model
    def _cron_run(self):
        """Begin what is due; a run that is still going on is not joined by another."""
        now = fields.Datetime.now()
        due = self.search([("interval", "!=", False), ("next_run_at", "<=", now)])
        for reconciliation in due:
            reconciliation.next_run_at = now + INTERVALS[reconciliation.interval]
            busy = reconciliation.run_ids[:1].state in ("queued", "running", "paused")
            if reconciliation._has_source() and not busy:
                reconciliation._run()

    def action_view_differences(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_reconciliation_difference_action"
        )
        return {**action, "domain": [("reconciliation_id", "=", self.id)]}
