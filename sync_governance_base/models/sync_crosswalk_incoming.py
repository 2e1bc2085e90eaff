from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from odoo import api, fields, models

from ..tools.merge3 import UNRESOLVED, Candidate, Merge, equal, merge, resolve
from ..tools.policy import Decision, Outcome
from ..tools.source import ODOO_CODE
from .sync_system import SOURCE_KEY

_NO_RANK = 1000


class ApplyResult(NamedTuple):
    """What became of values that a system sent for a record it knows.

    :param applied: the values written
    :param unchanged: names of fields that keep Odoo's value without anybody losing
    :param refused: for each field that was not written, why
    :param conflict: the open ``sync.conflict`` that holds the refused values, or empty
    """

    applied: dict[str, Any]
    unchanged: list[str]
    refused: dict[str, Decision]
    conflict: models.BaseModel


class SyncCrosswalk(models.Model):
    """Applies what systems send for the records that they know."""

    _inherit = "sync.crosswalk"

    def _apply_incoming(self, values: dict[str, Any], source) -> ApplyResult:
        """Apply what a system sent, as far as policies and other changes allow.

        Compares three ways (last agreed, Odoo now, incoming). What is allowed
        is written under the source's name; what is refused goes to one conflict
        of this crosswalk.

        :param values: field values in the form that ``write`` takes
        :param Source source: see ``sync.system._as_source``
        """
        self.ensure_one()
        record = self.record
        if not record:
            return self._apply_to_missing(values, source)
        record = record.with_context(**{SOURCE_KEY: source})
        tool = self.env["sync.field.value"]
        company = self._company_of(record)
        decisions = self.env["sync.policy"]._decide(
            record._name, list(values), source, company
        )
        applied, unchanged, refused, agreed = {}, [], {}, {}
        for name, value in values.items():
            neutral = tool._written(record, name, value)
            verdict = self._compare(record, name, neutral, source, decisions[name])
            if verdict == "apply":
                applied[name] = value
                agreed[name] = neutral
            elif verdict == "refuse":
                refused[name] = decisions[name]
            else:
                unchanged.append(name)
                if verdict == "same":
                    agreed[name] = neutral
        if applied:
            record.write(applied)
        self._agree(agreed, applied)
        self._count_held(record, company, refused, source)
        conflict = self.env["sync.conflict"]._collect(
            self, record, values, refused, source
        )
        return ApplyResult(applied, unchanged, refused, conflict)

    @api.model
    def _count_held(self, record, company, refused, source) -> None:
        """Count what the policy has held back; the ORM never sees these values."""
        rules = self.env["sync.policy"]._rules_in_force(record._name, company)
        for name, decision in refused.items():
            if not self._allows(decision):
                self.env["sync.policy.hit"]._count(
                    rules, name, source, decision.outcome
                )

    def _compare(self, record, name, incoming, source, decision) -> str:
        """What to do with one incoming value: same, keep, apply or refuse."""
        tool = self.env["sync.field.value"]
        base = self.base_json or {}
        if incoming is None:  # commands on lines: nothing to compare
            return "apply" if self._allows(decision) else "refuse"
        kind = tool._kind(record, name)
        current = tool._read(record, name)
        found = merge(kind, base.get(name), current, incoming, known=name in base)
        if found is Merge.SAME:
            return "same"
        if found is Merge.CURRENT:
            return "keep"
        if found is Merge.INCOMING:
            return "apply" if self._allows(decision) else "refuse"
        chosen = self._resolve_value(record, name, kind, current, incoming, source)
        if chosen is UNRESOLVED:
            return "refuse"
        if equal(kind, chosen, incoming):
            return "apply" if self._allows(decision) else "refuse"
        return "keep"

    @api.model
    def _allows(self, decision) -> bool:
        return decision.outcome not in (Outcome.BLOCKED, Outcome.PROPOSED)

    def _resolve_value(self, record, name, kind, current, incoming, source):
        """The value that the field's resolver picks when both sides changed it."""
        rules = self.env["sync.policy"]._rules_in_force(
            record._name, self._company_of(record)
        )
        rule = rules and rules.fields.get(name)
        if not rule or not rule.owners:
            return UNRESOLVED
        ranks = {code: rank for rank, code in enumerate(rule.owner_codes)}
        holder, stamp = self._holder(record, name, kind, current)
        candidates = [
            Candidate(
                incoming, ranks.get(source.owner_code, _NO_RANK), self.env.cr.now()
            ),
            Candidate(current, ranks.get(holder, _NO_RANK), stamp or record.write_date),
        ]
        return resolve(kind, rule.resolver, candidates, empty_wins=rule.empty_wins)

    def _holder(self, record, name, kind, current):
        """Code of the system that Odoo's present value came from, and when it did."""
        for row in self._of_records(record) - self:
            if name in (row.base_json or {}) and equal(
                kind, row.base_json[name], current
            ):
                return row.system_id.code, row._stamp(name)
        return ODOO_CODE, None

    def _stamp(self, name) -> datetime | None:
        text = (self.stamps_json or {}).get(name)
        return fields.Datetime.to_datetime(text) if text else None

    def _agree(self, agreed: dict, applied=()) -> None:
        """Remember values as agreed with the system."""
        if agreed:
            now = fields.Datetime.to_string(fields.Datetime.now())
            # base values are kept by the machinery, not by people
            self.sudo().write(
                {
                    "base_json": {**(self.base_json or {}), **agreed},
                    "stamps_json": {
                        **(self.stamps_json or {}),
                        **dict.fromkeys(applied, now),
                    },
                    "last_seen": now,
                }
            )

    def _apply_to_missing(self, values, source):
        """Values for a record that has been deleted: a person decides."""
        gone = self.env._("The record no longer exists in Odoo.")
        refused = {
            name: Decision(Outcome.BLOCKED, (), None, name, gone) for name in values
        }
        conflict = self.env["sync.conflict"]._collect(
            self, None, values, refused, source, kind="update_recently_deleted"
        )
        return ApplyResult({}, [], refused, conflict)

    def _company_of(self, record):
        company = record.sudo().company_id if "company_id" in record._fields else None
        return company or self.company_id or self.env.company

    @api.model
    def _ages(self, records, name) -> dict[int, dict[str, float]]:
        """Hours since each system last wrote the field, by record."""
        now = fields.Datetime.now()
        ages = defaultdict(dict)
        # attribution is for everybody, whoever may read external ids
        for row in self.sudo()._of_records(records):
            if stamp := row._stamp(name):
                hours = (now - stamp).total_seconds() / 3600
                code = row.system_id.code
                ages[row.res_id][code] = min(hours, ages[row.res_id].get(code, hours))
        return ages
