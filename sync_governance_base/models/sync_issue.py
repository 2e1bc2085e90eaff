from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime, format_time, formatLang

#: in rising order
SEVERITIES = [
    ("info", "Info"),
    ("warning", "Warning"),
    ("error", "Error"),
    ("critical", "Critical"),
]
ACTIVITY = "sync_governance_base.mail_activity_type_issue"


class SyncIssue(models.Model):
    """One cause that needs a person, however many times it strikes.

    Code raises issues with :meth:`_raise` and closes them with :meth:`_recover`;
    the *fingerprint* names the cause. A partial unique index allows one unresolved
    issue per fingerprint and company, and the insert defers to it, so that workers
    that meet the same failure at the same moment end up with one issue, one activity
    and an exact count (the loser of a race gets a serialization error, which Odoo
    and queue_job retry).
    """

    _name = "sync.issue"
    _description = "Issue"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "severity_rank desc, last_seen desc, id desc"
    _rec_name = "title"
    _check_company_auto = True

    title = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(
        required=True, readonly=True, help="Names the cause; one open issue for each."
    )
    kind = fields.Char(
        required=True, readonly=True, help="Class of the issue, such as delivery.dead."
    )
    severity = fields.Selection(
        SEVERITIES, required=True, default="warning", tracking=True
    )
    severity_rank = fields.Integer(compute="_compute_severity_rank", store=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("acknowledged", "Acknowledged"),
            ("snoozed", "Snoozed"),
            ("resolved", "Resolved"),
        ],
        required=True,
        default="open",
        readonly=True,
        tracking=True,
        copy=False,
        group_expand=True,
    )
    occurrences = fields.Integer(
        default=1, readonly=True, help="How often the cause has struck."
    )
    first_seen = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    last_seen = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    value_at_risk = fields.Monetary(
        readonly=True,
        help="Money that waits for this issue, in the company's currency.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    system_id = fields.Many2one(
        "sync.system", readonly=True, index=True, ondelete="set null"
    )
    domain_id = fields.Many2one("sync.domain", index=True, ondelete="set null")
    team_id = fields.Many2one(
        "sync.team",
        tracking=True,
        check_company=True,
        ondelete="set null",
    )
    user_id = fields.Many2one(
        "res.users", string="Assignee", tracking=True, index=True, ondelete="set null"
    )
    res_model = fields.Char(string="Record Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    detail = fields.Text(readonly=True)
    snoozed_until = fields.Datetime(readonly=True, copy=False)
    resolved_at = fields.Datetime(readonly=True, copy=False)
    resolution = fields.Text(
        readonly=True, copy=False, help="What was done, or why nothing is to be done."
    )
    recovered = fields.Boolean(string="Recovered by Itself", readonly=True, copy=False)
    headline = fields.Char(compute="_compute_headline")
    past_ids = fields.Many2many(
        "sync.issue", compute="_compute_past_ids", string="Earlier Issues of This Cause"
    )

    _open_fingerprint_uniq = models.UniqueIndex(
        "(fingerprint, company_id) WHERE state <> 'resolved'",
        "There is already an open issue for this cause.",
    )
    _state_idx = models.Index("(state, last_seen)")

    @api.depends("severity")
    def _compute_severity_rank(self):
        for issue in self:
            issue.severity_rank = _rank(issue.severity)

    @api.depends("title", "occurrences", "first_seen", "value_at_risk", "system_id")
    @api.depends_context("lang", "tz")
    def _compute_headline(self):
        """The issue as one sentence: "WMS: order rejected, 17 times since 09:42, EUR
        41,300 at risk".
        """
        for issue in self:
            parts = [issue.title or ""]
            if issue.system_id:
                parts = [f"{issue.system_id.name}: {issue.title}"]
            if issue.first_seen:
                since = issue._spell(issue.first_seen)
                if issue.occurrences > 1:
                    parts.append(
                        self.env._(
                            "%(count)s times since %(since)s",
                            count=issue.occurrences,
                            since=since,
                        )
                    )
                else:
                    parts.append(self.env._("seen %(since)s", since=since))
            if issue.value_at_risk:
                amount = formatLang(
                    self.env, issue.value_at_risk, currency_obj=issue.currency_id
                )
                parts.append(self.env._("%(amount)s at risk", amount=amount))
            issue.headline = ", ".join(parts)

    def _spell(self, moment):
        """A moment in the user's words: the time alone if it was today."""
        local = fields.Datetime.context_timestamp(self, moment)
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()
        if local.date() == today:
            return format_time(self.env, moment, time_format="short")
        return format_datetime(self.env, moment, dt_format="short")

    @api.depends("fingerprint")
    def _compute_past_ids(self):
        for issue in self:
            issue.past_ids = self.search(
                [
                    ("fingerprint", "=", issue.fingerprint),
                    ("state", "=", "resolved"),
                    ("id", "!=", issue._origin.id),
                ],
                limit=10,
                order="resolved_at desc",
            )

    # -- what other modules use --------------------------------------------------------

    @api.model
    def _raise(
        self,
        fingerprint,
        title,
        kind,
        severity="warning",
        record=None,
        value_at_risk=0.0,
        system=None,
        detail=None,
    ):
        """Report that a cause has struck: opens its issue, or counts on the open one.

        The latest title, value at risk and detail win,
        the highest severity stays; a snoozed issue sleeps on.

        :param str fingerprint: names the cause, stable from one strike to the next
        :param str kind: class of the issue; its beginning,
            up to a dot, can be routed as a whole
        :param record: the record that shows the trouble best
        :param float value_at_risk: in the company's currency
        :return: the issue (as superuser: those who
            stumble on a failure need no right on issues)
        """
        issue, is_new = self._upsert(
            fingerprint=fingerprint,
            company=self._company_of(record).id,
            title=title,
            kind=kind,
            severity=severity,
            rank=_rank(severity),
            now=fields.Datetime.now(),
            value=value_at_risk or 0.0,
            system=system.id if system else None,
            domain=self._domain_of(record).id or None,
            res_model=record._name if record else None,
            res_id=record.id if record else None,
            detail=detail,
            uid=self.env.uid,
        )
        if is_new:
            issue._assign()
        self.env["sync.control.tower"]._notify()
        return issue

    @api.model
    def _company_of(self, record):
        if record and "company_id" in record._fields and record.company_id:
            return record.company_id
        return self.env.company

    @api.model
    def _domain_of(self, record):
        # sudo: the caller may know nothing of domains
        domains = self.env["sync.domain"].sudo()
        return domains._of_model(record._name) if record else domains

    @api.model
    def _upsert(self, **values):
        """Insert the issue, or count on the open one of the same cause.

        :return: ``(issue, whether it is new)``
        """
        self.flush_model()
        [(issue_id, is_new)] = self.env.execute_query(
            SQL(
                """
                INSERT INTO sync_issue AS issue (
                    fingerprint, company_id, title, kind, severity, severity_rank,
                    state, occurrences, first_seen, last_seen, value_at_risk,
                    system_id, domain_id, res_model, res_id, detail,
                    create_uid, create_date, write_uid, write_date
                ) VALUES (
                    %(fingerprint)s, %(company)s, %(title)s, %(kind)s, %(severity)s,
                    %(rank)s, 'open', 1, %(now)s, %(now)s, %(value)s,
                    %(system)s, %(domain)s, %(res_model)s, %(res_id)s, %(detail)s,
                    %(uid)s, %(now)s, %(uid)s, %(now)s
                )
                ON CONFLICT (fingerprint, company_id) WHERE state <> 'resolved'
                DO UPDATE SET
                    occurrences = issue.occurrences + 1,
                    last_seen = EXCLUDED.last_seen,
                    title = EXCLUDED.title,
                    detail = COALESCE(EXCLUDED.detail, issue.detail),
                    value_at_risk = EXCLUDED.value_at_risk,
                    severity = CASE
                        WHEN EXCLUDED.severity_rank > issue.severity_rank
                        THEN EXCLUDED.severity ELSE issue.severity END,
                    severity_rank =
                        GREATEST(EXCLUDED.severity_rank, issue.severity_rank),
                    write_date = EXCLUDED.write_date
                RETURNING id, xmax = 0
                """,
                **values,
            )
        )
        # sudo: those who stumble on a failure need no right on issues
        issue = self.sudo().browse(issue_id)
        issue.invalidate_recordset(flush=False)
        return issue, is_new

    @api.model
    def _recover(self, fingerprint, note):
        """Report that a cause is gone: closes its open issues and their activities.

        :param str note: what shows that it is gone
        :return: the issues closed
        """
        # sudo: as for raising
        issues = self.sudo().search(
            [("fingerprint", "=", fingerprint), ("state", "!=", "resolved")]
        )
        issues._close(note, recovered=True)
        return issues

    # -- routing -----------------------------------------------------------------------

    def _assign(self):
        """Give a new issue to a team, and one activity to a member of it.

        The first matching route names the team; without one it is the domain's team.
        """
        self.ensure_one()
        route = self.env["sync.route"]._route(self)
        team = route.team_id or self.domain_id.team_id
        user = team._next_assignee() if team else team.leader_id
        self.write({"team_id": team.id, "user_id": user.id})
        if user:
            self.activity_schedule(
                ACTIVITY,
                date_deadline=fields.Date.today() + timedelta(days=route.response_days),
                summary=self.title,
                user_id=user.id,
            )

    # -- what people do ----------------------------------------------------------------

    def action_acknowledge(self):
        """ "I look at it": the issue stays open,
        and whoever pressed the button is in charge.
        """
        self._check_unresolved()
        self.write(
            {"state": "acknowledged", "user_id": self.env.uid, "snoozed_until": False}
        )
        self.activity_reschedule([ACTIVITY], new_user_id=self.env.uid)

    def action_snooze(self):
        return self._ask("snooze")

    def action_resolve(self):
        return self._ask("resolve")

    def _ask(self, decision):
        self._check_unresolved()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Snooze")
            if decision == "snooze"
            else self.env._("Resolve"),
            "res_model": "sync.issue.decide",
            "view_mode": "form",
            "target": "new",
            "context": {"default_issue_ids": self.ids, "default_decision": decision},
        }

    def _snooze(self, until, reason):
        self._check_unresolved()
        self.write({"state": "snoozed", "snoozed_until": until})
        self._note(reason)

    def _resolve(self, reason):
        self._check_unresolved()
        self._close(reason, recovered=False)

    def _close(self, note, recovered):
        now = fields.Datetime.now()
        self.write(
            {
                "state": "resolved",
                "resolution": note,
                "resolved_at": now,
                "recovered": recovered,
                "snoozed_until": False,
            }
        )
        self.activity_feedback([ACTIVITY], feedback=note)
        self.env["sync.control.tower"]._notify()

    def _check_unresolved(self):
        if resolved := self.filtered(lambda issue: issue.state == "resolved")[:1]:
            raise UserError(
                self.env._("“%(title)s” is already resolved.", title=resolved.title)
            )

    def _note(self, text):
        for issue in self:
            issue.message_post(body=Markup("<p>%s</p>") % text)

    def action_open_record(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    @api.model
    def _cron_wake(self):
        """Open snoozed issues whose time has come."""
        due = self.search(
            [("state", "=", "snoozed"), ("snoozed_until", "<=", fields.Datetime.now())]
        )
        due.write({"state": "open", "snoozed_until": False})


def _rank(severity):
    return [key for key, _label in SEVERITIES].index(severity)
