# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import models

from ..tools import etag, idempotency
from ..tools.call import Answer
from ..tools.idempotency import Claim
from ..tools.jsonbody import dump
from ..tools.problem import Problem
from .sync_gate_many import Item


class SyncGate(models.AbstractModel):
    """Many records in one call."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _operate_bulk(self, passage):
        """Create what is unknown, replace what is known; every item stands alone."""
        items = [
            Item(index, body, key=body.pop("idempotency_key", None))
            for index, body in enumerate(passage.body["items"])
        ]
        self._recall_items(passage, items)
        self._work_off(passage.resource, items, passage.call, "replace")
        outcomes = self._render_items(passage, items)
        self._keep_items(passage, items, outcomes)
        return Answer(
            207, dump({"items": outcomes}), {"Content-Type": "application/json"}
        )

    def _recall_items(self, passage, items):
        """Claim the keys that items bring along, all together."""
        claims = {}
        for item in items:
            if item.key is None:
                continue
            try:
                item.key = idempotency.parse_key(item.key)
            except Problem as problem:
                item.problem = problem
                continue
            item.fingerprint = idempotency.fingerprint(
                "POST", passage.route.template, "", "", dump(item.body)
            )
            key_hash = idempotency.key_hash("ITEM", passage.route.template, item.key)
            claim = Claim(key_hash, item.fingerprint, self._item_ref(passage, item))
            if key_hash in claims:
                item.problem = idempotency.twice_in_one_call()
            else:
                claims[key_hash] = claim, item
        outcomes = self._claim(
            passage.caller.credential_id, [claim for claim, _item in claims.values()]
        )
        for (_claim, item), outcome in zip(claims.values(), outcomes, strict=True):
            if isinstance(outcome, Problem):
                item.problem = outcome
            elif outcome:
                item.stored = outcome.answer

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
