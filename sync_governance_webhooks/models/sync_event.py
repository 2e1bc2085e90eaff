import json
import uuid
from collections import Counter
from contextlib import suppress

from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL

from ..tools.capture import Change, EventSpec
from ..tools.envelope import canonical_json, rfc3339
from ..tools.masking import mask_text, parse_paths
from .sync_delivery import OPEN

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
# Times are the database's: nodes may disagree.
EVENT_ROW = f"({'%s, ' * 16} clock_timestamp() AT TIME ZONE 'UTC')"


class SyncEvent(models.Model):
    """The outbox: a fact, written in the transaction that made it true.

    ``sync.capture`` collects what happens; explicit events come by ``_emit`` of
    ``sync.event.type``.
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
    corrects_ref = fields.Char(
        string="Corrects",
        readonly=True,
        help="The event whose place this one takes, with a payload that two people "
        "agreed on.",
    )
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
    _type_idx = models.Index("(event_type_id, occurred_at, id)")

    @api.depends("event_type_id.masked_paths")
    def _compute_payload(self):
        for event in self:
            # sudo: the raw payload is for integration managers, this is its masked form
            payload = event.sudo()._data()
            payload = event.event_type_id.sudo()._masked(payload)
            event.payload_shown = json.dumps(payload, indent=2, ensure_ascii=False)

    def _data(self):
        """The payload as JSON values."""
        return json.loads(self.payload or "null")

    def _masked_text(self, text):
        """What a receiver said about the event, without its private values."""
        # sudo: for whoever may see the event, and no more than that
        event = self.sudo()
        paths = parse_paths(event.event_type_id.masked_paths)
        return mask_text(text, event._data(), paths) if text and paths else text

    def _compute_state(self):
        under_way = {
            event.id
            for (event,) in self.env["sync.delivery"]._read_group(
                [
                    ("event_id", "in", self.ids),
                    ("state", "in", OPEN),
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

    # -- writing ---------------------------------------------------------------------

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

    def _correct(self, payload, subscription):
        """Write an event that takes this one's place at one subscription.

        :param payload: JSON values
        :return: the new event
        """
        # sudo: events are nobody's to write
        event = self.sudo()
        spec = EventSpec(
            event.event_type_id.id, event.name, event.res_model, "explicit"
        )
        change = Change(spec, event.res_id)
        values = event._values(
            change, payload, event.company_id.id or None, {}, only=subscription.id
        ) | {
            "correlation_ref": event.correlation_ref or None,
            "causation_ref": event.ref,
            "source_system_id": event.source_system_id.id or None,
        }
        event._save([values])
        self.env.cr.execute(
            SQL(
                "UPDATE sync_event SET corrects_ref = %s WHERE id = %s",
                event.ref,
                values["id"],
            )
        )
        return self.browse(values["id"])

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
        rows = []
        for event in events:
            key = event["ordering_key"]
            event["key_id"] = keys[key][0]
            event["sequence"] = next_sequence[key]
            next_sequence[key] += 1
            rows.append(self._row(event))
        ids = self.env.cr.execute_values(
            INSERT_EVENTS, rows, template=EVENT_ROW, page_size=PAGE_SIZE, fetch=True
        )
        for event, (event_id,) in zip(events, ids, strict=True):
            event["id"] = event_id

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
        )

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
