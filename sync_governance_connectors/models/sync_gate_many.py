# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from dataclasses import dataclass

from odoo import api, models

from ..tools.call import Answer, ResourceResult
from ..tools.problem import Problem


@dataclass
class Item:
    """One record of many, and what became of it."""

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
    """Many records at once, each with an outcome of its own.

    New records are created together, which is what makes it fast. When one of them
    fails, its batch is undone and split in two, down to the culprit. Records that are
    known are changed one by one, in the order in which they came.
    """

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _apply_many(self, resource_name, bodies, call):
        """Create what the calling system has no id for, patch what it has.

        Runs in the caller's environment and transaction; serialization failures pass.

        :param bodies: bodies with their ``external_id``; one may come twice
        :return: for each body its ``ResourceResult`` or ``Problem``
        """
        resource = self.env["sync.resource"]._get(resource_name)
        items = [Item(index, dict(body)) for index, body in enumerate(bodies)]
        self._work_off(resource, items, call, "patch")
        return [item.result or item.problem for item in items]

    def _work_off(self, resource, items, call, operation):
        """Do the open ones of the items.

        :param operation: what is done to known records: ``replace`` or ``patch``
        """
        fresh, known = self._split_items(resource, items, call)
        self._validate_items(resource, fresh, "create")
        # a replacement names its record, as a new one does
        self._validate_items(
            resource, known, "create" if operation == "replace" else operation
        )
        self._create_items(resource, [item for item in fresh if item.is_open], call)
        for item in known:
            if item.is_open:
                self._try_items(
                    [item],
                    lambda one: [self._upsert(resource, one[0], call, operation)],
                    call,
                )

    def _split_items(self, resource, items, call):
        """``(to be created together, to be looked at one by one)``"""
        asked = [item for item in items if item.is_open]
        known_ids = resource._known_ids(
            call.system, [item.external_id for item in asked if item.external_id]
        )
        fresh, known, seen = [], [], set()
        for item in asked:
            is_known = item.external_id in known_ids or item.external_id in seen
            (known if is_known else fresh).append(item)
            seen.add(item.external_id)
        return fresh, known

    def _validate_items(self, resource, items, operation):
        for item in items:
            try:
                item.version = self._validate(resource, operation, item.body)
            except Problem as problem:
                item.problem = problem

    def _create_items(self, resource, items, call):
        if not items:
            return
        done = self._try_items(
            items,
            lambda batch: resource._create_batch([item.body for item in batch], call),
            call,
        )
        if not done and len(items) > 1:
            middle = len(items) // 2
            self._create_items(resource, items[:middle], call)
            self._create_items(resource, items[middle:], call)

    def _try_items(self, items, work, call):
        """Do ``work`` in a savepoint; a single item keeps the problem it ran into.

        :return: whether it was done
        """
        try:
            with self._business(call.request_ref), self.env.cr.savepoint():
                results = work(items)
        except Problem as problem:
            if len(items) == 1:
                items[0].problem = problem
                problem.aftermath()
            return False
        for item, result in zip(items, results, strict=True):
            item.result = result
        return True

    def _upsert(self, resource, item, call, operation):
        record, _moved = resource._find(call.system, item.external_id)
        if not record:
            return resource._create(item.body, call)
        self._lock_record(record)
        return resource._update(record, item.body, call, operation == "patch")
