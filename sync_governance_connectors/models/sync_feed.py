# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from ast import literal_eval
from datetime import timedelta
from fnmatch import fnmatchcase

import jmespath
import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..exchange.store import StoreError, safe_name, waiting
from ..tools import canonical, document
from ..tools.instruction import PUT, Instruction
from ..tools.paging import Style
from ..tools.problem import Problem
from .sync_feed_document import MAX_DOCUMENT, SPOOL

#: Records whose bodies are in memory at a time.
EXPORT_BATCH = 500
BUSY = ("queued", "running", "paused")


class SyncFeed(models.Model):
    """An exchange of documents with a system, again and again: what it gives us by
    pages or files, or what we leave for it.

    Incoming rows go the way of webhooks: mapping, contract, policy. What cannot be
    applied waits in quarantine, and the rest goes on.
    """

    _name = "sync.feed"
    _description = "Feed"
    _inherit = ["sync.company.guard", "mail.thread", "sync.document.layout"]
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="cascade", index=True, tracking=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    direction = fields.Selection(
        [("in", "From the system"), ("out", "To the system")],
        required=True,
        default="in",
        tracking=True,
    )
    remote_id = fields.Many2one(
        "sync.remote",
        required=True,
        ondelete="restrict",
        domain="[('system_id', '=', system_id)]",
        tracking=True,
    )
    remote_kind = fields.Selection(related="remote_id.kind")
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("paused", "Paused")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    event_type = fields.Char(
        string="Partner's Event",
        tracking=True,
        help="Rows are read, or written, by the system's active mapping of this event."
        " Empty: in our own canonical words.",
    )
    resource = fields.Selection(
        "_selection_resource",
        tracking=True,
        help="What the rows are about, where no mapping says so.",
    )

    # Files
    file_pattern = fields.Char(
        default="*.csv", help="Which files to take, such as orders-*.csv."
    )
    file_name = fields.Char(
        default="{feed}-{time}.csv",
        help="What to call the files we write; {time} is the moment in UTC.",
    )
    done_marker = fields.Char(
        help="A file is complete once another one of its name and this ending is"
        " there, such as .done. Empty: once it has not changed from one look to the"
        " next.",
    )
    done_folder = fields.Char(
        string="Put Away To",
        default="processed",
        required=True,
        help="Folder beside the files, for those that were taken.",
    )
    seen_files = fields.Json(readonly=True, copy=False)

    # Pages
    path = fields.Char(help="Below the remote's address, such as orders.json.")
    paging = fields.Selection(
        [
            ("document", "One document"),
            ("none", "One page"),
            ("page", "Page numbers"),
            ("offset", "Offset"),
            ("cursor", "Cursor in the page"),
            ("link", "Link header"),
        ],
        default="none",
        required=True,
    )
    page_rows = fields.Char(
        string="Rows In", help="JMESPath of the rows in a page, such as orders."
    )
    page_size = fields.Integer()
    page_parameter = fields.Char(help="Query parameter of page, offset or cursor.")
    size_parameter = fields.Char(help="Query parameter of the page's size.")
    first_page = fields.Integer(default=1)
    cursor_expression = fields.Char(help="JMESPath of the next cursor in a page.")
    total_expression = fields.Char(
        help="JMESPath of the number of all rows, if the partner tells it: fewer rows"
        " than that stop the run."
    )
    watermark_parameter = fields.Char(
        help="Query parameter for what changed since, such as updated_at_min."
    )
    watermark_expression = fields.Char(
        help="JMESPath of a row's moment of change, such as updated_at."
    )
    watermark = fields.Char(
        copy=False,
        tracking=True,
        help="The latest change seen, in the partner's own clock.",
    )
    overlap_s = fields.Integer(
        string="Overlap (s)",
        default=300,
        help="Ask again for that much before the latest change: rows whose"
        " transaction ended late are not missed. Rows that come twice change nothing.",
    )

    # Export
    scope = fields.Char(default="[]", help="Which of Odoo's records to write.")
    scope_model = fields.Char(compute="_compute_scope_model")
    only_changed = fields.Boolean(
        default=True, help="Only records that changed since the last export."
    )

    # Timing
    interval_minutes = fields.Integer(
        string="Every (minutes)", help="0: on demand only.", tracking=True
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Only Within",
        help="Runs begin only within these hours.",
    )
    policy_timing = fields.Selection(
        lambda self: self.env["sync.policy"]._fields["timing"].selection,
        string="By the Policy",
        compute="_compute_policy_timing",
        help="Where the policy of its records has a timing, runs begin by that, too.",
    )
    next_run_at = fields.Datetime(string="Next Run", copy=False)
    run_ids = fields.One2many("sync.feed.run", "feed_id", string="Runs")
    quarantined_count = fields.Integer(compute="_compute_quarantined_count")

    _interval_positive = models.Constraint(
        "CHECK(interval_minutes >= 0)", "An interval is not negative."
    )

    @api.model
    def _selection_resource(self):
        return self.env["sync.reconciliation"]._selection_resource()

    @api.depends("resource", "event_type")
    def _compute_scope_model(self):
        for feed in self:
            name = feed._mapping_or_none().resource or feed.resource
            resource = self.env["sync.resource"]._get(name or "")
            feed.scope_model = (
                resource._resource_model if resource is not None else False
            )

    @api.depends("scope_model", "direction")
    def _compute_policy_timing(self):
        for feed in self:
            timing = feed._policy_timing()
            feed.policy_timing = timing and timing.kind

    def _compute_quarantined_count(self):
        counts = dict(
            self.env["sync.request"]._read_group(
                [("feed_id", "in", self.ids), ("state", "=", "quarantined")],
                ["feed_id"],
                ["__count"],
            )
        )
        for feed in self:
            feed.quarantined_count = counts.get(feed, 0)

    @api.constrains(
        "page_rows", "cursor_expression", "total_expression", "watermark_expression"
    )
    def _check_expressions(self):
        lines = self.env["sync.mapping.line"]
        for feed in self:
            for expression in (
                feed.page_rows,
                feed.cursor_expression,
                feed.total_expression,
                feed.watermark_expression,
            ):
                if expression:
                    lines._check_jmespath(expression)

    @api.constrains("remote_id", "system_id")
    def _check_remote(self):
        for feed in self:
            if feed.remote_id.system_id != feed.system_id:
                raise ValidationError(
                    self.env._("The remote is not one of %s.", feed.system_id.name)
                )

    @api.constrains("file_name")
    def _check_file_name(self):
        for feed in self:
            try:
                safe_name(feed._file_name_at(fields.Datetime.now()))
            except StoreError as error:
                raise ValidationError(str(error)) from error

    @api.constrains("scope", "resource", "event_type", "direction")
    def _check_scope(self):
        for feed in self:
            try:
                domain = feed._scope_domain()
                if feed.scope_model and feed.direction == "out":
                    # As the one who writes it (constraints run as superuser): a search
                    # tells what may not be read.
                    user_env = self.sudo(False).env
                    user_env[feed.scope_model].search(domain, limit=1)
            except (ValueError, SyntaxError, TypeError, KeyError) as error:
                raise ValidationError(
                    self.env._("The scope is not a domain: %s", error)
                ) from error

    def _scope_domain(self):
        return Domain(literal_eval(self.scope or "[]"))

    # -- life cycle ------------------------------------------------------------------

    def action_activate(self):
        """Let it run by its timing, once what it needs is there."""
        for feed in self:
            feed._check_ready()
            feed.write({"state": "active", "next_run_at": fields.Datetime.now()})

    def action_pause(self):
        self.write({"state": "paused"})

    def _check_ready(self):
        mapping = self._mapping_or_none()
        if self.event_type and not mapping:
            raise UserError(
                self.env._(
                    "%(system)s has no active mapping of %(event)s.",
                    system=self.system_id.name,
                    event=self.event_type,
                )
            )
        if not mapping and not self.resource:
            raise UserError(self.env._("Name the mapping, or what the rows are about."))

    def _mapping_or_none(self):
        if not self.event_type:
            return self.env["sync.mapping"]
        return self.env["sync.mapping"]._of(
            self.system_id, self.event_type, self.direction
        )

    # -- timing ----------------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Begin what is due; what still runs is not joined by another run."""
        now = fields.Datetime.now()
        due = self.search(
            [
                ("state", "=", "active"),
                ("interval_minutes", ">", 0),
                ("next_run_at", "<=", now),
            ]
        )
        for feed in due:
            feed.next_run_at = feed._next_run_after(now)
            if feed._may_begin(now) and not feed._is_busy():
                feed._run()

    def _may_begin(self, now):
        """By its own hours, and by the timing of the policy in force for its records.

        What a policy wants on demand begins by the button alone.
        """
        calendars = self.calendar_id
        if timing := self._policy_timing():
            if timing.kind == "on_demand":
                return False
            # sudo: the calendar is the policy's, whoever may see it
            calendars |= calendars.sudo().browse(timing.calendar_id)
        return all(self._is_open(calendar, now) for calendar in calendars)

    def _policy_timing(self):
        """The ``tools.timing.Timing`` that its records have to wait for, or None."""
        if not self.scope_model:
            return None
        return self.env["sync.policy"]._timing(
            self.scope_model, self.company_id, self.direction
        )

    def _next_run_after(self, now):
        """The next moment by the interval; without catching up on what was missed."""
        step = timedelta(minutes=self.interval_minutes)
        following = (self.next_run_at or now) + step
        return following if following > now else now + step

    @api.model
    def _is_open(self, calendar, now):
        moment = pytz.utc.localize(now)
        return bool(
            calendar._work_intervals_batch(moment, moment + timedelta(minutes=1))[False]
        )

    def _is_busy(self):
        return self.run_ids[:1].state in BUSY

    def _run(self):
        """Begin a run; queue_job does the work.

        :return: ``sync.feed.run``
        """
        self.ensure_one()
        if self._is_busy():
            raise UserError(self.env._("%s runs already.", self.name))
        self._check_ready()
        phase = "export" if self.direction == "out" else "fetch"
        # Runs are a ledger that no person writes.
        run = (
            self.env["sync.feed.run"]
            .sudo()
            .create({"feed_id": self.id, "phase": phase})
        )
        run._enqueue()
        return run

    def action_run(self):
        """Run it now, whatever its timing."""
        self.ensure_one()
        self.check_access("write")
        return self._run()._open()

    def action_view_quarantined(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_request_action"
        )
        domain = [("feed_id", "=", self.id), ("state", "=", "quarantined")]
        return {**action, "domain": domain, "context": {}}

    # -- reading ---------------------------------------------------------------------

    def _instruction(self, message):
        """What a row asks for: by the mapping, or in our own words.

        :raise Problem: 422
        """
        mapping = self._mapping_or_none()
        if mapping:
            return mapping._instruction(message)
        external_id = self._row_id(message)
        if external_id is None:
            raise Problem.invalid(
                [
                    (
                        "/external_id",
                        self.env._("The row does not name its record."),
                        "required",
                    )
                ]
            )
        return Instruction(self.resource, PUT, external_id, message)

    def _row_id(self, message):
        """The partner's id of the record that a row is about, or None."""
        mapping = self._mapping_or_none()
        expression = mapping.external_id_expression or "external_id"
        found = jmespath.search(expression, message)
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            return None
        return str(found)

    def _style(self):
        return Style(
            kind=self.paging,
            rows=self.page_rows or "",
            size=self.page_size,
            parameter=self.page_parameter or "",
            size_parameter=self.size_parameter or "",
            first=self.first_page,
            cursor=self.cursor_expression or "",
            total=self.total_expression or "",
        )

    def _query(self):
        """Ask for what changed since the watermark, and somewhat before."""
        if not self.watermark_parameter or not self.watermark:
            return {}
        return {self.watermark_parameter: self._watermark_with_overlap()}

    def _watermark_with_overlap(self):
        try:
            moment = canonical.parse_moment(self.watermark)
        except ValueError:
            # A number or another word of the partner's: as it is.
            return self.watermark
        return canonical.moment_text(moment - timedelta(seconds=self.overlap_s))

    def _snapshot(self):
        """All that the system has now, without marking anything as taken.

        :return: ``(name, content, whether it is rows of pages as JSON lines)``
        :raise UserError: there is none
        """
        with self.remote_id._session() as session:
            if self.remote_kind != "https":
                return (*self._newest_file(session), False)
            if self.paging == "document":
                return self.path or self.name, session.document(self.path or ""), False
            rows = session.rows(self.path or "", {}, self._style())
            content = b"".join(_bounded(document.write(rows, SPOOL)))
            return self.name, content, True

    def _newest_file(self, store):
        entries = [
            entry
            for entry in store.entries()
            if fnmatchcase(entry.name, self.file_pattern or "*")
        ]
        if not entries:
            raise UserError(self.env._("No file like %s waits.", self.file_pattern))
        newest = max(entries)
        with store.open(newest.name) as stream:
            return newest.name, stream.read(MAX_DOCUMENT)

    def _take_files(self, store):
        """Files that are complete; others are looked at again the next time.

        :return: list of ``exchange.store.Entry``
        """
        entries = store.entries()
        found = list(
            waiting(
                entries,
                self.file_pattern or "*",
                seen={
                    name: tuple(facts)
                    for name, facts in (self.seen_files or {}).items()
                },
                marker=self.done_marker or "",
            )
        )
        self.seen_files = {
            entry.name: [entry.size, entry.modified] for entry in entries
        }
        return found

    # -- writing ---------------------------------------------------------------------

    def _outgoing(self):
        """The messages of an export, record by record, each as ``(rows, problem)``.

        A record whose transaction ended while the export before ran is written by the
        next one: it asks for what changed since somewhat before that.
        """
        mapping = self._mapping_or_none()
        call = self.system_id._call(f"feed:{self.id}")
        resource = self.system_id._acting_env(call)["sync.resource"]._get(
            mapping.resource or self.resource
        )
        for bodies in self._outgoing_bodies(resource, call):
            for body in bodies:
                try:
                    yield list(self._written(body, resource, mapping)), None
                except Problem as problem:
                    yield [], problem

    def _outgoing_bodies(self, resource, call):
        domain = (
            resource._served_domain()
            & resource._company_domain()
            & self._scope_domain()
            & self._changed_domain()
        )
        last_id = 0
        while True:
            records = resource._listed_model().search(
                domain & Domain("id", ">", last_id), order="id", limit=EXPORT_BATCH
            )
            if not records:
                return
            yield resource._to_canonical(records, call.system)
            last_id = records[-1].id
            records.invalidate_recordset()

    def _changed_domain(self):
        if not self.only_changed or not self.watermark:
            return Domain.TRUE
        since = canonical.parse_moment(self._watermark_with_overlap())
        return Domain("write_date", ">=", since)

    def _written(self, body, resource, mapping):
        """A canonical body as the partner reads it: one row, or several in a table.

        :raise Problem: the mapping cannot say it
        """
        is_table = self.document_format == "csv"
        if mapping:
            return mapping._render_rows(body) if is_table else [mapping._render(body)]
        return [canonical.flatten(resource._members(), body) if is_table else body]

    def _file_name_at(self, moment):
        """The name of a file written at that moment (UTC)."""
        name = self.file_name or "{feed}-{time}"
        time = moment.strftime("%Y%m%dT%H%M%SZ")
        return name.replace("{feed}", str(self.id)).replace("{time}", time)


def _bounded(pieces):
    """As much of a snapshot as is taken.

    :raise DocumentError: there is more
    """
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_DOCUMENT:
            raise document.DocumentError(
                f"The snapshot is larger than {MAX_DOCUMENT // 1024**2} MB."
            )
        yield piece
