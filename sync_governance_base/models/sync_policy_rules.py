from odoo import api, fields, models, tools

from ..tools.policy import (
    CREATION,
    DELETION,
    Decision,
    Enforcement,
    Outcome,
    PolicyRules,
    decide,
)


class SyncPolicy(models.Model):
    """What the policies in force say, cached in each worker."""

    _inherit = "sync.policy"

    # ------------------------------------------------------------------
    # Rules in force, cached
    # ------------------------------------------------------------------

    @api.model
    def _governed_models(self) -> set[str]:
        """The models that have an active policy."""
        # rules bind everybody, whoever may read policies
        return set(self.sudo().search([("state", "=", "active")]).mapped("model_name"))

    @api.model
    @tools.ormcache("model_name", "company_id")
    def _rules(self, model_name: str, company_id: int | None) -> PolicyRules | None:
        """The active policy of a company for a model, else the one of all companies."""
        # rules bind everybody, whoever may read policies
        policies = self.sudo().search(
            [
                ("state", "=", "active"),
                ("model_name", "=", model_name),
                ("company_id", "in", [company_id, False]),
            ]
        )
        policy = policies.filtered("company_id") or policies
        return policy._to_rules() if policy else None

    def _to_rules(self) -> PolicyRules:
        """This policy as the decision needs it."""
        return PolicyRules(
            policy_id=self.id,
            name=self.display_name,
            version=self.version,
            enforcement=Enforcement(self.enforcement),
            su_observes=self.su_mode == "observe",
            create_refused=self.on_create == "refuse",
            on_delete=self.on_delete,
            effective_from=self.effective_from or None,
            effective_to=self.effective_to or None,
            timing=self._to_timing(),
            fields={line.field_name: line._to_rule() for line in self.line_ids},
        )

    @api.model
    @tools.ormcache("model_name")
    def _watched_names(self, model_name: str) -> frozenset[str]:
        """The fields of a model that any active policy has something to say about."""
        policies = self.sudo().search(
            [("state", "=", "active"), ("model_name", "=", model_name)]
        )
        names = set(policies.line_ids.mapped("field_name"))
        if any(policy.on_delete == "refuse" for policy in policies):
            names.add("active")
        return frozenset(names)

    @api.model
    @tools.ormcache()
    def _differs_by_company(self) -> bool:
        """Whether some active policy is for one company only."""
        domain = [("state", "=", "active"), ("company_id", "!=", False)]
        return bool(self.sudo().search_count(domain, limit=1))

    @api.model
    def _rules_in_force(self, model_name: str, company) -> PolicyRules | None:
        rules = self._rules(model_name, company.id)
        return rules if rules and rules.in_force(fields.Date.today()) else None

    @api.model
    def _rules_of(self, records):
        """Pairs of rules and the records they bind, one for each company."""
        if "company_id" not in records._fields or not self._differs_by_company():
            groups = {self.env.company: records}
        else:
            groups = records.sudo().grouped(
                lambda record: record.company_id or self.env.company
            )
        for company, group in groups.items():
            if rules := self._rules_in_force(records._name, company):
                yield rules, group.with_env(records.env)

    # ------------------------------------------------------------------
    # Decision
    # ------------------------------------------------------------------

    @api.model
    def _decide(self, model_name, field_names, source, company) -> dict[str, Decision]:
        """What the policy in force says about each
        field, without doing anything about it.

        :param field_names: names of fields of the model
        :param Source source: who wants to write
        :param company: the company whose policy counts
        """
        rules = self._rules_in_force(model_name, company)
        return self._decide_by(model_name, rules, field_names, source)

    @api.model
    def _decide_by(self, model_name, rules, field_names, source):
        decisions = {}
        for name in field_names:
            rule = rules.fields.get(name) if rules else None
            outcome = decide(rules, rule, source) if rule else Outcome.ALLOWED
            message = ""
            if outcome is not Outcome.ALLOWED:
                message = self._message(model_name, rules, rule)
            decisions[name] = Decision(
                outcome,
                rule.owner_codes if rule else (),
                rules and rules.policy_id,
                name,
                message,
            )
        return decisions

    @api.model
    def _owners_of(self, record, field_names) -> dict[str, str]:
        """The names of the fields' systems of record, for a record's company."""
        owners = dict.fromkeys(field_names, "")
        for rules, _records in self._rules_of(record):
            for name in owners.keys() & rules.fields.keys():
                owners[name] = self._owner_names(rules.fields[name])
        return owners

    @api.model
    def _message(self, model_name, rules, rule) -> str:
        """One sentence: which field, whose it is, by which policy, and what to do."""
        return self.env._(
            "“%(field)s” of %(model)s is owned by %(owner)s (policy “%(policy)s”)."
            " Change it in %(owner)s, or ask a steward to override the policy.",
            field=self._label(model_name, rule.field),
            model=self.env["ir.model"]._get(model_name).sudo().name,
            owner=self._owner_names(rule),
            policy=rules.name,
        )

    @api.model
    def _label(self, model_name, field_name) -> str:
        """A field's name as people know it, also of one that is no longer there."""
        if field_name == CREATION:
            return self.env._("Creation")
        if field_name == DELETION:
            return self.env._("Deletion")
        model = self.env.get(model_name)
        field = None if model is None else model._fields.get(field_name)
        return field._description_string(self.env) if field else field_name

    @api.model
    def _owner_names(self, rule) -> str:
        systems = self.env["sync.system"].sudo()
        return systems.browse(owner.system_id for owner in rule.owners[:1]).name or ""
