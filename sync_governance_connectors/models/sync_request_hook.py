# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
import time
import uuid
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

from psycopg2.errors import UniqueViolation
from werkzeug.http import parse_options_header

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from ..tools import document, jsonbody
from ..tools import headers as parse_headers
from ..tools.call import Answer
from ..tools.caller import CLOSED
from ..tools.document import Layout
from ..tools.instruction import awaited
from ..tools.problem import Problem
from ..tools.verify_inbound import Rejected
from .sync_rate_counter import FAILURES

# Kinds that are stored first and worked on by queue_job.
MESSAGES = ("hook", "feed")
# How often a message is tried again that names a record which has not come yet, and
# when; each time it waits longer, about three hours in all.
WAITS = 5
FIRST_WAIT = timedelta(seconds=30)
WAIT_FACTOR = 4
# Media types of documents whose rows are messages of their own.
DOCUMENTS = {
    "text/csv": "csv",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/x-ndjson": "jsonl",
}


def _unproven():
    """One answer for an unknown system and a wrong signature: no oracle."""
    return Problem(401, "webhook_refused", "The message does not prove who sent it.")


class SyncRequest(models.Model):
    """Webhooks of partners: stored first, answered at once, worked on by queue_job.

    A message is one row, unique by the partner's own event id. What cannot be applied
    is quarantined with its reason; a person mends it and runs it again.
    """

    _inherit = "sync.request"

    event_id = fields.Char("Partner's Event Id", readonly=True)
    event_type = fields.Char("Partner's Event", readonly=True)
    quarantine_reason = fields.Char("Reason", readonly=True)
    faults = fields.Json(readonly=True, help="Where in the message the faults are.")
    awaited_id = fields.Char(
        "Waits For",
        readonly=True,
        help="The partner's id of a record that the message names and that has not come"
        " yet.",
    )
    retry_count = fields.Integer("Tried Again", readonly=True, aggregator=False)
    correction_ids = fields.One2many(
        "sync.request.correction",
        "request_id",
        "Corrections",
        readonly=True,
        groups="sync_governance_base.group_sync_operator",
    )

    _hook_event_unique = models.UniqueIndex(
        "(system_id, event_id) WHERE kind = 'hook' AND state <> 'refused'",
        "This event was received already.",
    )

    _awaiting = models.Index("(system_id, awaited_id) WHERE awaited_id IS NOT NULL")
    _quarantined = models.Index("(system_id) WHERE state = 'quarantined'")

    # -- receipt ---------------------------------------------------------------------

    @api.model
    def _answer_hook(self, system_code, incoming, ref):
        """The answer to a partner's webhook: it is proven, counted, and stored.

        What proves nothing is not counted: it is not the partner's.

        :param incoming: ``call.Incoming``
        :param ref: names the answer of a refusal
        :return: ``call.Answer``
        """
        system = self.env["sync.system"]._receiving(system_code)
        allowance, now = system._hook_allowance(), time.time()
        gate = self.env["sync.gate"]
        try:
            body = incoming.read(allowance.max_body)
            verified = system._verify_inbound(incoming.headers, body, now)
            told = gate._charge(allowance, incoming.remote_addr, now)
            gate._take_slot(allowance)
        except Rejected as rejected:
            reason = Problem(401, rejected.code, rejected.reason)
            self._refuse_hook(system, reason, incoming)
            return Answer.of_problem(_unproven(), ref)
        except Problem as problem:
            self._refuse_hook(system, problem, incoming)
            return Answer.of_problem(problem, ref)
        kept, known = self._receive_hook(system, verified, body, incoming)
        return Answer(
            200 if known else 202,
            jsonbody.dump({"request": kept, "duplicate": known}),
            {"Content-Type": "application/json", **told},
        )

    @api.model
    def _receive_hook(self, system, verified, body, incoming):
        """Stores a proven message and queues its processing.

        :param verified: ``verify_inbound.Verified``
        :param bytes body: as received
        :param incoming: ``call.Incoming``
        :return: ``(reference, whether it was received before)``
        """
        event_id = verified.event_id[:255]
        known = self._hook_of_event(system, event_id)
        if known:
            return known.ref, True
        values = {
            **self._hook_values(system, incoming),
            "state": "received",
            "event_id": event_id,
            "event_type": verified.event_type[:255],
            **self._hook_body(body, incoming.header("content-type") or ""),
        }
        try:
            request = self._insert_rows([values])
        except UniqueViolation as error:
            # A twin was faster, which this snapshot
            # cannot see: Odoo runs the call again.
            raise ConcurrencyError(
                self.env._("The event is being received already.")
            ) from error
        request._enqueue_hook()
        return values["ref"], False

    @api.model
    def _refuse_hook(self, system, problem, incoming):
        """Keeps that a message was refused: without its body, which may be anybody's.

        Of a flood from one address only the first ones are kept.
        """
        if not self._may_fail(incoming.remote_addr):
            return
        self._insert_rows(
            [
                {
                    **self._hook_values(system, incoming),
                    "state": "refused",
                    "error_code": problem.code,
                    "quarantine_reason": problem.detail,
                    "response_status": problem.status,
                }
            ]
        )

    def _may_fail(self, address):
        """Counts a failed proof of an address; False once there are too many."""
        counters = self.env["sync.rate.counter"]
        with self.env["sync.gate"]._short_transaction() as short:
            verdict = counters.with_env(short)._take(
                counters._address_bucket(address), FAILURES, time.time(), address
            )
        return verdict.allowed

    def _hook_values(self, system, incoming):
        return {
            "ref": f"req_{uuid.uuid4().hex}",
            "kind": "hook",
            "system_id": system.id or None,
            "company_id": system.company_id.id or None,
            "method": incoming.method,
            "route": "/hooks/{system_code}",
            "path": incoming.path[:255],
            "remote_addr": incoming.remote_addr,
            "traceparent": parse_headers.traceparent(incoming.header("traceparent")),
        }

    def _hook_body(self, body, content_type):
        """The body as it is kept: JSON as it came, documents as text."""
        media, options = parse_options_header(content_type)
        if media not in DOCUMENTS:
            return {"request_body": body.decode("utf-8", "replace").replace("\0", "")}
        text = document.as_text(body, DOCUMENTS[media], options.get("charset", ""))
        return {"request_body": text, "request_headers": {"content-type": media}}

    def _hook_of_event(self, system, event_id):
        return self.search(
            [
                ("kind", "=", "hook"),
                ("system_id", "=", system.id),
                ("event_id", "=", event_id),
                ("state", "!=", "refused"),
            ],
            limit=1,
        )

    def _enqueue_hook(self, eta=None):
        """:param eta: timedelta until it is tried again"""
        for request in self:
            # What waits for its time may be run at once all the same.
            attempt = f":{request.retry_count}" if eta else ""
            request.with_delay(
                eta=eta,
                identity_key=f"sync_hook:{request.ref}{attempt}",
                description=self.env._(
                    "%(event)s from %(system)s",
                    event=request.event_type or self.env._("Message"),
                    system=request.system_id.name,
                ),
            )._process_hook()

    # -- processing ------------------------------------------------------------------

    def _process_hook(self):
        """Applies one stored message, in one savepoint; a job may run twice."""
        self.ensure_one()
        if self.state not in ("received", "quarantined"):
            return
        if self.system_id.state in CLOSED:
            reason = self.env._(
                "%s takes no part in the exchange.", self.system_id.name
            )
            self._quarantine(Problem(403, "system_paused", reason))
            return
        mapping = self._mapping()
        if mapping._ignores():
            self._recovered("ignored", quarantine_reason=mapping.ignore_reason)
            return
        if self._document_kind():
            self._split_document()
            return
        try:
            # Apart from what is undone when the rest fails: values that no map knows
            # are noted all the same.
            instruction = self._instruction()
        except Problem as problem:
            self._quarantine(problem)
            return
        try:
            result = self.system_id._carry_out(instruction, self.ref)
        except Problem as problem:
            self.system_id._check_overtaken(instruction, problem)
            if not self._waits_for(awaited(instruction.body, problem.errors), problem):
                self._quarantine(problem)
        else:
            self._applied(result)

    def _document_kind(self):
        """The format of a message that holds several, empty for a single one."""
        return DOCUMENTS.get((self.request_headers or {}).get("content-type"), "")

    def _split_document(self):
        """Makes each row of a document a message of its own; a row that cannot be
        read never drops the rest."""
        mapping = self._mapping()
        layout = mapping._layout() if mapping else Layout("csv")
        # The text was decoded when it came.
        layout = replace(layout, format=self._document_kind(), charset="utf-8")
        stream = BytesIO(self.sudo().request_body.encode())
        try:
            rows = list(document.read(stream, layout))
        except document.DocumentError as error:
            self._quarantine(Problem(422, "unreadable_document", str(error)))
            return
        for row in rows:
            self._split_off(row)
        self._recovered("applied")

    def _split_off(self, row):
        request = self.create(
            {
                "ref": f"req_{uuid.uuid4().hex}",
                "kind": self.kind,
                "parent_id": self.id,
                "system_id": self.system_id.id,
                "company_id": self.company_id.id,
                "state": "received",
                "event_id": f"{self.event_id[:240]}#{row.number}",
                "event_type": self.event_type,
                "traceparent": self.traceparent,
                "request_body": json.dumps(row.message or {}, ensure_ascii=False),
            }
        )
        if row.error:
            request._quarantine(Problem(422, "unreadable_row", row.error))
        else:
            request._enqueue_hook()

    def _mapping(self):
        """The mapping in force for the message, empty for one in our own words."""
        return self.env["sync.mapping"]._of(self.system_id, self.event_type)

    def _instruction(self):
        """What the message asks for: by the system's mapping, or in our own words."""
        message = jsonbody.parse(self.sudo().request_body.encode())
        mapping = self._mapping()
        if mapping:
            return mapping._instruction(message)
        resources = self.env["sync.resource.table"]
        return resources._canonical_instruction(self.event_type, message)

    def _waits_for(self, external_id, problem):
        """Whether the message is tried again by itself, as partners' messages overtake
        each other.

        What it waits for is noted in any case: it runs again once that is known, also
        out of the quarantine.

        :param external_id: the partner's id of a record that is not there yet, or empty
        """
        self.awaited_id = external_id or False
        if not external_id or self.state != "received" or self.retry_count >= WAITS:
            return False
        self.write({**self._told(problem), "retry_count": self.retry_count + 1})
        self._enqueue_hook(eta=FIRST_WAIT * WAIT_FACTOR ** (self.retry_count - 1))
        return True

    @api.model
    def _wake(self, systems, external_ids):
        """Run what waits for ids of systems that are known from now on, by whatever
        way they came.
        """
        # As messages run when they come, whoever makes the id known.
        requests = self.with_env(self.env(user=SUPERUSER_ID, context={}))
        requests.search(
            [
                ("system_id", "in", systems.ids),
                ("awaited_id", "in", external_ids),
                ("state", "in", ("received", "quarantined")),
            ]
        )._enqueue_hook()

    def _applied(self, result):
        held = dict(result.refused)
        self._recovered(
            "quarantined" if held and not result.applied else "applied",
            decisions={"applied": sorted(result.applied), "held": held},
            res_model=result.record._name,
            res_id=result.record.id,
        )

    def _recovered(self, state, **values):
        """What was wrong with it is over."""
        self.write(
            {
                "state": state,
                "quarantine_reason": False,
                "error_code": False,
                "faults": False,
                "awaited_id": False,
                **values,
            }
        )
        note = self.env._("%s was applied.", self.ref)
        if state == "ignored":
            note = self.env._("%s is ignored.", self.ref)
        self.env["sync.issue"]._recover(self._issue_fingerprint(), note)

    def _quarantine(self, problem):
        self.write({**self._told(problem), "state": "quarantined"})
        self.env["sync.issue"]._raise(
            self._issue_fingerprint(),
            self.env._(
                "%(system)s sends what cannot be applied: %(reason)s",
                system=self.system_id.name,
                reason=problem.detail or problem.title,
            ),
            "quarantine",
            record=self,
            system=self.system_id,
            detail=json.dumps(self.faults, ensure_ascii=False) if self.faults else None,
        )

    def _told(self, problem):
        """What is kept of a problem."""
        return {
            "error_code": problem.code,
            # Whoever mends it needs to know of all.
            "quarantine_reason": problem.summary()
            if len(problem.errors) > 1
            else problem.detail or problem.title,
            "faults": [error.as_dict() for error in problem.errors],
        }

    def _issue_fingerprint(self):
        """One issue for each kind of message of a system, however many fail."""
        return f"hook:{self.system_id.code}:{self.event_type}"

    def action_run_again(self):
        """Runs again what waits for a person, e.g. after its cause was mended:
        quarantined messages, and calls that were accepted and could not be done."""
        self.check_access("read")
        if not self.env.user.has_group("sync_governance_base.group_sync_operator"):
            raise UserError(self.env._("Only operators run messages again."))
        # The log is closed to everybody; running a message again is an operator's duty.
        requests = self.sudo()
        stuck = requests.filtered(lambda request: request._is_stuck())
        refused = requests.filtered(lambda request: request._is_refused_late())
        if not stuck | refused:
            raise UserError(
                self.env._("Nothing of it waits for a person, or its body is gone.")
            )
        stuck._enqueue_hook()
        refused._do_again()

    def _is_stuck(self):
        """Whether a message waits for a person."""
        return self.kind in MESSAGES and self.state == "quarantined"

    def action_correct(self):
        """Propose another body; a second operator has to approve it."""
        self.ensure_one()
        corrections = self.env["sync.request.correction"]
        corrections._check_role()
        corrections._check_correctable(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct the Message"),
            "res_model": "sync.request.correct",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_request_id": self.id},
        }
