# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from collections import Counter
from datetime import timedelta, timezone
from hashlib import sha256
from itertools import chain, islice

import jmespath

from odoo import fields, models

from ..tools import canonical, document
from ..tools.document import DocumentError
from ..tools.instruction import PUT
from ..tools.problem import Problem
from .sync_feed_document import MAX_DOCUMENT, SPOOL
from .sync_remote import RemoteFailed

#: Rows that one job applies.
SLICE = 500
#: Rows that are applied together.
BATCH = 100
#: Rows of pages in one spooled document.
SPOOL_ROWS = 5_000
SPOOL_BYTES = 16 * 1024 * 1024
RETRIES = 5
RETRY_AFTER = timedelta(minutes=5)
OUTCOMES = {
    "created": "created_count",
    "updated": "updated_count",
    "unchanged": "unchanged_count",
    "transitioned": "updated_count",
}


def _spool(rows):
    """The next rows that one document shall hold: some thousands, or some MB."""
    spooled, size = [], 0
    for row in islice(rows, SPOOL_ROWS):
        spooled.append(row)
        size += len(json.dumps(row))
        if size > SPOOL_BYTES:
            break
    return spooled


class _Readable:
    """The rows of a document as far as it can be read, and why not further."""

    def __init__(self, rows):
        self._rows = rows
        self.fault = ""

    def __iter__(self):
        try:
            yield from self._rows
        except DocumentError as error:
            self.fault = str(error)


