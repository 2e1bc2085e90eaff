# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import fnmatch
import json

from odoo import api, models
from odoo.tools import SQL

from ..tools import cursor as page_cursor
from ..tools.problem import FieldError, Problem
from .sync_resource import DEFAULT_PAGE

PATTERN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.*,")
MAX_PATTERNS = 50


# What transaction numbers are counted from. A function, as a default can ask it and it
# can be replaced without a lock on the table; a dump takes it along.
ORDER_BASE = """
    CREATE OR REPLACE FUNCTION sync_event_order_base() RETURNS bigint
        LANGUAGE sql STABLE AS 'SELECT %s::bigint'
"""


class SyncEvent(models.Model):
    """Events get the number of the transaction that wrote them.

    Ids are given when a row is inserted, but rows become visible when their transaction
    commits: a reader who remembers the last id misses whatever commits late with a
    lower one. The feed is therefore ordered by transaction, and ends where the oldest
    transaction still running begins (``pg_snapshot_xmin``): nothing can appear before
    a cursor any more. A long transaction delays the feed, it never makes it skip.

    Transaction numbers belong to a PostgreSQL cluster. A dump restored into another one
    whose numbers are lower would have its events wait for numbers to come, and new ones
    sort before the cursors of readers. So the order is the number *and* a base, which
    is raised above all that is there as soon as Odoo loads such a database.
    """

    _inherit = "sync.event"

    def init(self):
        """A column the database fills in, as events are written by SQL."""
        super().init()
        self.env.cr.execute("SELECT to_regproc('sync_event_order_base') IS NULL")
        if self.env.cr.fetchone()[0]:
            self.env.cr.execute(ORDER_BASE, [0])
        self.env.cr.execute(
            """
            ALTER TABLE sync_event ADD COLUMN IF NOT EXISTS commit_order bigint
                NOT NULL DEFAULT
                    (sync_event_order_base() + pg_current_xact_id()::text::bigint);
            CREATE INDEX IF NOT EXISTS sync_event_feed_idx
                ON sync_event (commit_order, id);
            """
        )

    def _register_hook(self):
        super()._register_hook()
        self._go_on_after_restore()

    @api.model
    def _go_on_after_restore(self):
        """Count on from the last event if the numbers of transactions are too low.

        Told by an event of a transaction that is still to come. Costs a look at the end
        of an index, each time the registry is loaded: before anything can be written.
        """
        self.env.cr.execute(
            """
            SELECT max(commit_order) FROM sync_event
            HAVING max(commit_order) > sync_event_order_base() + GREATEST(
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1,
                pg_current_xact_id_if_assigned()::text::bigint
            )
            """
        )
        if row := self.env.cr.fetchone():
            # Nodes that start together say the same; one after the other.
            self.env.cr.execute(
                "SELECT pg_advisory_xact_lock(hashtext('sync_event_order_base'))"
            )
            self.env.cr.execute(ORDER_BASE, row)


