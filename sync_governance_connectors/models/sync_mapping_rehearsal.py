# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import models

from ..tools import jsonbody, masking
from ..tools.instruction import IGNORE, PUT
from ..tools.problem import Problem
from .sync_request_hook import MESSAGES

#: how many messages a draft is run on
LAST = 100
#: outcomes, what needs a look first
OUTCOMES = ("fails", "body", "reason", "passes", "same")


class SyncMapping(models.Model):
    """A draft run on the last messages, beside the version in force."""

    _inherit = "sync.mapping"

    def action_compare(self):
        """Run the draft on the last messages of its event, undo all of it, and show
        where the outcome differs from that of the version in force."""
        self.ensure_one()
        self.check_access("write")
        lines = [self._compare(message) for message in self._last_messages()]
        lines.sort(key=lambda line: OUTCOMES.index(line["outcome"]))
        return self.env["sync.mapping.comparison"]._show(self, lines)

    def _last_messages(self):
        # sudo: bodies are closed to everybody; what is shown of them is masked
        return (
            self.env["sync.request"]
            .sudo()
            .search(
                [
                    ("kind", "in", MESSAGES),
                    ("system_id", "=", self.system_id.id),
                    ("event_type", "=", self.event_type),
                    ("state", "!=", "refused"),
                    ("request_body", "!=", False),
                ],
                order="id desc",
                limit=LAST,
            )
        )

    def _compare(self, message):
        """:return: values of a ``sync.mapping.comparison.line``"""
        passed, before = message._rehearsed(lambda request: request._instruction())
        passes, after = message._rehearsed(self._instruction_of)
        if passed != passes:
            outcome = "passes" if passes else "fails"
        elif before == after:
            outcome = "same"
        else:
            outcome = "body" if passes else "reason"
        return {
            "request_id": message.id,
            "outcome": outcome,
            "before": before,
            "after": after,
        }

    def _instruction_of(self, request):
        message = jsonbody.parse(request.request_body.encode())
        return self.with_env(request.env)._instruction(message)


class SyncRequest(models.Model):
    _inherit = "sync.request"

    def _rehearsed(self, instruct):
        """What the message would come to, undone at once.

        :param instruct: gives the ``Instruction`` of the request, in its environment
        :return: ``(whether it passes, what it says or why not)``, masked
        """
        with self._undone() as request:
            try:
                instruction = instruct(request)
                held = request._try(instruction)
            except Problem as problem:
                faults = [error.as_dict() for error in problem.errors]
                told = {"refused": problem.detail or problem.title, "faults": faults}
                return False, _shown(told)
            told = {
                "operation": f"{instruction.resource}/{instruction.operation}",
                "external_id": instruction.external_id,
                "body": instruction.body,
                # Without the conflicts, which are others each time.
                "held": {member: why.get("reason") for member, why in held.items()},
            }
        return True, _shown(told)

    def _try(self, instruction):
        """Do what a stuck message asks for; of one that was applied its body alone is
        held to the contract, because its record is there by now.

        :return: ``{member: {"reason", …}}`` that a policy held back
        :raise Problem: why it cannot be done
        """
        if instruction.operation == IGNORE:
            return {}
        if self.state != "applied":
            return self.system_id._carry_out(instruction, self.ref).refused
        resource = self.env["sync.resource"]._get(instruction.resource)
        operation, body = instruction.operation, instruction.body
        if operation == PUT:
            operation = "create"
            body = {**body, "external_id": instruction.external_id}
        self.env["sync.gate"]._validate(resource, operation, body)
        return {}


def _shown(told):
    return json.dumps(masking.mask(told), indent=2, ensure_ascii=False, sort_keys=True)
