from collections import defaultdict
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools.merge3 import equal
from ..tools.policy import (
    Enforcement,
    FieldRule,
    Outcome,
    PolicyRules,
    decide,
    decide_record,
    sanction,
)
from ..tools.source import ODOO_CODE, Channel, Source

ENFORCEMENTS = [
    (Enforcement.OBSERVE.value, "Observe: count only"),
    (Enforcement.WARN.value, "Warn: let through and tell"),
    (Enforcement.PROPOSE.value, "Propose: make it a change request"),
    (Enforcement.BLOCK.value, "Block: refuse"),
]
CREATION = "(create)"
DELETION = "(delete)"
_SEVERITY = list(Outcome)
_LIFE_CYCLE = {"state", "version", "previous_id", "submitter_id", "approver_id"}


class Decision(NamedTuple):
    """What the policy in force says about one field and one source."""

    outcome: Outcome
    owner_codes: tuple[str, ...]
    policy_id: int | None
    field: str
    message: str = ""


class Violation(NamedTuple):
    """A write to a governed field by a source whose turn it is not."""

    outcome: Outcome
    rules: PolicyRules
    rule: FieldRule
    records: models.BaseModel


class SyncPolicy(models.Model):
    """Who owns the fields of a model, and what happens when somebody else changes them.

    A policy in force is never edited: a change is a new version, which replaces it.
    """

    _name = "sync.policy"
    _description = "Ownership Policy"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "model_id, company_id, version desc"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    domain_id = fields.Many2one("sync.domain", tracking=True)
    model_id = fields.Many2one(
        "ir.model",
        required=True,
        ondelete="cascade",
        domain=[("transient", "=", False), ("abstract", "=", False)],
    )
    model_name = fields.Char(
        related="model_id.model", store=True, index=True, string="Technical Model"
    )
    company_id = fields.Many2one(
        "res.company", help="Empty: every company without its own policy."
    )
    version = fields.Integer(default=1, required=True, readonly=True, copy=False)
    previous_id = fields.Many2one(
        "sync.policy", string="Changes", readonly=True, copy=False
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("in_review", "In Review"),
            ("approved", "Approved"),
            ("active", "Active"),
            ("superseded", "Superseded"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    enforcement = fields.Selection(
        ENFORCEMENTS, required=True, default="observe", tracking=True
    )
    su_mode = fields.Selection(
        [("observe", "Count only"), ("block", "Bind like everybody")],
        string="Superuser Writes",
        required=True,
        default="observe",
        tracking=True,
        help="Odoo's own flows write with access rights off."
        " Binding them may stop such flows.",
    )
    on_create = fields.Selection(
        [("allow", "Everybody"), ("refuse", "Owners only")],
        string="Who May Create",
        required=True,
        default="allow",
    )
    on_delete = fields.Selection(
        [
            ("propagate", "Allowed, and sent on"),
            ("archive", "Archives instead"),
            ("refuse", "Owners only"),
        ],
        string="Deleting",
        required=True,
        default="propagate",
    )
    direction = fields.Selection(
        [
            ("in", "Into Odoo"),
            ("out", "Out of Odoo"),
            ("both", "Both ways"),
            ("none", "None"),
        ],
        required=True,
        default="both",
    )
    timing = fields.Selection(
        [
            ("realtime", "Real time"),
            ("micro_batch", "Small batches"),
            ("scheduled", "On schedule"),
            ("on_demand", "On demand"),
        ],
        required=True,
        default="realtime",
    )
    max_latency_s = fields.Integer(string="Promised Latency (s)", default=60)
    window_from = fields.Float(help="Scheduled exchanges run from this hour on.")
    window_to = fields.Float(default=24.0)
    effective_from = fields.Date(tracking=True)
    effective_to = fields.Date(tracking=True)
    line_ids = fields.One2many(
        "sync.policy.field", "policy_id", string="Fields", copy=True
    )
    hit_ids = fields.One2many("sync.policy.hit", "policy_id")
    hit_count = fields.Integer(string="Writes in 7 Days", compute="_compute_hit_count")
    stopped_count = fields.Integer(
        string="Stopped in 7 Days", compute="_compute_hit_count"
    )
    submitter_id = fields.Many2one("res.users", readonly=True, copy=False)
    approver_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    difference = fields.Html(compute="_compute_difference", string="What Changes")
    impact = fields.Html(
        compute="_compute_impact",
        help="What this version would have done to the writes of the last seven days.",
    )

    _active_unique = models.UniqueIndex(
        "(model_id, COALESCE(company_id, 0)) WHERE state = 'active'",
        "Another policy of this model has just become active. Look at it first.",
    )

    # ------------------------------------------------------------------
    # Computed
    # ------------------------------------------------------------------

    @api.depends("name", "version", "company_id")
    def _compute_display_name(self):
        for policy in self:
            name = f"{policy.name} v{policy.version}"
            policy.display_name = (
                f"{name} ({policy.company_id.name})" if policy.company_id else name
            )

    def _compute_hit_count(self):
        since = fields.Date.subtract(fields.Date.today(), days=7)
        groups = self.env["sync.policy.hit"]._read_group(
            [("policy_id", "in", self.ids), ("day", ">", since)],
            ["policy_id", "outcome"],
            ["count:sum"],
        )
        totals, stopped = defaultdict(int), defaultdict(int)
        for policy, outcome, count in groups:
            totals[policy.id] += count
            if outcome in (Outcome.PROPOSED.value, Outcome.BLOCKED.value):
                stopped[policy.id] += count
        for policy in self:
            policy.hit_count = totals[policy.id]
            policy.stopped_count = stopped[policy.id]

    @api.depends(
        "previous_id", "line_ids", "enforcement", "su_mode", "on_create", "on_delete"
    )
    def _compute_difference(self):
        for policy in self:
            changes = policy._changes()
            items = Markup().join(Markup("<li>%s</li>") % change for change in changes)
            policy.difference = Markup("<ul>%s</ul>") % items if changes else False

    @api.depends("line_ids", "enforcement", "su_mode")
    def _compute_impact(self):
        """A dry run on the writes counted under any version of this policy."""
        for policy in self:
            cells = [
                Markup(
                    "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>"
                )
                % row
                for row in policy._impact_rows()
            ]
            header = Markup(
                "<tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr>"
            ) % (
                self.env._("Field"),
                self.env._("Written by"),
                self.env._("Way in"),
                self.env._("Writes"),
                self.env._("Would be"),
            )
            table = Markup('<table class="table table-sm">%s%s</table>')
            policy.impact = table % (header, Markup().join(cells)) if cells else False

    def _impact_rows(self) -> list[tuple]:
        """Field, writer, way in, writes and outcome; what would be stopped first."""
        self.ensure_one()
        rules = self._to_rules()
        hits = self.env["sync.policy.hit"]
        since = fields.Date.subtract(fields.Date.today(), days=7)
        groups = hits._read_group(
            [
                ("day", ">", since),
                ("policy_id", "in", self.search(self._sibling_domain()).ids),
                ("field_name", "in", list(rules.fields)),
            ],
            ["field_name", "channel", "system_id", "user_id", "superuser"],
            ["count:sum"],
        )
        channels = dict(hits._fields["channel"]._description_selection(self.env))
        outcomes = dict(hits._fields["outcome"]._description_selection(self.env))
        rows = []
        for name, channel, system, user, superuser, count in groups:
            # systems' and users' names explain the figures to whoever may see them
            source = Source(
                Channel(channel),
                system_code=system.sudo().code or None,
                superuser=superuser,
            )
            outcome = decide(rules, rules.fields[name], source)
            writer = system.sudo().name or user.sudo().name or ""
            label = self._label(self.model_name, name)
            rows.append((outcome, (label, writer, channels[channel], count)))
        rows.sort(key=lambda row: (-_SEVERITY.index(row[0]), -row[1][3]))
        return [(*row, outcomes[outcome.value]) for outcome, row in rows]

    def _changes(self) -> list[str]:
        """One sentence for each difference from the version this one changes."""
        self.ensure_one()
        before = self.previous_id
        if not before:
            return []
        changes = []
        for name in (
            "enforcement",
            "su_mode",
            "on_create",
            "on_delete",
            "direction",
            "timing",
        ):
            field = self._fields[name]
            labels = dict(field._description_selection(self.env))
            if self[name] != before[name]:
                changes.append(
                    self.env._(
                        "%(setting)s: %(before)s → %(after)s",
                        setting=field._description_string(self.env),
                        before=labels[before[name]],
                        after=labels[self[name]],
                    )
                )
        return changes + self._line_changes(before)

    def _line_changes(self, before) -> list[str]:
        old = {line.field_id: line for line in before.line_ids}
        new = {line.field_id: line for line in self.line_ids}
        changes = []
        for field in sorted(
            old.keys() | new.keys(), key=lambda field: field.name or ""
        ):
            descriptions = [
                lines[field]._describe()
                if field in lines
                else self.env._("not governed")
                for lines in (old, new)
            ]
            if descriptions[0] != descriptions[1]:
                changes.append(
                    self.env._(
                        "%(field)s: %(before)s → %(after)s",
                        field=field.field_description,
                        before=descriptions[0],
                        after=descriptions[1],
                    )
                )
        return changes

    # ------------------------------------------------------------------
    # Constraints and CRUD
    # ------------------------------------------------------------------

    @api.constrains("effective_from", "effective_to")
    def _check_effective(self):
        for policy in self:
            if (
                policy.effective_from
                and policy.effective_to
                and policy.effective_to < policy.effective_from
            ):
                raise ValidationError(
                    self.env._("A policy cannot end before it begins.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_life_cycle(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_life_cycle(vals)
        if any(name in self._fields and self._fields[name].copy for name in vals):
            self._check_editable()
        return super().write(vals)

    @api.model
    def _check_life_cycle(self, vals):
        """A version moves on through its buttons only, which check who presses them."""
        if not self.env.su and not _LIFE_CYCLE.isdisjoint(vals):
            raise AccessError(
                self.env._("Use the buttons to move a policy to another state.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_in_draft(self):
        self._check_editable()

    def _check_editable(self):
        for policy in self:
            if policy.state not in ("draft", "in_review"):
                raise UserError(
                    self.env._(
                        "%(policy)s is no longer a draft."
                        " Make a new version to change it.",
                        policy=policy.display_name,
                    )
                )

    # ------------------------------------------------------------------
    # Life cycle
    # ------------------------------------------------------------------

    def action_submit(self):
        """Ask for a review."""
        for policy in self:
            policy._check_state("draft")
            policy._check_ready()
        self._move({"state": "in_review", "submitter_id": self.env.uid})

    def action_back_to_draft(self):
        """Take it back, or send it back, for more work."""
        for policy in self:
            policy._check_state("in_review", "approved")
        self._move({"state": "draft", "submitter_id": False, "approver_id": False})

    def action_approve(self):
        """Approve the version; its author cannot."""
        self._check_approver()
        for policy in self:
            policy._check_state("in_review")
            if self.env.user in policy.submitter_id | policy.create_uid:
                raise UserError(
                    self.env._(
                        "You wrote or submitted %(policy)s."
                        " Somebody else has to approve it.",
                        policy=policy.display_name,
                    )
                )
        # approving is not editing: approvers need no right to write policies
        self.sudo().write({"state": "approved", "approver_id": self.env.uid})

    def action_activate(self):
        """Put the version in force and supersede the one before.

        Only approved versions can be; data files and code with all rights may go
        straight from draft.
        """
        for policy in self:
            states = (
                ("draft", "in_review", "approved") if self.env.su else ("approved",)
            )
            policy._check_state(*states)
            policy._check_ready()
            policy._in_force_now()._move({"state": "superseded"})
            policy.flush_model(["state"])
            policy._move({"state": "active"})
            policy.flush_model(["state"])
        self.env["sync.write.hook"]._sync_refresh_hooks()

    def action_deactivate(self):
        """Take the policy out of force; nothing is governed until another one is."""
        for policy in self:
            policy._check_state("active")
        self._move({"state": "superseded"})
        self.env["sync.write.hook"]._sync_refresh_hooks()

    def action_new_version(self):
        """Draft the next version and open it."""
        draft = self._new_version()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "view_mode": "form",
        }

    def _new_version(self):
        """The draft of the next version: a new one unless there is one already."""
        self.ensure_one()
        siblings = self.search(self._sibling_domain())
        if draft := siblings.filtered(lambda policy: policy.state == "draft")[:1]:
            return draft
        # the life cycle's fields are the machinery's; the author may write policies
        self.check_access("write")
        draft = self.sudo().copy(
            {
                "name": self.name,
                "version": max(siblings.mapped("version")) + 1,
                "previous_id": self.id,
                "effective_from": False,
                "effective_to": False,
            }
        )
        return draft.with_env(self.env)

    @api.model
    def _draft_owners(self, model_name, company, domain, owners):
        """A draft in which the fields have the given owners; the rest is as in force.

        :param owners: system by ``ir.model.fields`` record
        """
        model = self.env["ir.model"]._get(model_name)
        policies = self.search(
            [("model_id", "=", model.id), ("company_id", "=", company.id)]
        )
        active = policies.filtered(lambda policy: policy.state == "active")
        draft = policies.filtered(lambda policy: policy.state == "draft")[:1]
        if not draft:
            draft = (
                active._new_version()
                if active
                else self.create(
                    {
                        "name": domain.name or model.name,
                        "model_id": model.id,
                        "company_id": company.id,
                        "domain_id": domain.id,
                    }
                )
            )
        for field, owner in owners.items():
            line = draft.line_ids.filtered(
                lambda one, field=field: one.field_id == field
            )
            if line:
                line.owner_system_id = owner
            else:
                draft.line_ids = [
                    fields.Command.create(
                        {"field_id": field.id, "owner_system_id": owner.id}
                    )
                ]
        return draft

    def _sibling_domain(self):
        return [
            ("model_id", "=", self.model_id.id),
            ("company_id", "=", self.company_id.id),
        ]

    def _in_force_now(self):
        """The active version that this one replaces."""
        return self.search([*self._sibling_domain(), ("state", "=", "active")]) - self

    def _move(self, values):
        """Change the life cycle's fields, for whoever may write the policy."""
        self.check_access("write")
        self.sudo().write(values)

    def _check_approver(self):
        approvers = (
            "sync_governance_base.group_sync_board_member",
            "sync_governance_base.group_sync_steward",
            "sync_governance_base.group_sync_integration_manager",
        )
        if not self.env.su and not any(
            self.env.user.has_group(group) for group in approvers
        ):
            raise AccessError(
                self.env._(
                    "Board members, stewards and integration managers approve policies."
                )
            )

    def _check_state(self, *states):
        self.ensure_one()
        if self.state not in states:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(policy)s is %(state)s; this needs %(needed)s.",
                    policy=self.display_name,
                    state=labels[self.state],
                    needed=" / ".join(labels[state] for state in states),
                )
            )

    def _check_ready(self):
        """Refuse a policy under which nobody could change a field any more."""
        self.ensure_one()
        if not self.line_ids:
            raise UserError(
                self.env._("%(policy)s governs no field.", policy=self.display_name)
            )
        for line in self.line_ids:
            owners = line._ranked_systems()
            if owners and all(
                owner.state == "retired" or not owner.active for owner in owners
            ):
                raise UserError(
                    self.env._(
                        "%(field)s would be locked: its owner %(owner)s is retired.",
                        field=line.field_id.field_description,
                        owner=", ".join(owners.mapped("name")),
                    )
                )
            outside = owners.filtered(lambda owner: owner.code != ODOO_CODE)
            if owners and outside == owners and self.direction in ("out", "none"):
                raise UserError(
                    self.env._(
                        "%(field)s would be locked: its owner %(owner)s"
                        " may not write while"
                        " the direction is not into Odoo.",
                        field=line.field_id.field_description,
                        owner=", ".join(owners.mapped("name")),
                    )
                )

    @api.model
    def _cron_effective(self):
        """Put approved versions in force on their day, end those whose time is over."""
        today = fields.Date.today()
        due = self.search([("state", "=", "approved"), ("effective_from", "<=", today)])
        due.action_activate()
        over = self.search([("state", "=", "active"), ("effective_to", "<", today)])
        over.action_deactivate()

    # ------------------------------------------------------------------
    # Rules in force, cached
    # ------------------------------------------------------------------

    @api.model
    def _hooked_models(self) -> dict[str, set[str]]:
        """The models that the active policies want hooked."""
        names = self.sudo().search([("state", "=", "active")]).mapped("model_name")
        return {name: {"create", "write", "unlink"} for name in names}

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
        return self.env[model_name]._fields[field_name]._description_string(self.env)

    @api.model
    def _owner_names(self, rule) -> str:
        systems = self.env["sync.system"].sudo()
        return systems.browse(owner.system_id for owner in rule.owners[:1]).name or ""

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
        self._refuse_blocked(records._name, violations, source)
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
        worst = max(outcomes.values(), key=_SEVERITY.index)
        if worst is Outcome.ALLOWED:
            return worst, records
        culprits = records.filtered(lambda record: outcomes[record] is worst)
        return worst, self._changed(culprits, rule.field, value)

    @api.model
    def _changed(self, records, name, value):
        """The records on which the value would change the field."""
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
        return records.browse(changed)

    @api.model
    def _refuse_blocked(self, model_name, violations, source):
        blocked = [one for one in violations if one.outcome is Outcome.BLOCKED]
        if blocked:
            self.env["sync.policy.hit"]._count_refused(
                [(one.rules, one.rule.field) for one in blocked], source
            )
            raise UserError(
                "\n".join(
                    self._message(model_name, one.rules, one.rule) for one in blocked
                )
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