class SyncResourceEvent(models.AbstractModel):
    """The feed of events, for those who cannot receive webhooks."""

    _name = "sync.resource.event"
    _inherit = "sync.resource"
    _description = "Resource: events"

    _resource_name = "events"
    _resource_model = "sync.event"
    _resource_operations = frozenset({"list"})

    def _schema(self, operation):
        properties = {
            "id": {"type": "string"},
            "type": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object"},
        }
        return {
            "type": "object",
            "additionalProperties": False,
            "required": sorted(properties),
            "properties": properties,
        }

    def _example(self, operation):
        return {
            "id": "evt_0f3a",
            "type": "customer.updated",
            "timestamp": "2026-11-24T05:00:00Z",
            "data": {"external_id": "C-1"},
        }

    def _query_parameters(self):
        return [
            {
                "name": "types",
                "in": "query",
                "description": "Names or patterns, comma separated: `order.*`. The"
                " cursor moves past events of the other types.",
                "schema": {"type": "string", "pattern": "^[a-z0-9_.*,]*$"},
            }
        ]

    def _list_note(self):
        return (
            " `next_cursor` is always there: keep it, and ask again with it."
            " It is a place among all events, and moves past those that `types` leaves"
            " out: with the same cursor and other `types` they are never seen. So keep"
            " a cursor for each set of types that you ask for; with a set that is new,"
            " begin without a cursor. The same holds for a scope that your key gets"
            " later: events from before are behind the cursor."
        )

    def _list(self, call, query):
        """Events after the cursor, in an order that never changes.

        :return: ``(events, cursor)``; the cursor is always there: ask again with it
        """
        after = (0, 0)
        if "cursor" in query:
            after = page_cursor.decode_pair(query["cursor"])
        limit = int(query.get("limit") or DEFAULT_PAGE)
        rows = self._rows(call, self._readable_types(call, query), after, limit)
        if len(rows) == limit:
            after = rows[-1]["commit_order"], rows[-1]["id"]
        else:
            after = max(after, self._end())
        return self._envelopes(call, rows), page_cursor.encode_pair(*after)

    def _end(self):
        """The last position of the feed, whoever may read it.

        Who has read all of its own goes on from there: what is somebody else's is not
        looked through again at each call.
        """
        self.env.cr.execute(
            """SELECT commit_order, id FROM sync_event
                WHERE commit_order < sync_event_order_base()
                      + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                ORDER BY commit_order DESC, id DESC LIMIT 1"""
        )
        return self.env.cr.fetchone() or (0, 0)

    def _rows(self, call, type_ids, after, limit):
        """Raw rows: the order is a column that the ORM does not know."""
        self.env.cr.execute(
            SQL(
                """SELECT id, commit_order, ref, name, payload, occurred_at
                     FROM sync_event
                    WHERE (commit_order, id) > (%s, %s)
                      AND commit_order < sync_event_order_base()
                          + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                      AND event_type_id = ANY(%s)
                      AND (company_id IS NULL OR company_id = %s)
                      AND source_system_id IS DISTINCT FROM %s
                      AND %s
                    ORDER BY commit_order, id
                    LIMIT %s""",
                *after,
                type_ids,
                self.env.company.id,
                call.system.id,
                self._reach_clause(call.system),
                limit,
            )
        )
        return self.env.cr.dictfetchall()

    def _reach_clause(self, system):
        """Events of all records, or of those alone that the system has an id for.

        An id that a merge has retired counts: its owner has to hear of the merge.
        """
        if system.reach == "company":
            return SQL("TRUE")
        return SQL(
            """EXISTS (SELECT 1 FROM sync_crosswalk x
                        WHERE x.system_id = %s AND x.res_model = sync_event.res_model
                          AND x.res_id = sync_event.res_id)""",
            system.id,
        )

    def _readable_types(self, call, query):
        """Ids of the event types in the key's read scopes that match the filter."""
        # The catalogue of event types is public; what may be read of it, scopes say.
        types = self.env["sync.event.type"].sudo().search([])  # pylint: disable=no-search-all; a catalogue
        patterns = self._patterns(query)
        return [
            one.id
            for one in types
            if f"{one.name.partition('.')[0]}:read" in call.scopes
            and any(fnmatch.fnmatchcase(one.name, pattern) for pattern in patterns)
        ]

    def _patterns(self, query):
        asked = query.get("types") or "*"
        too_many = asked.count(",") >= MAX_PATTERNS
        if too_many or not PATTERN_CHARACTERS.issuperset(asked):
            raise Problem(
                400,
                "parameter_invalid",
                "A query parameter is wrong.",
                errors=[FieldError("types", "Are names or patterns.", "wrong_format")],
            )
        return [pattern for pattern in asked.split(",") if pattern]

    def _envelopes(self, call, rows):
        # The catalogue of event types is public. A page is put into the reader's words
        # as a whole: its ids are looked up once.
        payloads = (
            self.env["sync.event.type"]
            .sudo()
            ._localise_payload(
                [json.loads(row["payload"] or "{}") for row in rows], call.system
            )
        )
        return [
            {
                "id": row["ref"],
                "type": row["name"],
                "timestamp": row["occurred_at"].isoformat(timespec="milliseconds")
                + "Z",
                "data": payload,
            }
            for row, payload in zip(rows, payloads, strict=True)
        ]
