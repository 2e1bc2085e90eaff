import ast
import json
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import datetime, timezone

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL

from ..tools.capture import Change, EventSpec, happened, net_changes
from ..tools.envelope import canonical_json, rfc3339

BUFFER = "sync_governance_webhooks.changes"
SOURCES = "sync_governance_webhooks.sources"
TRANSACTION = "sync_governance_webhooks.transaction"
PAGE_SIZE = 500

REWRITE_EVENTS = """
    UPDATE sync_event event
       SET payload = new.payload, changes = new.changes::jsonb,
           source_system_id = new.source_system_id::int, request_ref = new.request_ref
      FROM (VALUES %s) new (id, payload, changes, source_system_id, request_ref)
     WHERE event.id = new.id
"""
INSERT_EVENTS = """
    INSERT INTO sync_event (
        ref, event_type_id, name, res_model, res_id, company_id, ordering_key, key_id,
        sequence, payload, changes, source_system_id, request_ref, correlation_ref,
        causation_ref, traceparent, occurred_at
    ) VALUES %s RETURNING id
"""


class Transaction:
    """What the outbox knows of the present transaction.

    ``born`` holds (model, id) created in it; ``written`` the event rows already
    written, by (event type id, record id). Entries of a rolled back savepoint stay
    behind and do no harm: ids are never given twice, and event rows are looked up
    before they are trusted.
    """

    def __init__(self):
        self.born = set()
        self.written = {}


