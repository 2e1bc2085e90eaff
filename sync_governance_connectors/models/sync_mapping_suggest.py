# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.exceptions import UserError

from ..tools import jsonbody, suggest
from ..tools.canonical import Kind
from ..tools.problem import Problem


class SyncMapping(models.Model):
    """Rules suggested from a message of the partner; a person accepts each."""

    _inherit = "sync.mapping"

    def action_suggest(self):
        """Suggest rules for the members that none fills yet."""
        self.ensure_one()
        self.check_access("write")
        self._check_editable()
        return self.env["sync.mapping.suggestion"]._show(self, self._suggestions())

    def _suggestions(self):
        """:return: ``[suggest.Suggestion]``, the surest first"""
        places = suggest.places(self._example())
        texts = {str(value) for place in places for value in place.values}
        wanted = suggest.wanted(
            self._contract_members(), lambda member: self._known(member, texts)
        )
        used = {line.target: line.expression for line in self.line_ids}
        rules = self._rules_of_others()
        return sorted(
            suggest.suggest(wanted, places, used, lambda *rule: rules.get(rule, 0)),
            # A list comes before what is read within it.
            key=lambda one: (one.target.count("[]"), -one.score, one.target),
        )

    def _example(self):
        """The message to try, or the last one that came."""
        text = self.sample or self._last_messages()[:1].request_body
        if not text:
            raise UserError(
                self.env._("Paste a message to try: none of this event is stored yet.")
            )
        try:
            return jsonbody.parse(text.encode())
        except Problem as problem:
            raise UserError(problem.detail) from problem

    def _known(self, member, texts):
        """Those of the message's values that are known to belong to a member."""
        if member.kind == Kind.REFERENCE:
            # sudo: which of the message's own ids are known tells nothing of records
            links = self.env["sync.crosswalk"].sudo()
            found = links.search_fetch(
                [
                    ("system_id", "=", self.system_id.id),
                    ("res_model", "=", member.model),
                    ("external_id", "in", list(texts)),
                ],
                ["external_id"],
            )
            return frozenset(found.mapped("external_id"))
        if member.kind == Kind.LABEL:
            # sudo: as above, for names of units and terms
            records = self.env[member.model].sudo()
            found = records.search([("name", "in", list(texts))])
            return frozenset(found.mapped("name"))
        return suggest.choice_words(member)

    def _rules_of_others(self):
        """``{(target, expression): mappings of the same resource that have it}``"""
        groups = self.env["sync.mapping.line"]._read_group(
            [
                ("mapping_id.resource", "=", self.resource),
                ("mapping_id.state", "!=", "draft"),
                ("mapping_id", "!=", self.id),
            ],
            ["target", "expression"],
            ["mapping_id:count_distinct"],
        )
        return {(target, expression): count for target, expression, count in groups}
