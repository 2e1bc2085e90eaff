# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from collections import Counter
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import document, reconcile
from ..tools.problem import Problem
from .sync_feed_document import SPOOL
from .sync_resource_table import Names

#: Rows that one job reads from the snapshot, and records of ours that it compares.
SLICE = 20_000
#: Rows or records that are in memory at a time.
BATCH = 2_000
#: Differences of one kind that are kept one by one; more of them are only counted,
#: because a snapshot of the wrong file differs in everything.
MAX_KEPT = 10_000
COUNTS = {
    "value": "value_count",
    "missing_here": "missing_here_count",
    "missing_there": "missing_there_count",
    "unreadable": "unreadable_count",
}


class OwnIds(Names):
    """Names by external id alone: a comparison needs no canonical references."""

    def _load(self, record):
        records = record.browse({*record._prefetch_ids, record.id})
        own = self._crosswalk._external_ids(self._system, records)
        for one in records.ids:
            self._known[record._name, one] = {"external_id": own.get(one), "ref": None}


class SyncReconciliationRun(models.Model):
    """One comparison, in jobs that can be paused and killed.

    Two phases: *load* reads the snapshot into rows, *compare* walks over Odoo's
    records in slices and looks their counterparts up; what is left over of the
    snapshot is missing here. What a job has done is committed with its progress.
    """

    _name = "sync.reconciliation.run"
    _inherit = ["sync.stepwise.run"]
    _description = "Reconciliation Run"
    _rec_name = "reconciliation_id"

    reconciliation_id = fields.Many2one(
        "sync.reconciliation",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True)
    # What partners sent, unmasked: for no screen, and gone with the run's end.
    attachment_id = fields.Many2one(
        "ir.attachment", readonly=True, ondelete="set null", groups=fields.NO_ACCESS
    )
    document_name = fields.Char(string="Snapshot", readonly=True)
    is_spool = fields.Boolean(readonly=True, help="Rows of pages, as JSON lines.")
    phase = fields.Selection(
        [
            ("fetch", "Fetching"),
            ("load", "Reading"),
            ("compare", "Comparing"),
            ("rest", "Looking for the rest"),
        ],
        required=True,
        readonly=True,
        default="fetch",
    )
    their_count = fields.Integer(string="Rows There", readonly=True)
    our_count = fields.Integer(string="Records Here", readonly=True)
    equal_count = fields.Integer(string="Equal", readonly=True)
    value_count = fields.Integer(string="Other Values", readonly=True)
    missing_here_count = fields.Integer(string="Missing Here", readonly=True)
    missing_there_count = fields.Integer(string="Missing There", readonly=True)
    unreadable_count = fields.Integer(string="Unusable Rows", readonly=True)
    ignored_count = fields.Integer(string="Ignored", readonly=True)
    difference_count = fields.Integer(
        string="Differences", compute="_compute_difference_count", store=True
    )
    is_capped = fields.Boolean(
        compute="_compute_is_capped",
        help="There are more differences than are kept one by one.",
    )

    @api.depends(*COUNTS.values())
    def _compute_difference_count(self):
        for run in self:
            run.difference_count = sum(run[name] for name in COUNTS.values())

    @api.depends(*COUNTS.values())
    def _compute_is_capped(self):
        for run in self:
            run.is_capped = any(run[name] > MAX_KEPT for name in COUNTS.values())

    def _run_owner(self):
        return self.reconciliation_id

    def _issue_kind(self):
        return "reconciliation"

    def _discard(self):
        self.env["sync.reconciliation.row"]._forget(self)
        self.attachment_id.unlink()

    # -- fetch and load --------------------------------------------------------------

    def _fetch(self):
        """Have the snapshot at hand."""
        feed = self.reconciliation_id.feed_id
        if feed and not self.attachment_id:
            name, content, is_spool = feed._snapshot()
            self.attachment_id = self.env["ir.attachment"]._sync_keep(name, content)
            self.document_name = name
            self.is_spool = is_spool
        if not self.attachment_id:
            raise UserError(self.env._("There is no snapshot to compare with."))
        self._enter("load")

    def _layout(self):
        if self.is_spool:
            return SPOOL
        reconciliation = self.reconciliation_id
        return (reconciliation.feed_id or reconciliation)._layout()

    def _load(self):
        """Read the next slice of the snapshot."""
        count = 0
        with self.attachment_id._sync_stream() as stream:
            rows = document.read(stream, self._layout())
            rows = islice(rows, self.position, self.position + SLICE)
            while batch := list(islice(rows, BATCH)):
                self._keep(batch)
                count += len(batch)
        self.write(
            {
                "position": self.position + count,
                "their_count": self.their_count + count,
            }
        )
        if count < SLICE:
            self._enter("compare")

    def _keep(self, rows):
        """Keep rows in canonical words; what cannot be read is a difference."""
        mapping = self.reconciliation_id._mapping()
        read, findings = [], []
        for row in rows:
            try:
                external_id, body = self._canonical(row, mapping)
            except Problem as problem:
                findings.append(self._unreadable(row.number, "", problem.summary()))
            else:
                read.append((row.number, external_id, json.dumps(body)))
        for number, external_id in self.env["sync.reconciliation.row"]._add(self, read):
            findings.append(
                self._unreadable(number, external_id, self.env._("The id came before."))
            )
        self._found(findings)

    def _canonical(self, row, mapping):
        """``(external id, body)`` of a row.

        :raise Problem: it has none
        """
        if row.error:
            raise Problem(422, "unreadable_row", row.error)
        if mapping:
            instruction = mapping._instruction(row.message)
            return instruction.external_id, instruction.body
        external_id = row.message.get("external_id")
        if not isinstance(external_id, str) or not external_id:
            raise Problem(422, "unreadable_row", self.env._("external_id is missing."))
        return external_id, row.message

    def _unreadable(self, number, external_id, reason):
        return _finding(
            "unreadable",
            external_id or self.env._("Row %s", number),
            note=self.env._("Row %(number)s: %(reason)s", number=number, reason=reason),
        )

    # -- compare ---------------------------------------------------------------------

    def _compare(self):
        """Compare the next slice of Odoo's records with their counterparts."""
        reconciliation = self.reconciliation_id
        position, count = self.position, 0
        while count < SLICE:
            records = reconciliation._records(position, BATCH)
            if not records:
                self._enter("rest")
                break
            self._found(self._compared(records))
            count += len(records)
            position = records[-1].id
            records.invalidate_recordset()
            self.position = position
        self.our_count += count

    def _compared(self, records):
        """Findings of some records of ours."""
        bodies = self._own_bodies(records)
        theirs = self.env["sync.reconciliation.row"]._match(
            self, {body["external_id"] for body in bodies} - {None}
        )
        comparisons = self.reconciliation_id._comparisons()
        findings, equal = [], 0
        for record, ours in zip(records, bodies, strict=True):
            external_id = ours["external_id"]
            if external_id not in theirs:
                findings.append(self._missing_there(record, external_id))
                continue
            differing = list(
                reconcile.differences(comparisons, theirs[external_id], ours)
            )
            equal += not differing
            findings += [
                _finding(
                    "value",
                    external_id,
                    record.id,
                    one.path,
                    theirs=one.theirs,
                    ours=one.ours,
                )
                for one in differing
            ]
        self.equal_count += equal
        return findings

    def _own_bodies(self, records):
        """Canonical bodies of the compared members alone."""
        reconciliation = self.reconciliation_id
        resource = records.env["sync.resource"]._get(reconciliation.resource)
        wanted = {"external_id", *reconciliation.line_ids.mapped("path")}
        members = [one for one in resource._members() if one.path in wanted]
        names = OwnIds(records.env, reconciliation.system_id)
        return [resource._encode_object(members, one, names) for one in records.sudo()]

    def _missing_there(self, record, external_id):
        return _finding(
            "missing_there",
            external_id or "",
            record.id,
            ours=record.display_name,
            note=None if external_id else self.env._("It has no id there."),
        )

    # -- rest ------------------------------------------------------------------------

    def _rest(self):
        """Rows that met no record: by another id of one, or missing here."""
        rows = self.env["sync.reconciliation.row"]
        found = rows._unmatched(self, self.position, SLICE)
        for start in range(0, len(found), BATCH):
            self._found(self._left_over(found[start : start + BATCH]))
        if len(found) < SLICE:
            self._finish()
        else:
            self.position = found[-1][0]

    def _left_over(self, rows):
        reconciliation = self.reconciliation_id
        resource = reconciliation._acting_resource()
        known = resource._known_ids(reconciliation.system_id, [row[1] for row in rows])
        findings = []
        for _number, external_id, body in rows:
            record = None
            if external_id in known:
                record, _moved = resource._find(reconciliation.system_id, external_id)
            findings.append(
                _finding(
                    "missing_here",
                    external_id,
                    record.id if record else 0,
                    theirs=body,
                    note=self._why_left_over(record, external_id),
                )
            )
        return findings

    def _why_left_over(self, record, external_id):
        """What is known of a row that was met by no record in the scope."""
        if not record:
            return None
        own = record.env["sync.crosswalk"]._external_ids(
            self.reconciliation_id.system_id, record
        )
        if own.get(record.id) != external_id:
            return self.env._(
                "Odoo knows it as another id of %(record)s (%(id)s).",
                record=record.sudo().display_name,
                id=own.get(record.id) or self.env._("none"),
            )
        return self.env._(
            "Odoo has %s, outside of what is compared.", record.sudo().display_name
        )

    def _finish(self):
        differences = self.env["sync.reconciliation.difference"]
        differences._close_agreed(self)
        self._discard()
        self._complete()
        self._tell()

    def _tell(self):
        """One issue while differences are open; agreement closes it."""
        issues = self.env["sync.issue"]
        reconciliation = self.reconciliation_id
        count = self.env["sync.reconciliation.difference"].search_count(
            [("reconciliation_id", "=", reconciliation.id), ("state", "=", "open")]
        )
        if not count:
            issues._recover(
                self._issue_fingerprint(), self.env._("Both sides agree now.")
            )
            return
        issues._raise(
            self._issue_fingerprint(),
            self.env._(
                "%(name)s: %(count)s differences are open",
                name=reconciliation.name,
                count=count,
            ),
            "reconciliation",
            record=reconciliation,
            system=reconciliation.system_id,
        )

    # -- findings --------------------------------------------------------------------

    def _found(self, findings):
        """Count findings, and keep them as differences unless a rule ignores them."""
        ignored = self.reconciliation_id.ignore_ids
        counts, kept = Counter(), []
        for finding in findings:
            kind = finding["kind"]
            if ignored._covers(kind, finding["external_id"], finding["member"]):
                counts["ignored_count"] += 1
                continue
            counts[COUNTS[kind]] += 1
            if self[COUNTS[kind]] + counts[COUNTS[kind]] <= MAX_KEPT:
                kept.append(finding)
        self.write({name: self[name] + count for name, count in counts.items()})
        self.env["sync.reconciliation.difference"]._report(self, kept)


def _finding(kind, external_id, res_id=0, member="", **values):
    return {
        "kind": kind,
        "external_id": external_id,
        "res_id": res_id,
        "member": member,
        "values": values,
    }
