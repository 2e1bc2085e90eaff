# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from dataclasses import dataclass

from odoo import models

from ..tools import etag, idempotency
from ..tools.call import Answer, ResourceResult
from ..tools.jsonbody import dump
from ..tools.problem import Problem


@dataclass
class Item:
    """One item of a bulk call, and what became of it."""

    index: int
    body: dict
    key: str | None = None
    fingerprint: str | None = None
    version: str | None = None
    result: ResourceResult | None = None
    problem: Problem | None = None
    stored: Answer | None = None  # outcome of an earlier call with the same key

    @property
    def external_id(self):
        named = self.body.get("external_id")
        return named if isinstance(named, str) else None

    @property
    def is_open(self):
        return not (self.result or self.problem or self.stored)


class SyncGate(models.AbstractModel):
    """Many records in one call."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _operate_bulk(self, passage):
        """Create what is unknown, replace what is known; every item stands alone.

        New records are created together, which is what makes a bulk call fast. When one
        of them fails, its batch is undone and split in two, down to the culprit.
        """
        items = [
            Item(index, body, key=body.pop("idempotency_key", None))
            for index, body in enumerate(passage.body["items"])
        ]
        self._recall_items(passage, items)
        self._validate_items(passage, items)
        fresh, known = self._split_items(passage, items)
        self._create_items(passage, fresh)
        for item in known:
            self._try_items(
                passage, [item], lambda one: [self._upsert(passage, one[0])]
            )
        outcomes = self._render_items(passage, items)
        self._keep_items(passage, items, outcomes)
        return Answer(
            207, dump({"items": outcomes}), {"Content-Type": "application/json"}
        )

    def _recall_items(self, passage, items):
        """Claim the keys that items bring along."""
        for item in items:
            if item.key is None:
                continue
            try:
                item.key = idempotency.parse_key(item.key)
                item.fingerprint = idempotency.fingerprint(
                    "POST",
                    passage.route.template,
                    "",
                    "",
                    dump(item.body),
                )
                item.stored, _ref = self._claim(
                    passage.caller.credential_id,
                    idempotency.key_hash("ITEM", passage.route.template, item.key),
                    item.fingerprint,
                    self._item_ref(passage, item),
                )
            except Problem as problem:
                item.problem = problem

    def _validate_items(self, passage, items):
        for item in items:
            if item.is_open:
                try:
                    item.version = self._validate(passage.resource, "create", item.body)
                except Problem as problem:
                    item.problem = problem

    def _split_items(self, passage, items):
        """``(to be created together, to be looked at one by one)``"""
        asked = [item for item in items if item.is_open]
        known_ids = passage.resource._known_ids(
            passage.call.system,
            [item.external_id for item in asked if item.external_id],
        )
        fresh, known, seen = [], [], set()
        for item in asked:
            is_fresh = (
                item.external_id not in known_ids and item.external_id not in seen
            )
            (fresh if is_fresh else known).append(item)
            seen.add(item.external_id)
        return fresh, known

    def _create_items(self, passage, items):
        if not items:
            return
        done = self._try_items(
            passage,
            items,
            lambda batch: passage.resource._create_batch(
                [item.body for item in batch], passage.call
            ),
        )
        if not done and len(items) > 1:
            middle = len(items) // 2
            self._create_items(passage, items[:middle])
            self._create_items(passage, items[middle:])

    def _try_items(self, passage, items, work):
        """Do ``work`` in a savepoint; a single item keeps the problem it ran into."""
        try:
            with self._business(passage.ref), self.env.cr.savepoint():
                results = work(items)
        except Problem as problem:
            if len(items) == 1:
                items[0].problem = problem
                if problem.aftermath:
                    problem.aftermath()
            return False
        for item, result in zip(items, results, strict=True):
            item.result = result
        return True

    def _upsert(self, passage, item):
        resource = passage.resource
        record, _moved = resource._find(passage.call.system, item.external_id)
        if not record:
            return resource._create(item.body, passage.call)
        self._lock_record(record)
        return resource._update(record, item.body, passage.call, False)

    # -- outcome ---------------------------------------------------------------------

    def _render_items(self, passage, items):
        bodies = self._item_bodies(passage, items)
        return [
            self._render_item(passage, item, bodies.get(item.index)) for item in items
        ]

    def _item_bodies(self, passage, items):
        """``{index: canonical body}`` of all results, read together."""
        done = [item for item in items if item.result]
        if not done:
            return {}
        records = done[0].result.record.browse([item.result.record.id for item in done])
        bodies = passage.resource._to_canonical(records, passage.call.system)
        return {item.index: body for item, body in zip(done, bodies, strict=True)}

    def _render_item(self, passage, item, body):
        outcome = {"index": item.index, "external_id": item.external_id}
        if item.stored:
            return {
                **json.loads(item.stored.body),
                "index": item.index,
                "replayed": True,
            }
        if item.problem:
            problem = item.problem.as_dict(self._item_ref(passage, item))
            return {**outcome, "status": item.problem.status, "problem": problem}
        tag = etag.strong(dump(body))
        body["sync"] = self._sync_member(passage, item.result, False, body)
        status = 201 if item.result.status == "created" else 200
        return {**outcome, "status": status, "etag": tag, "data": body}

    def _item_ref(self, passage, item):
        return f"{passage.ref}.{item.index}"

    def _keep_items(self, passage, items, outcomes):
        """A request for each item, below the call's own; linked when it is written."""
        passage.child_values = [
            self._item_values(passage, item, outcome)
            for item, outcome in zip(items, outcomes, strict=True)
            if not item.stored
        ]

    def _item_values(self, passage, item, outcome):
        caller, result = passage.caller, item.result
        return {
            "ref": self._item_ref(passage, item),
            "kind": "api",
            "state": "refused" if item.problem else "applied",
            "system_id": caller.system_id,
            "credential_id": caller.credential_id,
            "company_id": caller.company_id,
            "sandbox": caller.sandbox,
            "method": "ITEM",
            "route": passage.route.template,
            "resource": passage.route.resource,
            "operation": "bulk",
            "external_id": item.external_id,
            "contract_version": item.version or None,
            "idempotency_key": item.key,
            "fingerprint": item.fingerprint,
            "replayable": bool(item.key and result),
            "response_status": outcome["status"],
            "response_body": dump(outcome).decode() if item.key and result else None,
            "error_code": item.problem.code if item.problem else None,
            "decisions": result.decisions if result else None,
            "res_model": result.record._name if result else None,
            "res_id": result.record.id if result else None,
        }

    def _keep(self, passage):
        request = super()._keep(passage)
        request._insert_rows(
            [{**values, "parent_id": request.id} for values in passage.child_values]
        )
        return request
