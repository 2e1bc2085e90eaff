# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import math
from contextlib import contextmanager

import numpy as np

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import blocking
from ..tools.matcher import NEGLIGIBLE, Matcher, Scores
from ..tools.profile import Layout, unpack
from ..tools.table import Table
from ..tools.weights import Weights, estimate

#: Records whose keys one job brings up to date.
KEYS_SLICE = 100_000
#: Left-hand records of one part of the comparison: what a stopped scan may have to
#: repeat.
PART = 50_000
#: Groups that are handed over at a time.
GROUP_SLICE = 2_000


class SyncDuplicateScan(models.Model):
    """Compares all records of a rule with one another, in steps that can be stopped.

    Three phases, each a queue job or several: *keys* (normalise what has no keys yet),
    *compare* (score candidate pairs, part by part), *group*. What a step has done
    is committed; a killed scan goes on with the part that it was in. No step locks
    a record that users work with.
    """

    _name = "sync.duplicate.scan"
    _description = "Duplicate Scan"
    _order = "id desc"
    _rec_name = "rule_id"

    rule_id = fields.Many2one(
        "sync.duplicate.rule",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Failed"),
        ],
        default="draft",
        required=True,
        readonly=True,
    )
    phase = fields.Selection(
        [("keys", "Preparing"), ("compare", "Comparing"), ("group", "Grouping")],
        default="keys",
        required=True,
        readonly=True,
    )
    total = fields.Integer(string="Records", readonly=True)
    processed = fields.Integer(readonly=True, help="Records done in this phase.")
    progress = fields.Float(compute="_compute_progress")
    pair_count = fields.Integer(string="Pairs Compared", readonly=True)
    group_count = fields.Integer(string="Groups", readonly=True)
    started_at = fields.Datetime(readonly=True)
    finished_at = fields.Datetime(readonly=True)
    error = fields.Text(readonly=True)
    last_record_id = fields.Integer(readonly=True)
    parts_done = fields.Integer(readonly=True)
    weights = fields.Json(
        readonly=True, help="Weights estimated on the rule's own data by this scan."
    )

    #: Share of the whole that each phase takes, for the progress bar.
    _PHASES = {"keys": (0, 40), "compare": (40, 45), "group": (85, 15)}

    @api.depends("state", "phase", "processed", "total")
    def _compute_progress(self):
        for scan in self:
            before, share = self._PHASES[scan.phase]
            done = scan.processed / scan.total if scan.total else 0
            scan.progress = (
                100 if scan.state == "done" else before + share * min(done, 1)
            )

    # -- steering ----------------------------------------------------------------------

    def _start(self):
        """Begin, or go on where the scan was stopped."""
        for scan in self:
            scan.write(
                {
                    "state": "running",
                    "started_at": scan.started_at or fields.Datetime.now(),
                    "error": False,
                }
            )
            scan._enqueue()

    def _enqueue(self):
        self.ensure_one()
        # the engine reads and writes ledgers that no person has rights on
        self.sudo().with_delay(
            channel="root.sync_dedup",
            description=self.env._("Duplicate scan: %s", self.rule_id.name),
            identity_key=f"sync.duplicate.scan-{self.id}-{self.phase}-{self.processed}",
        )._run()

    def action_pause(self):
        self._steer(("running",), "paused")

    def action_resume(self):
        if self.filtered(lambda scan: scan.state not in ("paused", "failed")):
            raise UserError(self.env._("Only a paused or failed scan can be resumed."))
        self.check_access("write")
        self._start()

    def action_cancel(self):
        self._steer(("draft", "running", "paused", "failed"), "cancelled")

    def _steer(self, states, state):
        self.check_access("write")
        if self.filtered(lambda scan: scan.state not in states):
            raise UserError(self.env._("The scan is not in a state that allows this."))
        self.write({"state": state})

    def _run(self):
        """Job: one step, and the next one queued behind it."""
        self.ensure_one()
        if self.state != "running":
            return
        self._advance()
        if self.state == "running":
            self._enqueue()

    def _on_job_failed(self, exc_message=None, **_failure):
        """queue_job's ``on_fail_method``: show that the scan has stopped, and why."""
        self.write({"state": "failed", "error": exc_message})

    def _advance(self):
        """One step of the phase that the scan is in."""
        step = {"keys": self._keys, "compare": self._compare, "group": self._group}
        step[self.phase]()

    def _enter(self, phase):
        self.write({"phase": phase, "processed": 0})

    # -- keys --------------------------------------------------------------------------

    def _keys(self):
        """Bring the keys of the next slice of records up to date."""
        Key = self.env["sync.duplicate.key"]
        rule = self.rule_id
        if not self.last_record_id:
            Model = self.env[rule.model_name].sudo().with_context(active_test=False)
            self.total = Model.search_count(rule._record_domain())
        last_id, count = Key._refresh_slice(rule, self.last_record_id, KEYS_SLICE)
        self.write({"last_record_id": last_id, "processed": self.processed + count})
        if count < KEYS_SLICE:
            self._enter("compare")

    # -- compare -----------------------------------------------------------------------

    def _compare(self):
        """Score all candidate pairs, part by part."""
        matcher, rows, keys = self._load()
        size = matcher.table.rows
        parts = max(1, math.ceil(size / PART))
        estimated = self.weights or self.rule_id.weights
        if estimated:
            matcher.weights = Weights.load(estimated)
        for part, left, right in blocking.candidate_pairs(
            rows, keys, size, self.parts_done, parts
        ):
            compared = _compare_all(matcher, left, right)
            if not estimated:
                share = (
                    1 - (1 - 1 / parts) ** 2
                )  # of all pairs, those of the first part
                matcher.weights = estimate(matcher, *compared[2:], share)
                estimated = matcher.weights.dump()
            kept = _keep(matcher, compared)
            with self._checkpoint(alone=parts == 1) as scan:
                scan.env["sync.duplicate.pair"]._store(scan, matcher, kept)
                scan.write(
                    {
                        "weights": estimated,
                        "parts_done": part + 1,
                        "processed": size * (part + 1) // parts,
                        "total": size,
                        "pair_count": scan.pair_count + len(left),
                    }
                )
                if scan.state != "running":
                    return
        with self._checkpoint(alone=parts == 1) as scan:
            scan.env["sync.duplicate.term"]._store(scan.rule_id, matcher.table)
            scan._enter("group")
        self.invalidate_recordset()

    @contextmanager
    def _checkpoint(self, alone):
        """The scan, to be written and committed at once.

        Parts are minutes of work: their results are committed by a cursor of their own,
        so that a killed worker loses one part at most, and pause and cancel are seen.
        A scan of one part is committed by its job.
        """
        if alone:
            yield self
            return
        with self.env.registry.cursor() as cr:
            yield self.with_env(self.env(cr=cr))

    def _load(self):
        """(matcher over the whole base, rows of the keys, keys)."""
        rule = self.rule_id
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        ids, profiles, lengths, keys = [], [], [], []
        for chunk in self.env["sync.duplicate.key"]._stream(rule):
            ids.extend(row[0] for row in chunk)
            profiles.extend(unpack(row[1]) for row in chunk)
            lengths.extend(len(row[2]) for row in chunk)
            keys.append(
                np.array([key for row in chunk for key in row[2]], dtype=np.int32)
            )
        matcher = Matcher(Table(layout, ids, profiles))
        rows = np.repeat(np.arange(len(ids), dtype=np.int32), lengths)
        return (
            matcher,
            rows,
            np.concatenate(keys) if keys else np.zeros(0, dtype=np.int32),
        )

    # -- group -------------------------------------------------------------------------

    def _group(self):
        """Cluster the scored pairs and hand the groups over to the stewards."""
        rule = self.rule_id
        pairs = self.env["sync.duplicate.pair"]._load(self)
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(rule.model_name)
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        involved = sorted({record for pair in pairs for record in pair[:2]})
        stored = self.env["sync.duplicate.engine"]._stored(rule, involved)
        matcher = self.env["sync.duplicate.engine"]._matcher(rule, layout, stored)
        matcher.weights = Weights.load(self.weights)
        row_of = {record_id: row for row, (record_id, _profile) in enumerate(stored)}
        pairs = [pair for pair in pairs if pair[0] in row_of and pair[1] in row_of]
        compared = _compare_all(
            matcher,
            np.array([row_of[left] for left, _right, _p in pairs], dtype=np.int64),
            np.array([row_of[right] for _left, right, _p in pairs], dtype=np.int64),
        )
        scores = matcher.weigh(*compared)
        groups = list(matcher.groups(scores, rule.suggest_threshold, denied))
        for start in range(0, len(groups), GROUP_SLICE):
            self.env["sync.duplicate.group"]._suggest(
                rule, groups[start : start + GROUP_SLICE]
            )
        self.env["sync.duplicate.pair"]._forget_before(self)
        self.write(
            {
                "state": "done",
                "group_count": len(groups),
                "finished_at": fields.Datetime.now(),
                "processed": self.total,
            }
        )

    @api.model
    def _last_weights(self, rule):
        """Weights of the rule's latest finished scan, ``None`` if there is none."""
        scan = self.search([("rule_id", "=", rule.id), ("state", "=", "done")], limit=1)
        return scan.weights or None


def _compare_all(matcher, left, right):
    """(left, right, levels, bits) of many pairs, compared in batches."""
    parts = [matcher.compare(one, two) for one, two in blocking.batches(left, right)]
    if not parts:
        parts = [matcher.compare(left, right)]
    levels, bits = (np.concatenate(each) for each in zip(*parts, strict=True))
    return left, right, levels, bits


def _keep(matcher, compared) -> Scores:
    """Scores of the pairs that are worth keeping."""
    scores = matcher.weigh(*compared)
    return scores.select(scores.probability >= NEGLIGIBLE)