class SyncEvent(models.Model):
    """The outbox: a fact, written in the transaction that made it true.

    Changes are collected while the transaction runs, and become rows just before it
    commits: one for each record and event type, however often the record was written.
    """

    _name = "sync.event"
    _description = "Event"
    _order = "id desc"
    _rec_name = "ref"
    _log_access = False

    ref = fields.Char(string="Reference", required=True, readonly=True)
    event_type_id = fields.Many2one(
        "sync.event.type", required=True, readonly=True, ondelete="restrict"
    )
    name = fields.Char(string="Event", required=True, readonly=True)
    res_model = fields.Char(string="Record Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    ordering_key = fields.Char(readonly=True)
    key_id = fields.Many2one("sync.event.key", readonly=True, ondelete="restrict")
    sequence = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Counts the events of the record from 1.",
    )
    payload = fields.Text(
        readonly=True,
        prefetch=False,
        groups="sync_governance_base.group_sync_integration_manager",
    )
    payload_shown = fields.Text(string="Payload (masked)", compute="_compute_payload")
    changes = fields.Json(
        readonly=True,
        prefetch=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="Watched fields: [before, after].",
    )
    source_system_id = fields.Many2one(
        "sync.system", string="Caused by", readonly=True, ondelete="set null"
    )
    request_ref = fields.Char(string="Causing Request", readonly=True)
    correlation_ref = fields.Char(readonly=True)
    causation_ref = fields.Char(readonly=True)
    traceparent = fields.Char(readonly=True)
    occurred_at = fields.Datetime(readonly=True)
    delivery_ids = fields.One2many("sync.delivery", "event_id", readonly=True)
    state = fields.Selection(
        [("new", "Under way"), ("superseded", "Superseded"), ("done", "Done")],
        compute="_compute_state",
    )

    _ref_uniq = models.UniqueIndex("(ref)")
    _record_idx = models.Index("(res_model, res_id, event_type_id, id)")
    _occurred_idx = models.Index("(occurred_at)")
    _name_idx = models.Index("(name, id)")
    _type_idx = models.Index("(event_type_id, occurred_at)")

    @api.depends("event_type_id.masked_paths")
    def _compute_payload(self):
        for event in self:
            # sudo: the raw payload is for integration managers, this is its masked form
            payload = json.loads(event.sudo().payload or "null")
            payload = event.event_type_id.sudo()._masked(payload)
            event.payload_shown = json.dumps(payload, indent=2, ensure_ascii=False)

    def _compute_state(self):
        under_way = {
            event.id
            for (event,) in self.env["sync.delivery"]._read_group(
                [
                    ("event_id", "in", self.ids),
                    ("state", "in", ("pending", "retrying", "delivering")),
                ],
                ["event_id"],
            )
        }
        superseded = self._superseded_ids()
        for event in self:
            if event.id in under_way:
                event.state = "new"
            else:
                event.state = "superseded" if event.id in superseded else "done"

    def _superseded_ids(self):
        """Ids of the events that a newer one of the
        same record and full-state type replaced.
        """
        if not self.ids:
            return set()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT event.id FROM sync_event event
                  JOIN sync_event_type type ON type.id = event.event_type_id
                 WHERE event.id IN %s AND type.is_state_type AND EXISTS (
                    SELECT 1 FROM sync_event newer
                     WHERE newer.res_model = event.res_model
                       AND newer.res_id = event.res_id
                       AND newer.event_type_id = event.event_type_id
                       AND newer.id > event.id)
                """,
                tuple(self.ids),
            )
        )
        return {event_id for (event_id,) in rows}

    # -- collecting ------------------------------------------------------------------

    @api.model
    def _transaction(self):
        cache = self.env.cr.cache
        if TRANSACTION not in cache:
            cache[TRANSACTION] = Transaction()

            def forget():
                cache.pop(TRANSACTION, None)

            self.env.cr.postcommit.add(forget)
            self.env.cr.postrollback.add(forget)
        return cache[TRANSACTION]

    @api.model
    def _buffer(self):
        """``{(event type id, record id): Change}`` not yet written."""
        data = self.env.cr.precommit.data
        if BUFFER not in data:
            data[BUFFER] = {}
            env = self.env(su=True, context={})
            self.env.cr.precommit.add(env["sync.event"]._write_changes)
        return data[BUFFER]

    @api.model
    def _note_source(self, records):
        """Remember who writes: when the columns
        are flushed, the context is another one.
        """
        if records._name not in self.env["sync.event.type"]._specs():
            return
        source = self.env["sync.system"]._current_source()
        sources = self.env.cr.precommit.data.setdefault(SOURCES, {})
        for record_id in records._ids:
            sources.setdefault((records._name, record_id), {})[source] = None

    @api.model
    def _sources_of(self, model_name, record_id):
        sources = self.env.cr.precommit.data.get(SOURCES, {})
        noted = sources.get((model_name, record_id))
        if noted:
            return list(noted)
        # A recomputed record that nobody wrote to: caused by whoever wrote the others.
        ambient = {source: None for noted in sources.values() for source in noted}
        return list(ambient) or [self.env["sync.system"]._current_source()]

    @api.model
    def _capture(self, spec, record_id, **values):
        """Add to a record's change; returns it, or None while records are merged."""
        sources = self._sources_of(spec.model, record_id)
        if any(source.merge_ref for source in sources) and spec.operation != "explicit":
            # A merge is one event, which the merge service emits itself.
            return None
        buffer = self._buffer()
        key = (spec.id, record_id)
        change = buffer.get(key)
        if change is None:
            change = buffer[key] = Change(spec, record_id, **values)
        change.systems.update(source.system_id for source in sources)
        change.request_ref = next(
            (source.request_ref for source in sources if source.request_ref),
            change.request_ref,
        )
        return change

    @api.model
    def _capture_create(self, records):
        specs = self.env["sync.event.type"]._specs().get(records._name, ())
        if not specs:
            return
        self._note_source(records)
        self._transaction().born.update((records._name, id_) for id_ in records._ids)
        for spec in specs:
            # Values given at creation are never flushed, so a write event with a state
            # to reach must be considered here.
            if spec.operation == "create" or (spec.operation == "write" and spec.after):
                for record_id in records._ids:
                    self._capture(spec, record_id)

    @api.model
    def _capture_unlink(self, records):
        specs = [
            spec
            for spec in self.env["sync.event.type"]._specs().get(records._name, ())
            if spec.operation == "unlink"
        ]
        if not specs:
            return
        self._note_source(records)
        born = self._transaction().born
        living = records.filtered(lambda record: (record._name, record.id) not in born)
        for spec in specs:
            for record in self._matching(living.exists(), spec.before):
                company_id = self._company_id(record)
                [payload] = self._payloads(spec, record, company_id)
                self._capture(spec, record.id, payload=payload, company_id=company_id)

    @api.model
    def _capture_flush(self, records, vals_list):
        """See columns about to be updated; reads the values before in one query."""
        specs = self.env["sync.event.type"]._specs().get(records._name, ())
        specs = [spec for spec in specs if spec.on_flush]
        if not specs:
            return
        touched = {}
        for spec in specs:
            watched = frozenset(spec.watched)
            ids = [
                record_id
                for record_id, vals in zip(records._ids, vals_list, strict=True)
                if not watched.isdisjoint(vals)
            ]
            if ids:
                touched[spec] = ids
        if touched:
            self._capture_before(records, touched)

    @api.model
    def _capture_before(self, records, touched):
        buffer, born = self._buffer(), self._transaction().born
        wanted = {
            spec: [
                record_id
                for record_id in ids
                if (spec.id, record_id) not in buffer
                and (records._name, record_id) not in born
            ]
            for spec, ids in touched.items()
        }
        columns = sorted({name for spec in touched for name in spec.watched})
        asked = {record_id for ids in wanted.values() for record_id in ids}
        values = self._read_columns(records.browse(asked), columns)
        for spec, ids in touched.items():
            known = [record_id for record_id in wanted[spec] if record_id in values]
            matching = self._matching_ids(records.browse(known), spec.before)
            for record_id in ids:
                if (records._name, record_id) in born:
                    if spec.after:
                        self._capture(spec, record_id)
                elif (spec.id, record_id) in buffer:
                    # Already seen in this transaction: only the source may be new.
                    self._capture(spec, record_id)
                elif record_id in matching:
                    before = {name: values[record_id][name] for name in spec.watched}
                    self._capture(spec, record_id, before=before)

    @api.model
    def _capture_explicit(self, spec, record, data, before, after):
        record.ensure_one()
        self._note_source(record)
        spec = EventSpec(spec.id, spec.name, record._name, "explicit")
        change = self._capture(spec, record.id)
        # Emitted twice in one transaction: the last word counts.
        change.payload, change.before, change.after = data, before, after

    @api.model
    def _read_columns(self, records, columns):
        """Column values as the database has them now: ``{id: {name: value}}``.

        Plain SQL on purpose: reading through
        the ORM would flush, and we are in a flush.
        """
        if not records:
            return {}
        names = [SQL.identifier(name) for name in ("id", *columns)]
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM %s WHERE id IN %s",
                SQL(", ").join(names),
                SQL.identifier(records._table),
                tuple(records._ids),
            )
        )
        return {
            row[0]: dict(zip(columns, row[1:], strict=True))
            for row in self.env.cr.fetchall()
        }

    @api.model
    def _matching_ids(self, records, domain_text):
        """Ids of the records that match a filter in the database, without flushing."""
        if not domain_text or not records:
            return set(records._ids)
        # sudo: the filter belongs to the event type, not to the writing user
        model = records.sudo().with_context(active_test=False).browse()
        domain = Domain(ast.literal_eval(domain_text)) & Domain("id", "in", records.ids)
        self.env.cr.execute(model._search(domain).select())
        return {record_id for (record_id,) in self.env.cr.fetchall()}

    @api.model
    def _matching(self, records, domain_text):
        if not domain_text:
            return records
        # sudo: as in _matching_ids
        return records.sudo().filtered_domain(Domain(ast.literal_eval(domain_text)))

    # -- writing ---------------------------------------------------------------------

    @api.model
    def _write_changes(self):
        """Turn the collected changes into events
        and deliveries. Runs before the commit.
        """
        changes = self.env.cr.precommit.data.pop(BUFFER, {})
        by_model = defaultdict(list)
        for change in changes.values():
            by_model[change.spec.model].append(change)
        events = []
        for model_name, model_changes in by_model.items():
            events += self._events_of_model(self.env[model_name], model_changes)
        if events:
            self._save(events)

    @api.model
    def _events_of_model(self, model, changes):
        columns = sorted({name for change in changes for name in change.spec.watched})
        ids = {change.res_id for change in changes}
        values = self._read_columns(model.browse(ids), columns)
        self._join_written(changes)
        matching = self._matching_by_spec(model, changes, values)
        occurred, undone = [], []
        for change in changes:
            matches = change.res_id in matching[change.spec]
            differences = self._differences(change, values.get(change.res_id), matches)
            if differences is not None:
                occurred.append((change, differences))
            elif change.event_id:
                undone.append(change.event_id)
        if undone:
            self.env.cr.execute(
                SQL("DELETE FROM sync_event WHERE id IN %s", tuple(undone))
            )
        self._read_payloads(
            model, [change for change, _differences in occurred], values
        )
        return [
            self._values(change, change.payload, change.company_id, differences)
            for change, differences in occurred
        ]

    @api.model
    def _matching_by_spec(self, model, changes, values):
        ids_by_spec = defaultdict(list)
        for change in changes:
            ids_by_spec[change.spec].append(change.res_id)
        result = {}
        for spec, ids in ids_by_spec.items():
            if spec.operation in ("unlink", "explicit"):
                result[spec] = set(ids)
                continue
            after = spec.after
            if spec.operation == "archive":
                after = "[('active', '=', False)]"
            living = model.browse(id_ for id_ in ids if id_ in values)
            result[spec] = self._matching_ids(living, after)
        return result

    @api.model
    def _join_written(self, changes):
        """A record written again after its event was:
        one event, with the first values before.
        """
        written = self._transaction().written
        known = {
            event_id: change
            for change in changes
            if (event_id := written.get((change.spec.id, change.res_id)))
        }
        if not known:
            return
        self.env.cr.execute(
            SQL(
                "SELECT id, changes, source_system_id FROM sync_event WHERE id IN %s",
                tuple(known),
            )
        )
        for event_id, changes_before, system_id in self.env.cr.fetchall():
            change = known[event_id]
            change.event_id = event_id
            change.systems.add(system_id)
            if change.spec.on_flush and change.before is not None:
                firsts = {
                    name: pair[0] for name, pair in (changes_before or {}).items()
                }
                change.before = change.before | firsts

    @api.model
    def _differences(self, change, values, matches):
        """What changed, or None if in the end nothing happened.

        :param values: the record's watched columns, None if it is gone
        """
        spec = change.spec
        if spec.operation == "explicit":
            return {"before": change.before, "after": change.after}
        if spec.operation == "unlink":
            return {}
        if values is None:
            return None
        after = {name: values[name] for name in spec.watched}
        differences = net_changes(change.before, after, spec.watched)
        return differences if happened(change, differences, matches) else None

    @api.model
    def _read_payloads(self, model, changes, living):
        """Fill in the payloads and companies that are still to be read, in batches."""
        records = {record.id: record for record in model.browse(living)}
        batches = defaultdict(list)
        for change in changes:
            if change.res_id in records:
                change.company_id = self._company_id(records[change.res_id])
            if change.payload is None:
                batches[change.spec, change.company_id].append(change)
        for (spec, company_id), batch in batches.items():
            payloads = self._payloads(
                spec, model.browse(change.res_id for change in batch), company_id
            )
            for change, payload in zip(batch, payloads, strict=True):
                change.payload = payload

    @api.model
    def _values(self, change, payload, company_id, changes, only=None):
        """An event as it will be written.

        :param only: id of the one subscription to send it to; None for all that want it
        """
        spec = change.spec
        return {
            "id": change.event_id,
            "ref": f"evt_{uuid.uuid4().hex}",
            "event_type_id": spec.id,
            "name": spec.name,
            "res_model": spec.model,
            "res_id": change.res_id,
            "company_id": company_id,
            "ordering_key": f"{spec.model},{change.res_id}",
            "payload": canonical_json(payload),
            "changes": canonical_json(changes),
            "source_system_id": change.source_system_id,
            "request_ref": change.request_ref,
            "only": only,
            **self._trace(change),
        }

    @api.model
    def _ping(self, subscription):
        """Write a ``sync.ping`` for one subscription, whatever it subscribes to."""
        # sudo: events and the catalogue are nobody's to write
        model = self.sudo()
        event_type = model.env.ref("sync_governance_webhooks.event_type_ping")
        spec = EventSpec(event_type.id, event_type.name, subscription._name, "explicit")
        payload = {"subscription": subscription.name, "message": "ping"}
        change = Change(spec, subscription.id)
        model._save([model._values(change, payload, None, {}, only=subscription.id)])

    @api.model
    def _trace(self, change):
        """Who asked, across systems: W3C trace context, correlation and causation."""
        headers = {}
        with suppress(RuntimeError):
            headers = request.httprequest.headers if request else {}
        correlation = headers.get("X-Correlation-Id") or headers.get("X-Request-Id")
        return {
            "traceparent": headers.get("Traceparent"),
            "correlation_ref": correlation or change.request_ref,
            "causation_ref": headers.get("Webhook-Id") or change.request_ref,
        }

    @api.model
    def _payloads(self, spec, records, company_id):
        """The payloads of events about ``records``,
        as superuser and without a language.
        """
        env = self.env(user=SUPERUSER_ID, context={})
        records = records.with_env(env)
        if company_id:
            records = records.with_company(company_id)
        return records._sync_payloads(env["sync.event.type"].browse(spec.id))

    @api.model
    def _company_id(self, record):
        if record._name == "res.company":
            return record.id
        if "company_id" not in record._fields or not record:
            return None
        # sudo: the company decides who may see the event, not the other way round
        return record.sudo().company_id.id or None

    @api.model
    def _save(self, events):
        """Write events and their deliveries by batched
        SQL, and have them sent after commit.
        """
        rewritten = [event for event in events if event["id"]]
        if rewritten:
            self.env.cr.execute_values(
                REWRITE_EVENTS,
                [
                    (
                        event["id"],
                        event["payload"],
                        event["changes"],
                        event["source_system_id"],
                        event["request_ref"],
                    )
                    for event in rewritten
                ],
                page_size=PAGE_SIZE,
            )
        new = [event for event in events if not event["id"]]
        if new:
            self._insert(new)
        self.env["sync.delivery"]._fan_out(
            events, rewritten_ids=[event["id"] for event in rewritten]
        )

    @api.model
    def _insert(self, events):
        keys = self.env["sync.event.key"]._next(
            Counter(event["ordering_key"] for event in events)
        )
        next_sequence = {key: first for key, (_key_id, first) in keys.items()}
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        rows = []
        for event in events:
            key = event["ordering_key"]
            event["key_id"] = keys[key][0]
            event["sequence"] = next_sequence[key]
            next_sequence[key] += 1
            event["occurred_at"] = now
            rows.append(self._row(event))
        ids = self.env.cr.execute_values(
            INSERT_EVENTS, rows, page_size=PAGE_SIZE, fetch=True
        )
        written = self._transaction().written
        for event, (event_id,) in zip(events, ids, strict=True):
            event["id"] = event_id
            written[event["event_type_id"], event["res_id"]] = event_id

    @api.model
    def _row(self, event):
        return (
            event["ref"],
            event["event_type_id"],
            event["name"],
            event["res_model"],
            event["res_id"],
            event["company_id"],
            event["ordering_key"],
            event["key_id"],
            event["sequence"],
            event["payload"],
            event["changes"],
            event["source_system_id"],
            event["request_ref"],
            event["correlation_ref"],
            event["causation_ref"],
            event["traceparent"],
            event["occurred_at"],
        )

    # -- retention ---------------------------------------------------------------------

    @api.autovacuum
    def _prune(self, limit=10_000):
        """Delete a batch of events past their type's retention, with their deliveries.

        Never one that is still to be delivered, and no dead letter: those end by a
        person's hand, delivered or discarded.

        :return: ``(deleted, remaining)`` as the autovacuum wants it
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM sync_event WHERE id IN (
                    SELECT event.id
                      FROM sync_event_type type
                      JOIN sync_event event ON event.event_type_id = type.id
                     WHERE type.retention_days > 0
                       AND event.occurred_at < now() AT TIME ZONE 'UTC'
                           - type.retention_days * INTERVAL '1 day'
                       AND NOT EXISTS (
                        SELECT 1 FROM sync_delivery delivery
                         WHERE delivery.event_id = event.id
                           AND delivery.state NOT IN ('delivered', 'discarded'))
                     LIMIT %s)
                """,
                limit,
            )
        )
        deleted = self.env.cr.rowcount
        return deleted, int(deleted == limit)

    # -- reading ---------------------------------------------------------------------

    def _time(self):
        """RFC 3339 time of the event, as receivers see it."""
        return rfc3339(self.occurred_at)

    def action_open_record(self):
        """Open the document the event is about."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [[False, "form"]],
        }

    def action_view_deliveries(self):
        """Open the deliveries of these events."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_delivery_action"
        )
        return action | {"domain": [("event_id", "in", self.ids)], "context": {}}