class SyncFeedRun(models.Model):
    """One run of a feed.

    Incoming: *fetch* brings everything here and lets go of the other side; *apply*
    works through the rows, some hundreds a job. Only then is the watermark moved and
    are the files put away: a run that is killed anywhere is begun again without a loss,
    and what came twice changes nothing. Outgoing: *export* writes one file.
    """

    _name = "sync.feed.run"
    _inherit = ["sync.stepwise.run"]
    _description = "Feed Run"
    _rec_name = "feed_id"

    feed_id = fields.Many2one(
        "sync.feed", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="feed_id.company_id", store=True)
    direction = fields.Selection(related="feed_id.direction")
    phase = fields.Selection(
        [
            ("fetch", "Fetching"),
            ("apply", "Applying"),
            ("put_away", "Putting away"),
            ("export", "Writing"),
        ],
        required=True,
        readonly=True,
    )
    document_ids = fields.One2many("sync.feed.document", "run_id", readonly=True)
    watermark = fields.Char(readonly=True, help="Latest change seen by this run.")
    retry_count = fields.Integer(readonly=True)
    row_count = fields.Integer(string="Rows", readonly=True)
    done_count = fields.Integer(string="Rows Done", readonly=True)
    created_count = fields.Integer(string="Created", readonly=True)
    updated_count = fields.Integer(string="Updated", readonly=True)
    unchanged_count = fields.Integer(string="Unchanged", readonly=True)
    quarantined_count = fields.Integer(string="Quarantined", readonly=True)
    progress = fields.Float(compute="_compute_progress")

    def _compute_progress(self):
        for run in self:
            if run.state == "done":
                run.progress = 100
            else:
                run.progress = (
                    100 * run.done_count / run.row_count if run.row_count else 0
                )

    # -- role ------------------------------------------------------------------------

    def _run_owner(self):
        return self.feed_id

    def _issue_kind(self):
        return "feed"

    def _discard(self):
        self.document_ids.attachment_id.unlink()

    def _on_step_failed(self, error):
        """An outage of the other side is waited for, a few times; the rest is told."""
        is_outage = isinstance(error, RemoteFailed) and error.is_outage
        if not is_outage or self.retry_count >= RETRIES:
            self._fail(str(error))
            return
        self.write(
            {
                "state": "queued",
                "retry_count": self.retry_count + 1,
                "error": str(error),
            }
        )
        self._enqueue(eta=RETRY_AFTER * 2 ** (self.retry_count - 1))

    # -- fetch -----------------------------------------------------------------------

    def _fetch(self):
        """Bring all documents here."""
        feed = self.feed_id
        self.document_ids.unlink()
        self.row_count = 0
        with feed.remote_id._session() as session:
            if feed.remote_kind != "https":
                self._fetch_files(session)
            elif feed.paging == "document":
                content = session.document(feed.path or "")
                self._keep(feed.path or feed.name, content)
            else:
                self._fetch_pages(session)
        self.error = False
        self._enter("apply")

    def _fetch_files(self, store):
        for entry in self.feed_id._take_files(store):
            if entry.size > MAX_DOCUMENT:
                self._keep_failed(
                    entry.name,
                    self.env._(
                        "%(size)s MB are more than the %(limit)s MB that are taken;"
                        " ask for smaller files.",
                        size=entry.size // 1024**2,
                        limit=MAX_DOCUMENT // 1024**2,
                    ),
                )
                continue
            with store.open(entry.name) as stream:
                content = stream.read(MAX_DOCUMENT + 1)
            if len(content) != entry.size:
                # Still being written, against all signs: it is taken the next time.
                continue
            self._keep(entry.name, content, is_file=True)

    def _fetch_pages(self, session):
        """Spool the rows; the watermark follows the partner's own clock."""
        feed = self.feed_id
        rows = session.rows(feed.path or "", feed._query(), feed._style())
        latest = feed.watermark or ""
        for number in range(1, 1_000_000):
            spooled = _spool(rows)
            if not spooled:
                break
            latest = max([latest, *self._stamps(spooled)])
            content = b"".join(
                document.write(
                    (row if isinstance(row, dict) else {"row": row} for row in spooled),
                    SPOOL,
                )
            )
            name = self.env._("Rows %(number)s", number=number)
            self._keep(name, content, is_spool=True)
        self.watermark = self._not_beyond(latest, session.server_time)

    def _stamps(self, rows):
        """The rows' moments of change, in the partner's words."""
        expression = self.feed_id.watermark_expression
        if not expression:
            return []
        search = jmespath.compile(expression).search
        found = (search(row) for row in rows)
        return [str(stamp) for stamp in found if isinstance(stamp, str | int)]

    def _not_beyond(self, stamp, server_time):
        """One row from the future must not hide all the others for years."""
        if not server_time:
            return stamp
        now = fields.Datetime.to_datetime("1970-01-01") + timedelta(seconds=server_time)
        try:
            moment = canonical.parse_moment(stamp)
        except ValueError:
            return stamp
        return canonical.moment_text(now) if moment > now else stamp

    def _keep(self, name, content, **options):
        documents = self.env["sync.feed.document"]
        kept = documents._keep(self, name, content, **options)
        if kept.state == "waiting":
            self._count_rows(kept)
        return kept

    def _count_rows(self, kept):
        """How many rows are to be applied, for the progress."""
        try:
            with kept._stream() as stream:
                kept.row_count = sum(1 for _row in kept._rows(stream))
        except DocumentError:
            # Told when the rows before the fault have been applied.
            kept.row_count = 0
        self.row_count += kept.row_count

    def _keep_failed(self, name, error):
        self.env["sync.feed.document"].create(
            {"run_id": self.id, "name": name, "state": "failed", "error": error}
        )

    # -- apply -----------------------------------------------------------------------

    def _apply(self):
        """Apply the next rows of the first document that waits."""
        waiting = self.document_ids.filtered(lambda one: one.state == "waiting")[:1]
        if not waiting:
            self._enter("put_away")
            return
        done = 0
        stuck = self.env["sync.request"]._stuck_keys(self.feed_id)
        with waiting._stream() as stream:
            rows = _Readable(waiting._rows(stream))
            part = islice(rows, self.position, self.position + SLICE)
            while batch := list(islice(part, BATCH)):
                self._apply_rows(batch, stuck)
                done += len(batch)
        if rows.fault:
            waiting.write({"state": "failed", "error": rows.fault})
        self.done_count += done
        if waiting.state == "failed":
            self.position = 0
        elif done < SLICE:
            waiting.state = "done"
            self.position = 0
        else:
            self.position += done

    def _apply_rows(self, rows, stuck):
        """Apply rows; each has its own outcome.

        :param stuck: keys of rows that earlier runs could not apply
        """
        if self.feed_id._mapping_or_none()._ignores():
            return
        orders, problems = [], []
        for row in rows:
            try:
                if row.error:
                    raise Problem(422, "unreadable_row", row.error)
                orders.append((row, self.feed_id._instruction(row.message)))
            except Problem as problem:
                problems.append((row, problem))
        instructions = {row.number: instruction for row, instruction in orders}
        for row, outcome in self._carried_out(orders):
            if isinstance(outcome, Problem):
                self.feed_id.system_id._check_overtaken(
                    instructions[row.number], outcome
                )
                problems.append((row, outcome))
            else:
                self._note_applied(stuck, row, outcome)
        for row, problem in problems:
            self._quarantine(row, problem)

    def _carried_out(self, orders):
        """``(row, ResourceResult or Problem)`` of each.

        New records and changes go together; transitions are single acts, in order.
        """
        ref = f"feed:{self.feed_id.id}:{self.id}"
        system = self.feed_id.system_id
        together = [one for one in orders if one[1].operation == PUT]
        if together:
            call = system._call(ref)
            gate = system._acting_env(call)["sync.gate"]
            bodies = [
                {**instruction.body, "external_id": instruction.external_id}
                for _row, instruction in together
            ]
            results = gate._apply_many(together[0][1].resource, bodies, call)
            for (row, _instruction), result in zip(together, results, strict=True):
                yield row, result
        for row, instruction in orders:
            if instruction.operation == PUT:
                continue
            try:
                yield row, system._carry_out(instruction, ref)
            except Problem as problem:
                yield row, problem

    def _note_applied(self, stuck, row, result):
        self[OUTCOMES[result.status]] += 1
        key = self._row_key(row)
        if key in stuck:
            self.env["sync.request"]._settle_row(self.feed_id, key, result)

    def _quarantine(self, row, problem):
        self.quarantined_count += 1
        self.env["sync.request"]._quarantine_row(self, self._row_key(row), row, problem)

    def _row_key(self, row):
        """What a row is known by from run to run."""
        name = self.feed_id._row_id(row.message)
        if name is None:
            text = json.dumps(row.message or row.error, sort_keys=True)
            name = f"row {sha256(text.encode()).hexdigest()}"
        return f"{self.feed_id.id}:{name}"

    # -- put away --------------------------------------------------------------------

    def _put_away(self):
        """Move the watermark, put the files away, tell what could not be read."""
        feed = self.feed_id
        taken = self.document_ids.filtered(
            lambda one: one.is_file and one.state in ("done", "duplicate")
        )
        if taken:
            with feed.remote_id._session() as store:
                waiting = {entry.name for entry in store.entries()}
                for name in set(taken.mapped("name")) & waiting:
                    store.move(name, feed.done_folder)
                    if feed.done_marker and name + feed.done_marker in waiting:
                        store.move(name + feed.done_marker, feed.done_folder)
        if self.watermark:
            feed.sudo().watermark = self.watermark
        self.document_ids._forget_content()
        self._complete()
        self._tell()

    def _tell(self):
        failed = self.document_ids.filtered(lambda one: one.state == "failed")
        if not failed:
            self.env["sync.issue"]._recover(
                self._issue_fingerprint(), self.env._("A run went through.")
            )
            return
        self.env["sync.issue"]._raise(
            self._issue_fingerprint(),
            self.env._(
                "%(name)s cannot read %(document)s: %(error)s",
                name=self.feed_id.name,
                document=failed[0].name,
                error=failed[0].error,
            ),
            self._issue_kind(),
            record=self.feed_id,
            system=self.feed_id.system_id,
        )

    # -- export ----------------------------------------------------------------------

    def _export(self):
        """Write one file of what changed, or none if nothing did.

        What the mapping cannot say is left out and told, and the watermark stays: it
        is tried again the next time, beside what was written already.
        """
        feed = self.feed_id
        started = self.env.cr.now()
        count, problems = Counter(), []

        def messages():
            for rows, problem in feed._outgoing():
                problems.extend([problem] if problem else [])
                count["rows"] += len(rows)
                yield from rows

        pieces = document.write(messages(), feed._layout())
        first = next(pieces, b"")
        if count["rows"]:
            name = feed._file_name_at(started)
            with feed.remote_id._session() as store:
                store.put(name, chain([first], pieces))
            self.env["sync.feed.document"].create(
                {
                    "run_id": self.id,
                    "name": name,
                    "row_count": count["rows"],
                    "state": "done",
                }
            )
        self.write(
            {
                "row_count": count["rows"],
                "done_count": count["rows"],
                "quarantined_count": len(problems),
            }
        )
        if problems:
            self._tell_left_out(problems)
        else:
            feed.sudo().watermark = canonical.moment_text(
                started.replace(tzinfo=timezone.utc)
            )
            self._tell()
        self._complete()

    def _tell_left_out(self, problems):
        self.env["sync.issue"]._raise(
            self._issue_fingerprint(),
            self.env._(
                "%(name)s leaves out %(count)s records: %(reason)s",
                name=self.feed_id.name,
                count=len(problems),
                reason=problems[0].summary(),
            ),
            self._issue_kind(),
            record=self.feed_id,
            system=self.feed_id.system_id,
        )
