# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import blocking
from ..tools.explain import packed_size
from ..tools.matcher import NEGLIGIBLE, Matcher, clusters
from ..tools.profile import Layout
from ..tools.table import Table
from ..tools.weights import Weights, estimate

#: Records whose keys are brought up to date at a time.
KEYS_SLICE = 10_000
#: Left-hand records of one part of the comparison: what a stopped scan may have to
#: repeat.
PART = 50_000
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
    slices, each of which is written while the next one is prepared; a killed scan goes
    on behind the last slice that was committed. No step locks a record that users work
    with.

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

    def _in_slices(self, size, slice_size, slices, finish):
        """Write what ``slices`` prepares, and ``finish`` behind the last of them.

        Slices of a large base are committed by a cursor of their own, so that a killed
        worker loses two of them at most, pause and cancel are seen, and no lock is held
        for longer than it takes to write. PostgreSQL writes a slice while the next one
        is being prepared. What fits in one slice is committed by its job.

        :param slices: iterator of functions that write a slice to the scan they get
        :param finish: function that writes the end of the phase to the scan it gets
        """
        if size <= slice_size:
            if all(self._write_slice(write) for write in slices):
                finish(self)
            return
        with ThreadPoolExecutor(1) as writer:
            if self._write_behind(writer, slices):
                writer.submit(self._commit_slice, finish).result()
        self.invalidate_recordset()

    def _write_behind(self, writer, slices):
        """:return: whether all slices are written and the scan is to go on"""
        before = writer.submit(bool, self)
        for write in slices:
            if not before.result():
                return False
            before = writer.submit(self._commit_slice, write)
        return before.result()

    def _write_slice(self, write):
        """:return: whether the scan is to go on"""
        write(self)
        return self.state == "running"

    def _commit_slice(self, write):
        with self.env.registry.cursor() as cr:
            return self.with_env(self.env(cr=cr))._write_slice(write)

    # -- keys --------------------------------------------------------------------------

    def _keys(self):
        """Bring the keys of the records up to date whose values have changed."""
        rule = self.rule_id
        total = (
            self.env["sync.duplicate.key"]
            ._records(rule)
            .search_count(rule._record_domain())
        )
        changed = list(self.changed_ids or [])
        self._in_slices(
            total,
            KEYS_SLICE,
            self._key_slices(rule, total, changed),
            lambda scan: scan._keys_done(len(changed), total),
        )

    def _key_slices(self, rule, total, changed):
        """:param changed: ids of the changed records, which grow with each slice"""
        Key, last_id = self.env["sync.duplicate.key"], self.last_record_id
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        while True:
            rows = Key._read_rows(
                rule, fields.Domain.TRUE, limit=KEYS_SLICE, changed_after=last_id
            )
            if not rows:
                return
            prepared = Key._prepare(layout, rows)
            last_id = rows[-1]["id"]
            changed += [row["id"] for row in rows]
            values = {
                "total": total,
                "processed": len(changed),
                "last_record_id": last_id,
                "changed_ids": changed[:] if self.mode == "changes" else False,
            }
            yield partial(type(self)._write_keys, prepared=prepared, values=values)

    def _write_keys(self, prepared, values):
        self.env["sync.duplicate.key"]._write_rows(self.rule_id, prepared)
        self.write(values)

    def _keys_done(self, changed, total):
        """Forget what has gone, and decide what is compared."""
        Key, rule = self.env["sync.duplicate.key"], self.rule_id
        if changed > KEYS_SLICE:
            Key._analyze()
        dropped = Key._drop_uncovered(rule)
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
        changed = self.changed_ids or []
        self._in_slices(
            len(changed),
            CHECK_SLICE,
            self._check_slices(changed),
            type(self)._finish,
        )

    def _check_slices(self, changed):
        for start in range(self.processed, len(changed), CHECK_SLICE):
            ids = changed[start : start + CHECK_SLICE]
            found = self.env["sync.duplicate.engine"]._check(self.rule_id, ids)
            yield partial(type(self)._write_checked, ids=ids, found=found)

    def _write_checked(self, ids, found):
        self.env["sync.duplicate.group"]._suggest(self.rule_id, found, checked_ids=ids)
        self.processed += len(ids)
        self.group_count += len(found)

    def _compare_all(self):
        """Score all candidate pairs, part by part."""
        matcher, blocks = self._load()
        parts = max(1, math.ceil(matcher.table.rows / PART))
        self._in_slices(
            parts,
            1,
            self._compared_parts(matcher, blocks, parts),
            lambda scan: scan._compare_done(matcher.table),
        )

    def _compared_parts(self, matcher, blocks, parts):
        size = matcher.table.rows
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
            values = {
                "weights": estimated,
                "parts_done": part + 1,
                "processed": size * (part + 1) // parts,
                "total": size,
            }
            yield partial(
                type(self)._write_compared, pairs=kept, count=len(left), values=values
            )

    def _write_compared(self, pairs, count, values):
        self.env["sync.duplicate.pair"]._store(self, pairs)
        self.write({"pair_count": self.pair_count + count, **values})

    def _compare_done(self, table):
        self.env["sync.duplicate.term"]._store(self.rule_id, table)
        self._enter("group")

    def _load(self):
        """(matcher over the whole base, its blocks)"""
        Key, rule = self.env["sync.duplicate.key"], self.rule_id
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        # the larger of the two first: it has shrunk when the other one grows
        blocks = blocking.Blocks(Key._entries(rule))
        return Matcher(Table(layout, Key._stream(rule))), blocks

    # -- group -------------------------------------------------------------------------

    def _group(self):
        """Cluster the scored pairs and hand the groups over to the stewards."""
        rule = self.rule_id
        layout = Layout(self.env["sync.duplicate.engine"]._spec(rule))
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(rule.model_name)
        pairs = self.env["sync.duplicate.pair"]._load(self, packed_size(layout))
        self._in_slices(
            len(pairs),
            GROUP_SLICE,
            self._group_slices(layout, pairs, denied),
            type(self)._group_done,
        )

    def _group_slices(self, layout, pairs, denied):
        rule, engine = self.rule_id, self.env["sync.duplicate.engine"]
        prior = Weights.load(self.weights).prior_bits(self.total)
        done, total = self.group_count, self.total
        found = clusters(pairs, rule.suggest_threshold, denied)
        found = islice(found, done, None)
        while some := list(islice(found, GROUP_SLICE)):
            groups = list(engine._explained(rule, layout, pairs, some, prior))
            done += len(some)
            values = {
                "group_count": done,
                # groups come about in the order of the pairs
                "processed": total * min(some[-1][1]) // len(pairs),
            }
            yield partial(type(self)._write_groups, groups=groups, values=values)

    def _write_groups(self, groups, values):
        self.env["sync.duplicate.group"]._suggest(self.rule_id, groups)
        self.write(values)
        slices = -(-self.group_count // GROUP_SLICE)
        if slices > 1 and slices & (slices - 1) == 0:
            # tables that grow from nothing: the planner would read all of them
            self.env["sync.duplicate.group"]._analyze()

    def _group_done(self):
        self.env["sync.duplicate.pair"]._forget_before(self)
        self._finish()

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
