# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.sync_governance_webhooks.tools.matching import matches

from ..tools.canonical import nest
from ..tools.instruction import PUT, Instruction
from ..tools.problem import Problem

DECIDERS = (
    "sync_governance_base.group_sync_steward",
    "sync_governance_base.group_sync_integration_manager",
)


#: Who sees what the two sides say, in the clear; others see that they differ.
READERS = ",".join((*DECIDERS, "sync_governance_base.group_sync_auditor"))


class SyncReconciliationDifference(models.Model):
    """Something that a system and Odoo say differently.

    It stays one row from run to run while both sides stay as they are: what somebody
    accepted is not asked again, what agrees again is closed.
    """

    _name = "sync.reconciliation.difference"
    _description = "Difference"
    _order = "state, id"
    _rec_name = "external_id"

    reconciliation_id = fields.Many2one(
        "sync.reconciliation", required=True, readonly=True, ondelete="cascade"
    )
    system_id = fields.Many2one(related="reconciliation_id.system_id", store=True)
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True)
    run_id = fields.Many2one(
        "sync.reconciliation.run",
        string="Last Seen In",
        readonly=True,
        ondelete="set null",
        index=True,
    )
    kind = fields.Selection(
        [
            ("value", "Another value"),
            ("missing_here", "Missing in Odoo"),
            ("missing_there", "Missing there"),
            ("unreadable", "Row cannot be used"),
        ],
        required=True,
        readonly=True,
    )
    external_id = fields.Char(string="Their Id", readonly=True)
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    record_name = fields.Char(string="Ours", compute="_compute_record_name")
    member = fields.Char(readonly=True)
    # Wrapped in an object: an empty text or false would be stored as nothing.
    values = fields.Json(
        readonly=True, groups=READERS, help='{"theirs", "ours", "note"}'
    )
    their_value = fields.Char(string="There", compute="_compute_values", groups=READERS)
    our_value = fields.Char(string="In Odoo", compute="_compute_values", groups=READERS)
    note = fields.Char(compute="_compute_values", groups=READERS)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("accepted", "Accepted"),
            ("ignored", "Ignored"),
            ("resolved", "Resolved"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    reason = fields.Char(readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True)

    _same_once = models.UniqueIndex(
        "(reconciliation_id, kind, external_id, res_id, member)",
        "This difference is known already.",
    )

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for difference in self:
            record = difference._record()
            # The name of what a person may see the difference of tells nothing new.
            difference.record_name = record.sudo().display_name if record else False

    @api.depends("values")
    def _compute_values(self):
        for difference in self:
            values = difference.values or {}
            difference.their_value = _shown(values.get("theirs"))
            difference.our_value = _shown(values.get("ours"))
            difference.note = values.get("note")

    def _record(self):
        if not self.res_model or not self.res_id or self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists()

    # -- a run's findings ------------------------------------------------------------

    @api.model
    def _report(self, run, findings):
        """Note what a run found; what was accepted as it is stays accepted.

        :param findings: dicts ``{"kind", "external_id", "res_id", "member",
            "values"}``
        """
        if not findings:
            return
        reconciliation = run.reconciliation_id
        columns = [
            [finding["kind"] for finding in findings],
            [finding["external_id"] for finding in findings],
            [finding["res_id"] for finding in findings],
            [finding["member"] for finding in findings],
            [json.dumps(finding["values"]) for finding in findings],
        ]
        # One statement: a snapshot that agrees in nothing has as many as it has rows.
        self.env.execute_query(
            SQL(
                """
                INSERT INTO sync_reconciliation_difference AS known (
                    reconciliation_id, system_id, company_id, run_id, res_model, state,
                    create_uid, create_date, write_uid, write_date,
                    kind, external_id, res_id, member, values)
                SELECT %(reconciliation)s, %(system)s, %(company)s, %(run)s, %(model)s,
                       'open', %(user)s, %(now)s, %(user)s, %(now)s, found.*
                  FROM unnest(%(kinds)s::varchar[], %(keys)s::varchar[],
                              %(records)s::int[], %(members)s::varchar[],
                              %(values)s::jsonb[]) AS found
                ON CONFLICT (reconciliation_id, kind, external_id, res_id, member)
                DO UPDATE SET run_id = excluded.run_id,
                              write_date = excluded.write_date,
                              values = excluded.values,
                              state = CASE
                                  WHEN known.state IN ('accepted', 'ignored')
                                   AND known.values = excluded.values THEN known.state
                                  ELSE 'open' END
                """,
                reconciliation=reconciliation.id,
                system=reconciliation.system_id.id,
                company=reconciliation.company_id.id or None,
                run=run.id,
                model=reconciliation.scope_model,
                user=self.env.uid,
                now=self.env.cr.now(),
                kinds=columns[0],
                keys=columns[1],
                records=columns[2],
                members=columns[3],
                values=columns[4],
            )
        )
        self.invalidate_model()

    @api.model
    def _close_agreed(self, run):
        """What the run did not meet again agrees now."""
        gone = self.search(
            [
                ("reconciliation_id", "=", run.reconciliation_id.id),
                ("state", "!=", "resolved"),
                ("run_id", "!=", run.id),
            ]
        )
        gone.write({"state": "resolved", "reason": self.env._("Both agree now.")})

    # -- decisions -------------------------------------------------------------------

    def _check_decider(self):
        if not any(self.env.user.has_group(group) for group in DECIDERS):
            raise AccessError(
                self.env._("Stewards and integration managers decide on differences.")
            )
        self.check_access("read")

    def _open_ones(self):
        self._check_decider()
        # Differences are a ledger of runs; a decision is the one thing people add.
        return self.sudo().filtered(lambda difference: difference.state == "open")

    def action_resolve_by_policy(self):
        """The owner's value wins: theirs comes in, or ours is sent again."""
        for difference in self._open_ones():
            if difference._is_theirs_to_say():
                difference._take_theirs()
            else:
                difference._send_ours()

    def action_take_theirs(self):
        """Apply what the system says, as if it had sent it now; policies decide."""
        self._open_ones()._take_theirs()

    def action_send_ours(self):
        """Send Odoo's record to the system again."""
        self._open_ones()._send_ours()

    def _accept(self, reason):
        self._open_ones()._decide("accepted", reason)

    def _ignore(self, reason):
        """Ignore these, and what is like them in later runs."""
        chosen = self._open_ones()
        chosen._decide("ignored", reason)
        for difference in chosen:
            self.env["sync.reconciliation.ignore"].sudo().create(
                {
                    "reconciliation_id": difference.reconciliation_id.id,
                    "kind": difference.kind,
                    "member": difference.member,
                    "key_pattern": difference.external_id or "*",
                    "reason": reason,
                }
            )

    def _decide(self, state, reason):
        self.write({"state": state, "reason": reason, "decided_by_id": self.env.uid})
        for difference in self:
            self.env["sync.audit"]._log(
                f"reconciliation.{state}",
                record=difference,
                after=difference.values,
                reason=reason,
            )

    def _is_theirs_to_say(self):
        """Whether the policy would let the system's word in."""
        if self.kind == "missing_here":
            return True
        if self.kind == "missing_there":
            return False
        field = self._field()
        call = self.system_id._call(f"difference:{self.id}")
        decisions = (
            self.env["sync.policy"]
            .sudo()
            ._decide(self.res_model, [field], call.source, self._company())
        )
        return self.env["sync.crosswalk"]._allows(decisions[field])

    def _field(self):
        """The field of the record that holds the member."""
        resource = self.reconciliation_id._resource()
        return next(
            member.field for member in resource._members() if member.path == self.member
        )

    def _company(self):
        return self.company_id or self.env.company

    def _take_theirs(self):
        for difference in self:
            body = difference._their_body()
            instruction = Instruction(
                difference.reconciliation_id.resource, PUT, difference.external_id, body
            )
            try:
                result = difference.system_id._carry_out(
                    instruction, f"difference:{difference.id}"
                )
            except Problem as problem:
                raise UserError(problem.detail or problem.title) from problem
            difference._check_taken(result)
            difference._decide("resolved", self.env._("Their value was taken."))

    def _their_body(self):
        if self.kind == "value":
            return nest([(self.member, self.values["theirs"])])
        if self.kind == "missing_here":
            return self.values["theirs"]
        raise UserError(
            self.env._("There is nothing of theirs to take: %s.", self.display_name)
        )

    def _check_taken(self, result):
        held = result.refused.get(self.member)
        if held:
            raise UserError(held["reason"])

    def _send_ours(self):
        for difference in self:
            record = difference._record()
            if not record:
                raise UserError(
                    self.env._(
                        "Odoo has no record to send: %s.", difference.display_name
                    )
                )
            record = record.sudo()
            event_type = difference._event_type(record)
            event_type._emit(event_type.name, record)
            difference._decide(
                "resolved", self.env._("Odoo's record was sent: %s.", event_type.name)
            )

    def _event_type(self, record):
        """The event that tells the system a record's state.

        :raise UserError: the system subscribes to none
        """
        subscriptions = (
            self.env["sync.subscription"]
            .sudo()
            .search([("system_id", "=", self.system_id.id), ("state", "=", "active")])
        )
        patterns = [
            pattern for one in subscriptions for pattern in one._route().patterns
        ]
        candidates = (
            self.env["sync.event.type"]
            .sudo()
            .search(
                [
                    ("model_id.model", "=", record._name),
                    ("is_state_type", "=", True),
                    ("operation", "in", ("write", "create")),
                ],
                order="operation desc, id",
            )
        )
        for candidate in candidates:
            if matches(candidate.name, patterns):
                return candidate
        raise UserError(
            self.env._(
                "%(system)s subscribes to none of these: %(events)s.",
                system=self.system_id.name,
                events=", ".join(candidates.mapped("name")) or record._description,
            )
        )

    def action_decide(self):
        """Accept or ignore, with a reason."""
        self._check_decider()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Accept or Ignore"),
            "res_model": "sync.reconciliation.decide",
            "views": [[False, "form"]],
            "target": "new",
            "context": {"default_difference_ids": self.ids},
        }

    def action_open_record(self):
        self.ensure_one()
        if not self._record():
            raise UserError(self.env._("Odoo has no such record."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [[False, "form"]],
        }


def _shown(value):
    """A canonical value for a screen; a whole body by its name."""
    if value is None or value == "":
        return False
    if isinstance(value, dict):
        return value.get("name") or value.get("number") or json.dumps(value)[:120]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
