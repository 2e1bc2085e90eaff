# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import caller, masking, waterfall

KEEP_BODIES = timedelta(days=30)
VACUUM_BATCH = 5_000
# Outcomes of work that was accepted, and that its sender may not have done any more.
NOT_ALLOWED = (401, 403)


class SyncRequest(models.Model):
    """One call from a partner: what came, what the gate did, what was answered.

    It is the outcome of an idempotency key too (``response_*``, see
    ``sync.idempotency``). Bodies are kept for a while for that and for an operator's
    dry repeat; people only ever see them masked.
    """

    _name = "sync.request"
    _inherit = ["sync.bulk.insert", "sync.record.pointer"]
    _description = "API Request"
    _order = "id desc"
    _rec_name = "ref"

    ref = fields.Char("Reference", required=True, readonly=True)
    kind = fields.Selection(
        [("api", "API"), ("hook", "Webhook")],
        string="Way In",
        default="api",
        required=True,
        readonly=True,
    )
    parent_id = fields.Many2one(
        "sync.request",
        "Bulk Call",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    state = fields.Selection(
        [
            ("received", "Received"),
            ("validated", "Validated"),
            ("applied", "Applied"),
            ("quarantined", "Quarantined"),
            ("refused", "Refused"),
            ("duplicate", "Duplicate"),
            ("ignored", "Ignored"),
        ],
        required=True,
        readonly=True,
    )
    system_id = fields.Many2one(
        "sync.system", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    credential_id = fields.Many2one(
        "sync.credential", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    sandbox = fields.Boolean(readonly=True)
    method = fields.Char(readonly=True)
    route = fields.Char(readonly=True, help="Address with placeholders.")
    path = fields.Char(readonly=True)
    resource = fields.Char(readonly=True)
    operation = fields.Char(readonly=True)
    external_id = fields.Char("External Id", readonly=True)
    contract_version = fields.Char(readonly=True)
    idempotency_key = fields.Char(readonly=True)
    fingerprint = fields.Char(readonly=True)
    replay_of = fields.Char(
        readonly=True, help="Request whose stored response answered this one."
    )
    replayable = fields.Boolean(readonly=True)
    remote_addr = fields.Char("Address", readonly=True)
    x_request_id = fields.Char("Caller's Request Id", readonly=True)
    traceparent = fields.Char(readonly=True)
    request_body = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    request_headers = fields.Json(readonly=True)
    response_status = fields.Integer("Status", readonly=True, aggregator=False)
    response_body = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    response_headers = fields.Json(readonly=True)
    outcome_status = fields.Integer(
        "Outcome", readonly=True, aggregator=False, help="Of work that was done later."
    )
    outcome_body = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    request_shown = fields.Text("Body", compute="_compute_shown")
    response_shown = fields.Text("Response", compute="_compute_shown")
    trace_html = fields.Html(
        "Steps of the Gate", compute="_compute_explained", sanitize=False
    )
    decisions_html = fields.Html(
        "Fields Decided", compute="_compute_explained", sanitize=False
    )
    error_code = fields.Char("Error", readonly=True)
    trace = fields.Json(readonly=True, help="Steps of the gate, with milliseconds.")
    decisions = fields.Json(readonly=True, help="Fields applied, and held with reason.")
    duration_ms = fields.Float("Milliseconds", readonly=True, aggregator="avg")
    res_model = fields.Char("Record Model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    event_count = fields.Integer("Events", compute="_compute_caused")
    conflict_count = fields.Integer("Conflicts", compute="_compute_caused")
    child_ids = fields.One2many("sync.request", "parent_id", "Items", readonly=True)
    child_count = fields.Integer("Items Count", compute="_compute_child_count")

    _ref_unique = models.Constraint("UNIQUE(ref)", "References are unique.")
    _recent = models.Index("(system_id, create_date)")
    _versioned = models.Index(
        "(contract_version, system_id) WHERE contract_version IS NOT NULL"
    )
    _broken = models.Index(
        "(system_id) WHERE state = 'refused' AND outcome_status IN (401, 403)"
    )
    _result = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")

    # -- computed --------------------------------------------------------------------

    @api.depends("request_body", "response_body", "outcome_body")
    def _compute_shown(self):
        for request in self:
            # The raw bodies are closed to everyone; what is shown of them is masked.
            bodies = request.sudo()
            answered = bodies.outcome_body or bodies.response_body or ""
            request.request_shown = masking.mask_text(bodies.request_body or "")
            request.response_shown = masking.mask_text(answered)

    @api.depends("trace", "decisions")
    def _compute_explained(self):
        """Trace and decisions as tables (values are escaped by the template)."""
        for request in self:
            for field_name, template in (
                ("trace_html", "sync_governance_connectors.sync_request_trace"),
                ("decisions_html", "sync_governance_connectors.sync_request_decisions"),
            ):
                values = {"call": request, "bars": waterfall.bars(request.trace or [])}
                request[field_name] = (
                    self.env["ir.qweb"]._render(template, values)
                    if request[field_name.removesuffix("_html")]
                    else False
                )

    def _compute_caused(self):
        for field_name, model_name in (
            ("event_count", "sync.event"),
            ("conflict_count", "sync.conflict"),
        ):
            groups = self.env[model_name]._read_group(
                [("request_ref", "in", self.mapped("ref"))],
                ["request_ref"],
                ["__count"],
            )
            counts = dict(groups)
            for request in self:
                request[field_name] = counts.get(request.ref, 0)

    @api.depends("child_ids")
    def _compute_child_count(self):
        groups = self._read_group(
            [("parent_id", "in", self.ids)], ["parent_id"], ["__count"]
        )
        counts = {parent.id: count for parent, count in groups}
        for request in self:
            request.child_count = counts.get(request.id, 0)

    # -- later and again -------------------------------------------------------------

    @api.model
    def _do_later(self, ref, approved=False):
        """Job: do the work of an accepted call, and keep what came of it.

        The row lock and the state make a job that runs twice harmless. Keys can be
        closed and systems paused since the call was accepted.

        :param approved: an operator's word stands in for a key that is over; it does
            not for a system that is paused
        """
        request = self.search([("ref", "=", ref), ("state", "=", "validated")])
        request = request.try_lock_for_update()
        if request:
            check = caller.check_system if approved else caller.check_usable
            request._settle(self.env["sync.gate"]._again(request, check))

    def _settle(self, passage):
        result, problem = passage.result, passage.problem
        self.write(
            {
                "state": passage.state,
                "outcome_status": passage.answer.status,
                "outcome_body": passage.answer.body.decode(),
                "error_code": problem.code if problem else False,
                "quarantine_reason": problem.summary() if problem else False,
                "trace": [*(self.trace or []), *passage.trace],
                "decisions": result.decisions if result else None,
                "res_model": result.record._name if result else False,
                "res_id": result.record.id if result else False,
            }
        )
        self._tell_settled(problem)

    def _tell_settled(self, problem):
        """The partner relies on it: that it is not done, a person has to know, until
        all that was refused so is done.
        """
        fingerprint = f"later:{self.system_id.code}"
        issues = self.env["sync.issue"]
        if problem and problem.status in NOT_ALLOWED:
            issues._raise(
                fingerprint,
                self.env._(
                    "What %(system)s was promised is not done: %(reason)s",
                    system=self.system_id.name,
                    reason=problem.detail,
                ),
                "quarantine",
                record=self,
                system=self.system_id,
            )
        elif not problem and not self.search_count(self._broken_promises(), limit=1):
            issues._recover(fingerprint, self.env._("%s was applied.", self.ref))

    def _broken_promises(self):
        """Calls of the same system that can still be done, on an operator's word."""
        return [
            ("system_id", "=", self.system_id.id),
            ("state", "=", "refused"),
            ("outcome_status", "in", NOT_ALLOWED),
            ("request_body", "!=", False),
        ]

    def _is_refused_late(self):
        """Whether it was accepted for later and refused then; its body is kept."""
        return (
            self.kind == "api"
            and self.state == "refused"
            and bool(self.outcome_status)
            and bool(self.sudo().request_body)  # closed to everybody
        )

    def _do_again(self):
        """Queue calls that were refused late once more, on an operator's word."""
        for request in self:
            request.write(
                {"state": "validated", "outcome_status": 0, "outcome_body": False}
            )
            self.env["sync.audit"]._log(
                "request.run_again",
                record=request,
                after={"request": request.ref, "refused_for": request.error_code},
            )
            self.env["sync.gate"]._enqueue_later(
                request.ref, f"{request.method} {request.route}", approved=True
            )

    def action_rehearse(self):
        """Run the call once more against today's data, and undo all of it.

        Nothing of it is kept or sent, see :meth:`_undone`.
        """
        self.ensure_one()
        self._check_rehearsal()
        with self._undone() as request:
            passage = self.env["sync.gate"].with_env(request.env)._again(request)
            answer = passage.answer
        return self.env["sync.request.rehearsal"]._show(
            answer.status, masking.mask_text(answer.body.decode())
        )

    @contextmanager
    def _undone(self):
        """The request on a cursor of its own, of which nothing is kept or sent: no
        write, no event, no job, no mail, and no count of what was refused.

        In it the service account's rights decide, as they did for the call.
        """
        with self.env.registry.cursor() as cr:
            try:
                yield self.with_env(self.env(cr=cr, su=True))
            finally:
                # Some things are noted although a transaction failed: not of this one.
                cr.postrollback.clear()
                cr.rollback()

    def _check_rehearsal(self):
        if not self.env.user.has_group("sync_governance_base.group_sync_operator"):
            raise UserError(self.env._("This is up to an operator."))
        if not self.sudo().request_body or self.parent_id or self.kind != "api":
            raise UserError(self.env._("The body of this call is not kept as it came."))
        if self.state == "refused":
            raise UserError(self.env._("A refused call has only its masked body left."))

    # -- actions ---------------------------------------------------------------------

    def action_open_record(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    def action_open_events(self):
        return self._open_caused("sync.event", self.env._("Events"))

    def action_open_conflicts(self):
        return self._open_caused("sync.conflict", self.env._("Conflicts"))

    def _open_caused(self, model_name, title):
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model_name,
            "views": [(False, "list"), (False, "form")],
            "domain": [("request_ref", "in", self.mapped("ref"))],
        }

    @api.autovacuum
    def _gc_bodies(self):
        """Drop bodies after their time; the facts about the call stay."""
        self.env.cr.execute(
            SQL(
                """UPDATE sync_request
                      SET request_body = NULL, response_body = NULL,
                          outcome_body = NULL, replayable = FALSE
                    WHERE id IN (
                       SELECT id FROM sync_request
                        WHERE create_date < %s
                          AND (request_body IS NOT NULL OR response_body IS NOT NULL)
                        LIMIT %s FOR UPDATE SKIP LOCKED)""",
                fields.Datetime.now() - KEEP_BODIES,
                VACUUM_BATCH,
            )
        )
        done = self.env.cr.rowcount
        return done, int(done == VACUUM_BATCH)
