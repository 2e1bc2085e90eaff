# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from typing import NamedTuple

from odoo import api, models

from ..tools import business, canonical, jsonbody, sample
from ..tools.canonical import Kind
from ..tools.instruction import IGNORE, PUT
from ..tools.problem import Problem


class Finding(NamedTuple):
    """What is wrong with a message.

    :param layer: ``contract`` (its form) or ``business`` (its sense)
    :param pointer: JSON pointer of the place
    """

    layer: str
    pointer: str
    text: str

    @property
    def sentence(self):
        return f"{self.pointer}: {self.text}" if self.pointer else self.text


class SyncSample(models.AbstractModel):
    """Messages to try with: made from a contract, and held to both layers.

    The contract says which form a body has. The business says whether it makes sense:
    products, units and customers are known, totals add up. Nothing is written.
    """

    _name = "sync.sample"
    _description = "Sample messages"

    # -- both layers -----------------------------------------------------------------

    @api.model
    def _findings(self, system, resource_name, operation, body):
        """Everything that is wrong with a canonical body; empty if it is sound.

        :param operation: ``create``, ``replace``, ``patch`` or a transition's name
        :return: list of ``Finding``
        """
        # sudo: a trial reads what the system itself would, whoever tries
        call = system.sudo()._call("sample")
        resource = system.sudo()._acting_env(call)["sync.resource"]._get(resource_name)
        try:
            self.env["sync.gate"].sudo()._validate(resource, operation, body)
        except Problem as problem:
            return self._of_problem("contract", problem)
        return [
            *self._unknown(resource, operation, body, call),
            *(Finding("business", *fault) for fault in business.faults(body)),
        ]

    def _unknown(self, resource, operation, body, call):
        """Products, units, customers … that nothing is known of."""
        members = resource._transition_members().get(operation, resource._members())
        try:
            resource._decode(members, body, call)
        except Problem as problem:
            return self._of_problem("business", problem)
        return []

    def _of_problem(self, layer, problem):
        if not problem.errors:
            return [Finding(layer, "", problem.detail or problem.title)]
        return [Finding(layer, one.pointer, one.detail) for one in problem.errors]

    @api.model
    def _of_message(self, mapping, text):
        """Findings of a partner's message, read by a mapping."""
        try:
            instruction = mapping.sudo()._instruction(jsonbody.parse(text.encode()))
        except Problem as problem:
            return self._of_problem("contract", problem)
        if instruction.operation == IGNORE:
            return []
        operation, body = instruction.operation, dict(instruction.body)
        if operation == PUT:
            operation = "create"
            body = {"external_id": instruction.external_id, **body}
        return self._findings(mapping.system_id, instruction.resource, operation, body)

    @api.model
    def _of_request(self, request):
        """What is wrong with a call that came; empty if it is sound, or not kept."""
        # sudo: bodies are closed to everybody; a place and a sentence are told of them
        text = request.sudo().request_body
        if not text or request.kind == "feed" or not request.resource:
            return []
        if request.kind == "hook":
            mapping = self.env["sync.mapping"]._of(
                request.system_id, request.event_type
            )
            return self._of_message(mapping, text) if mapping else []
        if request.operation not in ("create", "replace"):
            return []
        body = jsonbody.parse(text.encode())
        return self._findings(
            request.system_id, request.resource, request.operation, body
        )

    # -- making one ------------------------------------------------------------------

    @api.model
    def _make(self, system, version):
        """A body that is valid by a version of a contract, about records the system
        knows, wherever it knows some.

        :return: JSON text, the same for the same contract and records
        :raise tools.sample.SampleError: the contract allows none
        """
        schema = json.loads(version.schema_text)
        resource_name, operation = self._subject(version.contract_id)
        preferred = {}
        resource = self.env["sync.resource"]._get(resource_name)
        if resource is not None and hasattr(resource, "_members"):
            members = resource._transition_members().get(operation, resource._members())
            preferred = resource._example(operation)
            self._name_known(system, members, preferred)
        body = sample.sample(schema, preferred)
        return json.dumps(body, indent=2, ensure_ascii=False)

    @api.model
    def _subject(self, contract):
        """``(resource, operation)`` of a contract, such as orders.write."""
        name, _dot, suffix = contract.code.rpartition(".")
        return name, "create" if suffix == "write" else suffix

    def _name_known(self, system, members, body):
        """Put names of records the system knows in the place of the example's."""
        for member, value in list(canonical.walk(members, body)):
            if member.kind is Kind.LIST:
                for item in value or ():
                    self._name_known(system, member.items, item)
                continue
            known = self._known_name(system, member)
            if known:
                *parents, leaf = member.path.split(".")
                node = body
                for parent in parents:
                    node = node[parent]
                node[leaf] = known

    def _known_name(self, system, member):
        if member.kind is Kind.CURRENCY:
            return (system.company_id or self.env.company).currency_id.name
        if member.kind is not Kind.REFERENCE:
            return None
        row = (
            self.env["sync.crosswalk"]
            .sudo()  # the system's own ids, told to those who manage it
            .search(
                [
                    ("system_id", "=", system.id),
                    ("res_model", "=", member.model),
                    ("state", "=", "active"),
                ],
                order="id",
                limit=1,
            )
        )
        return {"external_id": row.external_id} if row else None
