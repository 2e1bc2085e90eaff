from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError

from ..tools.merge3 import equal
from ..tools.policy import (
    CREATION,
    DELETION,
    FieldRule,
    Outcome,
    PolicyRules,
    decide,
    decide_record,
    sanction,
)
from ..tools.source import ODOO_CODE, Channel, Source


class Violation(NamedTuple):
    """A write to a governed field by a source whose turn it is not."""

    outcome: Outcome
    rules: PolicyRules
    rule: FieldRule
    records: models.BaseModel


class SyncPolicy(models.Model):
    """Keeps the policies in force: called by the write hook, and by the screens."""

    _inherit = "sync.policy"

    # ------------------------------------------------------------------
    # Enforcement, called by the write hook
    # ------------------------------------------------------------------

    @api.model
    def _enforce_write(self, records, vals: dict) -> dict:
        """Let a write pass, take fields out of it, or refuse it.

        A value that does not change is no violation.

        :return: the values that may be written
        :raise UserError: when a field is blocked
        """
        touched = self._watched_names(records._name).intersection(vals)
        if not touched or not records:
            return vals
        source = self.env["sync.system"]._current_source()
        self._enforce_archive(records, vals, source)
        violations = self._violations(records, vals, touched, source)
        if not violations:
            return vals
        self._refuse_blocked(violations, vals, source)
        return self._settle(violations, vals, source)

    @api.model
    def _enforce_translate(self, records, field_name) -> None:
        """Refuse edited translations of somebody else's field; they cannot be proposed.

        :raise UserError: when the field is blocked, or changes only by request
        """
        if field_name not in self._watched_names(records._name):
            return
        source = self.env["sync.system"]._current_source()
        hits = self.env["sync.policy.hit"]
        for rules, _group in self._rules_of(records):
            rule = rules.fields.get(field_name)
            if not rule:
                continue
            outcome = decide(rules, rule, source)
            if outcome in (Outcome.BLOCKED, Outcome.PROPOSED):
                hits._count_refused([(rules, field_name)], source)
                raise UserError(self._message(records._name, rules, rule))
            hits._count(rules, field_name, source, outcome)

    @api.model
    def _violations(self, records, vals, touched, source) -> list[Violation]:
        hits = self.env["sync.policy.hit"]
        violations = []
        for rules, group in self._rules_of(records):
            for name in touched & rules.fields.keys():
                rule = rules.fields[name]
                outcome, culprits = self._judge(rules, rule, source, group, vals[name])
                if outcome is Outcome.ALLOWED:
                    hits._count(rules, name, source, outcome)
                elif culprits:
                    violations.append(Violation(outcome, rules, rule, culprits))
        return violations

    @api.model
    def _judge(self, rules, rule, source, records, value):
        """Outcome of writing the value, and the records for which it is a change."""
        if rule.needs_ages(source):
            return self._judge_by_age(rules, rule, source, records, value)
        outcome = decide(rules, rule, source)
        if outcome is Outcome.ALLOWED:
            return outcome, records
        return outcome, self._changed(records, rule.field, value)

    @api.model
    def _judge_by_age(self, rules, rule, source, records, value):
        """Like ``_judge`` for a lower rank, whose turn depends on each record."""
        ages = self.env["sync.crosswalk"]._ages(records, rule.field)
        outcomes = {
            record: decide(rules, rule, source, ages.get(record.id))
            for record in records
        }
        worst = max(outcomes.values(), key=lambda outcome: outcome.severity)
        if worst is Outcome.ALLOWED:
            return worst, records
        culprits = records.filtered(lambda record: outcomes[record] is worst)
        return worst, self._changed(culprits, rule.field, value)

    @api.model
    def _changed(self, records, name, value):
        """The records on which the value would change the field.

        What is written while a record is being created is a part of its creation.
        """
        values = self.env["sync.field.value"]
        changed = []
        for record in records.sudo():
            written = values._written(record, name, value)
            current = values._neutral(record, name, record[name])
            if written is None or not (
                written == current
                or equal(values._kind(record, name), current, written)
            ):
                changed.append(record.id)
        changed = records.browse(changed)
        return changed - self.env["sync.write.hook"]._being_created(changed)

    @api.model
    def _refuse_blocked(self, violations, vals, source):
        blocked = [one for one in violations if one.outcome is Outcome.BLOCKED]
        if not blocked:
            return
        self.env["sync.policy.hit"]._count_refused(
            [(one.rules, one.rule.field) for one in blocked], source
        )
        message = "\n".join(
            self._message(one.records._name, one.rules, one.rule) for one in blocked
        )
        self._offer_override(blocked, vals, message, source)
        raise UserError(message)

    @api.model
    def _offer_override(self, blocked, vals, message, source):
        """Refuse with a button for who may override, and changed one record by hand."""
        records = blocked[0].records.union(*(one.records for one in blocked))
        wizard = self.env["sync.policy.override"]
        if (
            source.channel is not Channel.UI
            or source.superuser
            or len(records) != 1
            or not wizard._may_override(records)
        ):
            return
        tool = self.env["sync.field.value"]
        values = {
            one.rule.field: tool._written(records, one.rule.field, vals[one.rule.field])
            for one in blocked
        }
        raise RedirectWarning(
            message,
            self.env.ref("sync_governance_base.sync_policy_override_action").id,
            self.env._("Override the Policy"),
            wizard._context_of(records, values),
        )

    @api.model
    def _settle(self, violations, vals, source) -> dict:
        """Count what is let through, and turn what is proposed into change requests."""
        for one in violations:
            self.env["sync.policy.hit"]._count(
                one.rules, one.rule.field, source, one.outcome
            )
        if source.channel is Channel.UI:
            self._tell([one for one in violations if one.outcome is Outcome.WARNED])
        proposed = [one for one in violations if one.outcome is Outcome.PROPOSED]
        if not proposed:
            return vals
        self.env["sync.change.request"]._propose(proposed, vals, source)
        names = {one.rule.field for one in proposed}
        return {name: value for name, value in vals.items() if name not in names}

    @api.model
    def _tell(self, violations):
        """Tell the person at the screen about writes let through with a warning."""
        for one in violations:
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "warning",
                    "title": self.env._("Not the system of record"),
                    "message": self._message(one.records._name, one.rules, one.rule),
                },
            )

    @api.model
    def _enforce_archive(self, records, vals, source):
        """Archiving is deleting where only owners may delete."""
        if vals.get("active", True):
            return
        for rules, group in self._rules_of(records):
            if rules.on_delete == "refuse" and any(group.sudo().mapped("active")):
                self._enforce_record(rules, group, DELETION, source)

    @api.model
    def _enforce_create(self, model, vals_list):
        """Refuse records that only an owner may create."""
        source = None
        for rules in self._creation_rules(model, vals_list):
            source = source or self.env["sync.system"]._current_source()
            self._enforce_record(rules, model, CREATION, source)
        return vals_list

    @api.model
    def _creation_rules(self, model, vals_list):
        companies = self.env.company
        if "company_id" in model._fields and self._differs_by_company():
            ids = {vals.get("company_id") for vals in vals_list}
            companies = companies.browse(one or self.env.company.id for one in ids)
        for company in companies:
            rules = self._rules_in_force(model._name, company)
            if rules and rules.create_refused:
                yield rules

    @api.model
    def _enforce_unlink(self, records):
        """The records that may be deleted; others are archived, or refuse.

        :raise UserError: when only an owner may delete
        """
        if not records:
            return records
        source = self.env["sync.system"]._current_source()
        kept = records.browse()
        for rules, group in self._rules_of(records):
            if rules.on_delete == "refuse":
                self._enforce_record(rules, group, DELETION, source)
            elif rules.on_delete == "archive" and self._archives(rules, group, source):
                kept |= group
        return records - kept

    @api.model
    def _archives(self, rules, records, source) -> bool:
        """Archive instead of deleting, unless the source owns or cannot be bound."""
        outcome = decide_record(rules, source)
        self.env["sync.policy.hit"]._count(rules, DELETION, source, outcome)
        if outcome is not Outcome.BLOCKED or "active" not in records._fields:
            return False
        records.write({"active": False})
        return True

    @api.model
    def _enforce_record(self, rules, records, what, source):
        outcome = decide_record(rules, source)
        hits = self.env["sync.policy.hit"]
        if outcome is not Outcome.BLOCKED:
            hits._count(rules, what, source, outcome)
            return
        hits._count_refused([(rules, what)], source)
        owners = (
            self.env["sync.system"]
            .sudo()
            .search([("code", "in", list(rules.owner_codes))])
        )
        messages = {
            CREATION: self.env._(
                "Only %(owners)s may create records of %(model)s (policy “%(policy)s”)."
                " Create it there; it will come to Odoo by itself.",
                owners=", ".join(owners.mapped("name")),
                model=self.env["ir.model"]._get(records._name).sudo().name,
                policy=rules.name,
            ),
            DELETION: self.env._(
                "Only %(owners)s may delete or archive records of %(model)s (policy"
                " “%(policy)s”). Delete it there, or ask a steward.",
                owners=", ".join(owners.mapped("name")),
                model=self.env["ir.model"]._get(records._name).sudo().name,
                policy=rules.name,
            ),
        }
        raise UserError(messages[what])

    # ------------------------------------------------------------------
    # On the screen
    # ------------------------------------------------------------------

    @api.model
    def _explanations(self, model_name) -> dict[str, str]:
        """For each owned field, a sentence that names its owner and policy."""
        if not self._watched_names(model_name):
            return {}
        rules = self._rules_in_force(model_name, self.env.company)
        if not rules:
            return {}
        return {
            name: self.env._(
                "System of record: %(owner)s (policy “%(policy)s”).",
                owner=self._owner_names(rule),
                policy=rules.name,
            )
            for name, rule in rules.fields.items()
            if rule.owners
        }

    @api.model
    def _readonly_condition(self, model_name, field_name) -> str | None:
        """Python expression under which people cannot change the field in a view."""
        if not model_name or field_name not in self._watched_names(model_name):
            return None
        rules = self._rules_in_force(model_name, self.env.company)
        rule = rules and rules.fields.get(field_name)
        if not rule or not rule.owners or ODOO_CODE in rule.owner_codes:
            return None
        person = Source(Channel.UI)
        if sanction(rules, rule.enforcement, person) is not Outcome.BLOCKED:
            return None
        return "1" if rules.create_refused else "id"
