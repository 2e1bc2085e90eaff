# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import math
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import blocking
from ..tools.matcher import NEGLIGIBLE, Matcher, clusters
from ..tools.profile import Layout
from ..tools.table import Table
from ..tools.weights import Weights, estimate

#: Records whose keys are brought up to date at a time.
KEYS_SLICE = 20_000
#: Left-hand records of one part of the comparison: what a stopped scan may have to
#: repeat.
PART = 100_000
#: A scan of changes compares all records if more than this part of them has changed.
FULL_FROM = 5
#: Changed records that are checked at a time.
CHECK_SLICE = 2_000
#: Groups that are handed over at a time.
GROUP_SLICE = 2_000


class SyncDuplicateScan(models.Model):
    """Compares the records of a rule, in steps that can be stopped.

    Three phases, each a queue job: *keys* (normalise what has changed), *compare*
    (score candidate pairs, part by part), *group*. What a step has done is committed in
    slices; a killed scan goes on with the slice that it was in. No step locks a record
    that users work with.

    A *full* scan compares all records with one another and estimates the weights and
    the frequencies that all later checks use. A scan of *changes* compares only those
    whose compared values are not what was stored of them, whoever changed them and
    how: with all that share a key, extending or dissolving the groups they touch. It
    becomes a full one where there was none yet, or much has changed.
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
    mode = fields.Selection(
        [("full", "All Records"), ("changes", "Changed Records")],
        default="full",
        required=True,
        readonly=True,
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
    changed_ids = fields.Json(
        readonly=True, help="Records that a scan of changes has to compare."
    )
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

    @contextmanager
    def _checkpoint(self, size, slice_size):
        """The scan, to be written and committed at once.

        Slices of a large base are committed by a cursor of their own, so that a killed
        worker loses one of them at most, pause and cancel are seen, and no lock is held
        for longer than it takes to write. What fits in one slice is committed by its
        job.
        """
        if size <= slice_size:
            yield self
            return
        with self.env.registry.cursor() as cr:
            yield self.with_env(self.env(cr=cr))
        self.invalidate_recordset()

    # -- keys --------------------------------------------------------------------------

    def _keys(self):
        """Bring the keys of the records up to date whose values have changed."""
        Key, rule = self.env["sync.duplicate.key"], self.rule_id
        total = Key._records(rule).search_count(rule._record_domain())
        last_id, changed = self.last_record_id, self.changed_ids or []
        while True:
            after = fields.Domain("id", ">", last_id)
            rows = Key._read_rows(rule, after, limit=KEYS_SLICE, changed=True)
            if not rows:
                break
            prepared = Key._prepare(rule, rows)
            last_id = rows[-1]["id"]
            changed = changed + [row["id"] for row in rows]
            with self._checkpoint(total, KEYS_SLICE) as scan:
                scan.env["sync.duplicate.key"]._write_rows(scan.rule_id, prepared)
                scan.write(
                    {
                        "total": total,
                        "processed": len(changed),
                        "last_record_id": last_id,
                        "changed_ids": changed if scan.mode == "changes" else False,
                    }
                )
                if scan.state != "running":
                    return
        with self._checkpoint(total, KEYS_SLICE) as scan:
            scan._keys_done(len(changed), total)

    def _keys_done(self, changed, total):
        """Forget what has gone, and decide what is compared."""
        rule = self.rule_id
        dropped = self.env["sync.duplicate.key"]._drop_uncovered(rule)
        self.env["sync.duplicate.group"]._suggest(rule, [], checked_ids=dropped)
        if changed > total / FULL_FROM or not self._last_weights(rule):
            self.mode = "full"
        self.total = changed if self.mode == "changes" else total
        self._enter("compare")

    # -- compare -----------------------------------------------------------------------

    def _compare(self):
        if self.mode == "full":
            self._compare_all()
        else:
            self._compare_changed()

    def _compare_changed(self):
        """Check the changed records, slice by slice; groups follow at once."""
        changed, rule = self.changed_ids or [], self.rule_id
        for start in range(self.processed, len(changed), CHECK_SLICE):
            ids = changed[start : start + CHECK_SLICE]
            found = self.env["sync.duplicate.engine"]._check(rule, ids)
            with self._checkpoint(len(changed), CHECK_SLICE) as scan:
                scan.env["sync.duplicate.group"]._suggest(
                    scan.rule_id, found, checked_ids=ids
                )
                scan.write(
                    {
                        "processed": start + len(ids),
                        "group_count": scan.group_count + len(found),
                    }
                )
                if scan.state != "running":
                    return
        with self._checkpoint(len(changed), CHECK_SLICE) as scan:
            scan._finish()

    def _compare_all(self):
        """Score all candidate pairs, part by part."""
        matcher, blocks = self._load()
        size = matcher.table.rows
        parts = max(1, math.ceil(size / PART))
        estimated = self.weights or self.rule_id.weights
        if estimated:
            matcher.weights = Weights.load(estimated)
        for part in range(self.parts_done, parts):
            left, right = blocks.pairs(size * part // parts, size * (part + 1) // parts)
            levels, bits = matcher.compare_all(left, right)
            if not estimated:
                # of all pairs, those of the first part
                share = 1 - (1 - 1 / parts) ** 2
                matcher.weights = estimate(matcher, levels, bits, share)
                estimated = matcher.weights.dump()
            scores = matcher.weigh(left, right, levels, bits)
            kept = matcher.pairs(scores.select(scores.probability >= NEGLIGIBLE))
            with self._checkpoint(parts, 1) as scan:
                scan.env["sync.duplicate.pair"]._store(scan, kept)
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
        with self._checkpoint(parts, 1) as scan:
            scan.env["sync.duplicate.term"]._store(scan.rule_id, matcher.table)
            scan._enter("group")

    def _load(self):
        """(matcher over the whole base, its blocks)"""
        Key, rule = self.env["sync.duplicate.key"], self.rule_id
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        table = Table(layout, Key._stream(rule))
        ids, keys = Key._all_keys(rule)
        rows = table.record_ids.searchsorted(ids)
        return Matcher(table), blocking.Blocks(rows, keys, table.rows)

    # -- group -------------------------------------------------------------------------

    def _group(self):
        """Cluster the scored pairs and hand the groups over to the stewards."""
        rule, engine = self.rule_id, self.env["sync.duplicate.engine"]
        layout = Layout(engine._spec(rule))
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(rule.model_name)
        pairs = self.env["sync.duplicate.pair"]._load(self)
        found = clusters(pairs, rule.suggest_threshold, denied)
        prior = Weights.load(self.weights).prior_bits(self.total)
        done = self.group_count
        for start in range(done, len(found), GROUP_SLICE):
            some = found[start : start + GROUP_SLICE]
            groups = list(engine._explained(rule, layout, some, prior))
            with self._checkpoint(len(found), GROUP_SLICE) as scan:
                scan.env["sync.duplicate.group"]._suggest(scan.rule_id, groups)
                scan.write(
                    {
                        "group_count": start + len(some),
                        "processed": scan.total * (start + len(some)) // len(found),
                    }
                )
                if scan.state != "running":
                    return
        with self._checkpoint(len(found), GROUP_SLICE) as scan:
            scan.env["sync.duplicate.pair"]._forget_before(scan)
            scan._finish()

    def _finish(self):
        self.write(
            {
                "state": "done",
                "finished_at": fields.Datetime.now(),
                "processed": self.total,
                "changed_ids": False,
            }
        )

    @api.model
    def _last_weights(self, rule):
        """Weights of the rule's latest finished full scan, if there is one."""
        scan = self.search(
            [
                ("rule_id", "=", rule.id),
                ("mode", "=", "full"),
                ("state", "=", "done"),
            ],
            limit=1,
        )
        return scan.weights or None
