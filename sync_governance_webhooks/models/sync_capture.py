import ast
from collections import defaultdict

from odoo import SUPERUSER_ID, api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.capture import Change, EventSpec, happened, net_changes

BUFFER = "sync_governance_webhooks.changes"
SOURCES = "sync_governance_webhooks.sources"
TRANSACTION = "sync_governance_webhooks.transaction"


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


class SyncCapture(models.AbstractModel):
    """Turns what a transaction does into events.

    Changes are collected while it runs, and become rows just before it commits: one for
    each record and event type, however often the record was written.
    """

    _name = "sync.capture"
    _description = "Capture of Events"

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
            self.env.cr.precommit.add(env["sync.capture"]._write_changes)
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
            self.env["sync.event"]._save(events)
            self._transaction().written.update(
                ((event["event_type_id"], event["res_id"]), event["id"])
                for event in events
            )

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
        outbox = self.env["sync.event"]
        return [
            outbox._values(change, change.payload, change.company_id, differences)
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
