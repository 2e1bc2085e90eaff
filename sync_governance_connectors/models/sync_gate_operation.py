# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from odoo import api, models
from odoo.tools import SQL

from ..tools import etag, query
from ..tools.call import OUTDATED, Answer
from ..tools.jsonbody import dump
from ..tools.passage import PREFIX
from ..tools.problem import Problem


class SyncGate(models.AbstractModel):
    """The operations: what a call does once it has passed the other steps."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _apply(self, resource_name, operation, external_id, body, call):
        """The door for other ways in (partner webhooks): validate, find, change.

        Runs in the caller's environment and savepoint.

        :param operation: ``create``, ``replace``, ``patch`` or a transition's name
        :return: ``ResourceResult``
        :raise Problem: 404, 409, 422
        """
        resource = self.env["sync.resource"]._get(resource_name)
        self._validate(resource, operation, body)
        if operation == "create":
            return resource._create(body, call)
        record, _moved = resource._find(call.system, external_id)
        if operation == "replace" and not record:
            return resource._create({**body, "external_id": external_id}, call)
        if not record:
            raise resource._not_found(external_id)
        self._lock_record(record)
        if operation in ("replace", "patch"):
            return resource._update(record, body, call, operation == "patch")
        return resource._transition(record, operation, body, call)

    def _operate_create(self, passage):
        etag.check_if_match(passage.incoming.header("if-match"), None, required=False)
        result = passage.resource._create(passage.body, passage.call)
        return self._answer_result(passage, result)

    def _operate_replace(self, passage):
        record, moved = self._find(passage)
        incoming = passage.incoming
        etag.check_if_none_match_any(incoming.header("if-none-match"), bool(record))
        self._check_own_id(passage, record)
        if not record:
            etag.check_if_match(incoming.header("if-match"), None, required=False)
            body = {**passage.body, "external_id": passage.route.external_id}
            return self._answer_result(
                passage, passage.resource._create(body, passage.call)
            )
        self._check_state(passage, record, required=True)
        result = passage.resource._update(record, passage.body, passage.call, False)
        return self._answer_result(passage, result, moved)

    def _operate_patch(self, passage):
        record, moved = self._find(passage)
        if not record:
            raise self._unknown(passage)
        self._check_own_id(passage, record)
        self._check_state(passage, record, required=True)
        self._validate_merged(passage, record)
        result = passage.resource._update(record, passage.body, passage.call, True)
        return self._answer_result(passage, result, moved)

    def _operate_transition(self, passage):
        record, moved = self._find_existing(passage)
        self._check_state(passage, record, required=False)
        result = passage.resource._transition(
            record, passage.route.transition, passage.body, passage.call
        )
        return self._answer_result(passage, result, moved)

    def _operate_read(self, passage):
        record, moved = self._find_existing(passage)
        body = self._canonical(passage, record)
        tag = etag.strong(dump(body))
        answer_headers = {"Content-Type": "application/json", "ETag": tag}
        if etag.not_modified(passage.incoming.header("if-none-match"), tag):
            return Answer(304, b"", {"ETag": tag})
        if moved:
            body["sync"] = {"moved": self._moved(passage, body)}
            answer_headers["Sync-Moved"] = passage.route.external_id
        return Answer(200, dump(body), answer_headers)

    def _operate_list(self, passage):
        extra = [one["name"] for one in passage.resource._query_parameters()]
        asked = query.parse(passage.incoming.query, extra)
        bodies, following = passage.resource._list(passage.call, asked)
        answer_headers = {"Content-Type": "application/json"}
        if following:
            address = f"{passage.incoming.path}?cursor={following}"
            if asked.get("limit"):
                address += f"&limit={asked['limit']}"
            answer_headers["Link"] = f'<{address}>; rel="next"'
        return Answer(
            200, dump({"data": bodies, "next_cursor": following}), answer_headers
        )

    def _find(self, passage):
        return passage.resource._find(passage.call.system, passage.route.external_id)

    def _find_existing(self, passage):
        record, moved = self._find(passage)
        if not record:
            raise passage.resource._not_found(passage.route.external_id)
        return record, moved

    def _unknown(self, passage):
        """404 for a change; if nobody waits for the answer, a steward decides."""
        resource, external_id = passage.resource, passage.route.external_id
        problem = resource._not_found(external_id)
        if passage.late:
            problem.aftermath = partial(
                resource._note_unknown, external_id, passage.body, passage.call
            )
        return problem

    def _check_own_id(self, passage, record):
        """A body may name the record it is about, but not another one."""
        named = passage.body.get("external_id", passage.route.external_id)
        if named == passage.route.external_id:
            return
        other, _moved = passage.resource._find(passage.call.system, named)
        if not record or other != record:
            raise Problem.invalid(
                [("/external_id", "Differs from the id in the address.", "not_allowed")]
            )

    def _check_state(self, passage, record, required):
        """Lock the record, then compare its state with ``If-Match``.

        A body that was accepted to be done later cannot be answered with 412 any more:
        what Odoo has not changed since is written, a steward decides about the rest.

        :raise Problem: 412, 428
        """
        self._lock_record(record)
        header = passage.incoming.header("if-match")
        compares = header is not None and header != "*"
        current = ""
        if compares:
            current = etag.strong(dump(self._canonical(passage, record)))
        try:
            etag.check_if_match(header, current, required)
        except Problem as problem:
            changes = passage.route.operation in ("replace", "patch")
            if not (passage.late and changes and problem.status == 412):
                raise
            passage.call = replace(passage.call, version=OUTDATED)

    def _lock_record(self, record):
        """Wait for whoever changes it; a change we did not see fails serialization."""
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM %s WHERE id = %s FOR NO KEY UPDATE",
                SQL.identifier(record._table),
                record.id,
            )
        )

    def _canonical(self, passage, record):
        (body,) = passage.resource._to_canonical(record, passage.call.system)
        return body

    def _moved(self, passage, body):
        return {"from": passage.route.external_id, "to": body.get("external_id")}

    def _answer_result(self, passage, result, moved=False):
        """The record as it is now, and what became of the fields that were sent."""
        passage.result = result
        body = self._canonical(passage, result.record)
        answer_headers = {
            "Content-Type": "application/json",
            "ETag": etag.strong(dump(body)),
        }
        if moved:
            answer_headers["Sync-Moved"] = passage.route.external_id
        status = 200
        if result.status == "created":
            status = 201
            resource, external_id = passage.route.resource, body.get("external_id")
            answer_headers["Location"] = f"{PREFIX}/{resource}/{_quoted(external_id)}"
        body["sync"] = self._sync_member(passage, result, moved, body)
        return Answer(status, dump(body), answer_headers)

    def _sync_member(self, passage, result, moved, body):
        member = {
            "applied": sorted(result.applied),
            "held": [{"field": name, **why} for name, why in result.refused.items()],
        }
        if result.warnings:
            member["warnings"] = list(result.warnings)
        if moved:
            member["moved"] = self._moved(passage, body)
        return member


def _quoted(external_id):
    """An id as one path segment."""
    return quote(str(external_id), safe="")
