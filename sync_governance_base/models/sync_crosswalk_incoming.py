from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import SQL

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

    def _apply_incoming(
        self, values: dict[str, Any], source, version: str | None = None
    ) -> ApplyResult:
        """Apply what a system sent, as far as policies and other changes allow.

        Compares three ways (last agreed, Odoo now, incoming). What is allowed
        is written under the source's name; what is refused goes to one conflict
        of this crosswalk.

        :param values: field values in the form that ``write`` takes
        :param Source source: see ``sync.system._as_source``
        :param version: the version of the record that the values are based on, as
            ``_version_of`` told it; only what Odoo has not changed since is written
        :raise ValidationError: if a value is for a field that the model does not have
        """
        self.ensure_one()
        record = self.record
        if not record:
            return self._apply_to_missing(values, source)
        self._check_names(record, values)
        record = record.with_context(**{SOURCE_KEY: source})
        tool = self.env["sync.field.value"]
        company = self._company_of(record)
        decisions = self.env["sync.policy"]._decide(
            record._name, list(values), source, company
        )
        # agreed values are kept by the machinery, not by people
        base = self.sudo().base_json or {}
        stale = version is not None and version != self._version_of(record)
        applied, unchanged, refused, agreed = {}, [], {}, {}
        kind = "update_differing"
        for name, value in values.items():
            neutral = tool._written(record, name, value)
            verdict = self._compare(
                record, name, base, neutral, source, decisions[name], stale
            )
            if verdict == "apply":
                # Odoo takes times without their zone only
                is_time = record._fields[name].type == "datetime"
                applied[name] = neutral if is_time else value
                agreed[name] = neutral
            elif verdict == "refuse":
                refused[name] = decisions[name]
            elif verdict == "stale":
                kind = "stale_version"
                refused[name] = decisions[name]._replace(outcome=Outcome.BLOCKED)
            else:
                unchanged.append(name)
                if verdict == "same":
                    agreed[name] = neutral
        clashes = self._clashes(record, applied)
        for name, message in clashes.items():
            kind = "unique_conflict"
            del applied[name], agreed[name]
            refused[name] = decisions[name]._replace(
                outcome=Outcome.BLOCKED, message=message
            )
        if applied:
            record.write(applied)
        self._agree(agreed, applied)
        self._count_held(record, company, decisions, refused, source)
        conflict = self.env["sync.conflict"]._collect(
            self, record, values, refused, source, kind
        )
        # whose value it is, stewards read; a system may not know that record
        nameless = self.env._("Another record has this value, and only one can.")
        for name in clashes:
            refused[name] = refused[name]._replace(message=nameless)
        return ApplyResult(applied, unchanged, refused, conflict)

    @api.model
    def _check_names(self, model, values) -> None:
        unknown = sorted(values.keys() - model._fields.keys())
        if unknown:
            raise ValidationError(
                self.env._(
                    "%(model)s has no field %(fields)s.",
                    model=self.env["ir.model"].sudo()._get(model._name).name,
                    fields=", ".join(unknown),
                )
            )

    @api.model
    def _version_of(self, record) -> str:
        """The record's version as systems are told it.

        Override it where they are told another one.
        """
        return record.sudo().write_date.isoformat()

    @api.model
    def _count_held(self, record, company, decisions, refused, source) -> None:
        """Count what the policy has held back; the ORM never sees these values."""
        rules = self.env["sync.policy"]._rules_in_force(record._name, company)
        for name in refused:
            if not self._allows(decisions[name]):
                self.env["sync.policy.hit"]._count(
                    rules, name, source, decisions[name].outcome
                )

    def _compare(self, record, name, base, incoming, source, decision, stale) -> str:
        """What to do with one incoming value: same, keep, apply, refuse or stale."""
        tool = self.env["sync.field.value"]
        allowed = "apply" if self._allows(decision) else "refuse"
        if incoming is None:  # commands on lines: nothing to compare
            return "stale" if stale else allowed
        kind = tool._kind(record, name)
        current = tool._read(record, name)
        found = merge(kind, base.get(name), current, incoming, known=name in base)
        if found is Merge.SAME:
            return "same"
        if found is Merge.CURRENT:
            return "keep"
        if stale and (found is Merge.CONFLICT or name not in base):
            return "stale"
        if found is Merge.INCOMING:
            return allowed
        chosen = self._resolve_value(record, name, kind, current, incoming, source)
        if chosen is UNRESOLVED:
            return "refuse"
        return allowed if equal(kind, chosen, incoming) else "keep"

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
        for row in self.sudo()._of_records(record) - self:
            if name in (row.base_json or {}) and equal(
                kind, row.base_json[name], current
            ):
                return row.system_id.code, row._stamp(name)
        return ODOO_CODE, None

    def _stamp(self, name) -> datetime | None:
        text = (self.sudo().stamps_json or {}).get(name)
        return fields.Datetime.to_datetime(text) if text else None

    def _agree(self, agreed: dict, applied=()) -> None:
        """Remember values as agreed with the system."""
        if agreed:
            now = fields.Datetime.to_string(fields.Datetime.now())
            # base values are kept by the machinery, not by people
            row = self.sudo()
            row.write(
                {
                    "base_json": {**(row.base_json or {}), **agreed},
                    "stamps_json": {
                        **(row.stamps_json or {}),
                        **dict.fromkeys(applied, now),
                    },
                    "last_seen": now,
                }
            )

    # ------------------------------------------------------------------
    # Creations, updates and deletions by a system's own id
    # ------------------------------------------------------------------

    @api.model
    def _apply_creation(
        self, system, res_model: str, external_id: str, values: dict[str, Any], source
    ) -> ApplyResult:
        """Make the record that a system sends as new, and note its id.

        If the id, or a value that only one record can have, names one already, nothing
        is written: what differs becomes a conflict of the type ``insert_exists``.
        """
        model = self.env[res_model].with_context(**{SOURCE_KEY: source})
        self._check_names(model, values)
        row = self._resolve(system, res_model, external_id)
        existing = row.record if row else self._twin(model, values)
        if existing:
            place = row or self._place(system, existing, external_id)
            return place._refuse_creation(existing, values, source)
        decisions = self.env["sync.policy"]._decide(
            res_model, list(values), source, self.env.company
        )
        record = model.create(
            {
                name: value
                for name, value in values.items()
                if self._allows(decisions[name])
            }
        )
        row = self._link(system, record, external_id)
        return row._apply_incoming(values, source)

    @api.model
    def _apply_update(
        self,
        system,
        res_model: str,
        external_id: str,
        values: dict[str, Any],
        source,
        version: str | None = None,
    ) -> ApplyResult:
        """Apply values to the record behind a system's id.

        Values for an id that Odoo does not know, or knew once, become a conflict of the
        type ``update_missing`` or ``update_recently_deleted``.

        :param version: see ``_apply_incoming``
        """
        row = self._resolve(system, res_model, external_id)
        if row:
            return row._apply_incoming(values, source, version)
        model = self.env[res_model]
        self._check_names(model, values)
        row = self._named(system, res_model, external_id)
        row = row or self._place(system, model, external_id)
        return row._apply_to_missing(values, source)

    @api.model
    def _apply_deletion(
        self, system, res_model: str, external_id: str, source, version=None
    ):
        """Delete the record behind a system's id, as far as its policy allows.

        If Odoo has changed it since the two last agreed, or since the given version, it
        stays, and the changes become a conflict of type ``delete_recently_updated``.

        :param version: see ``_apply_incoming``
        :return: the open conflict; empty when there is nothing to decide
        :raise UserError: if only others may delete
        """
        row = self._resolve(system, res_model, external_id)
        record = row.record if row else None
        if not record:
            return self.env["sync.conflict"]
        if changed := row._changed_since_agreed(record, version):
            return row._refuse_deletion(record, changed, source)
        record.with_context(**{SOURCE_KEY: source}).unlink()
        row.sudo()._retire_rows(self.env._("Deleted in %(system)s", system=system.name))
        return self.env["sync.conflict"]

    @api.model
    def _place(self, system, record, external_id):
        """An id that is not noted (yet), for conflicts about it.

        :param record: what it would name; the model alone if nothing
        """
        return self.new(
            {
                "system_id": system.id,
                "res_model": record._name,
                "res_id": record.id,
                "external_id": external_id,
                "company_id": self._company_of(record).id,
            }
        )

    def _refuse_creation(self, existing, values, source) -> ApplyResult:
        """Ask a steward about a creation of what exists; nothing to ask if all is same.

        :param existing: the record there is
        """
        tool = self.env["sync.field.value"]
        unchanged = [
            name
            for name, value in values.items()
            if equal(
                tool._kind(existing, name),
                tool._read(existing, name),
                tool._written(existing, name, value),
            )
        ]
        decisions = self.env["sync.policy"]._decide(
            existing._name,
            [name for name in values if name not in unchanged],
            source,
            self._company_of(existing),
        )
        refused = {
            name: decision._replace(outcome=Outcome.BLOCKED)
            for name, decision in decisions.items()
        }
        conflict = self.env["sync.conflict"]._collect(
            self, existing, values, refused, source, kind="insert_exists"
        )
        if not refused:
            row = self._link(self.system_id, existing, self.external_id)
            row._agree({name: tool._read(existing, name) for name in unchanged})
        return ApplyResult({}, unchanged, refused, conflict)

    def _apply_to_missing(self, values, source) -> ApplyResult:
        """Values for a record that there is not, or no longer: a person decides."""
        known = bool(self._origin)
        message = (
            self.env._("The record no longer exists in Odoo.")
            if known
            else self.env._("Odoo knows no record under this id.")
        )
        refused = {
            name: Decision(Outcome.BLOCKED, (), None, name, message) for name in values
        }
        conflict = self.env["sync.conflict"]._collect(
            self,
            None,
            values,
            refused,
            source,
            kind="update_recently_deleted" if known else "update_missing",
        )
        return ApplyResult({}, [], refused, conflict)

    def _changed_since_agreed(self, record, version) -> list[str]:
        """Fields that Odoo has changed since it last agreed with the system."""
        tool = self.env["sync.field.value"]
        # agreed values are kept by the machinery, not by people
        base = self.sudo().base_json or {}
        changed = [
            name
            for name, value in base.items()
            if name in record._fields
            and not equal(tool._kind(record, name), value, tool._read(record, name))
        ]
        if not changed and version is not None and version != self._version_of(record):
            changed = ["write_date"]
        return changed

    def _refuse_deletion(self, record, changed, source):
        """Ask a steward about deleting what has changed."""
        policies = self.env["sync.policy"]
        company = self._company_of(record)
        tool = self.env["sync.field.value"]
        conflict = self.env["sync.conflict"]._collect(
            self,
            record,
            {name: tool._to_write(record, name, False) for name in changed},
            policies._decide(record._name, changed, source, company),
            source,
            kind="delete_recently_updated",
        )
        # one decision for the whole record: what its policy says about deleting
        rules = policies._rules_in_force(record._name, company)
        if rules:
            owns = source.owner_code in rules.owner_codes
            conflict.sudo().line_ids.decision = "take" if owns else "keep"
        return conflict

    # ------------------------------------------------------------------
    # Values that only one record can have
    # ------------------------------------------------------------------

    @api.model
    @tools.ormcache("model_name")
    def _unique_sets(self, model_name: str) -> tuple[frozenset[str], ...]:
        """The sets of fields whose values only one record can have, by the database.

        Override it for what only a Python constraint keeps unique.
        """
        model = self.env[model_name]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT array_agg(pg_attribute.attname::text)
                  FROM pg_index
                  JOIN pg_attribute ON pg_attribute.attrelid = pg_index.indrelid
                   AND pg_attribute.attnum = ANY(pg_index.indkey)
                 WHERE pg_index.indrelid = to_regclass(%s)
                   AND pg_index.indisunique AND NOT pg_index.indisprimary
                   AND pg_index.indpred IS NULL AND pg_index.indexprs IS NULL
                 GROUP BY pg_index.indexrelid
                """,
                model._table,
            )
        )
        return tuple(
            frozenset(names) for (names,) in rows if model._fields.keys() >= set(names)
        )

    @api.model
    def _clashes(self, record, values: dict[str, Any]) -> dict[str, str]:
        """For each value that another record has and only one can: a sentence on it."""
        return {
            name: self.env._(
                "“%(record)s” has this value of “%(field)s” already, and only one can.",
                record=twin.sudo().display_name,  # shown to whoever must avoid it
                field=record._fields[name]._description_string(self.env),
            )
            for names, twin in self._twins(record, values)
            for name in names & values.keys()
        }

    @api.model
    def _twin(self, record, values):
        """A record that has what only one can have, or an empty one."""
        return next((twin for _names, twin in self._twins(record, values)), record[:0])

    @api.model
    def _twins(self, record, values):
        """Pairs of a unique set of fields and the other record with the same values."""
        # the database compares with all records, whoever may see them
        everything = record.browse().sudo().with_context(active_test=False)
        read = self.env["sync.field.value"]._read
        for names in self._unique_sets(record._name):
            if names.isdisjoint(values):
                continue
            same = {name: values.get(name) or read(record, name) for name in names}
            if not all(same.values()):  # nothing is not unique
                continue
            domain = [(name, "=", value) for name, value in same.items()]
            twin = everything.search([*domain, ("id", "not in", record.ids)], limit=1)
            if twin:
                yield names, twin.with_env(record.env)

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
