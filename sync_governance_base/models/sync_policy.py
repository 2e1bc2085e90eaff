from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools.policy import Enforcement, Outcome
from ..tools.ranking import toggle_owner
from ..tools.source import ODOO_CODE

ENFORCEMENTS = [
    (Enforcement.OBSERVE.value, "Observe: count only"),
    (Enforcement.WARN.value, "Warn: let through and tell"),
    (Enforcement.PROPOSE.value, "Propose: make it a change request"),
    (Enforcement.BLOCK.value, "Block: refuse"),
]
_LIFE_CYCLE = {
    "state",
    "version",
    "previous_id",
    "author_ids",
    "submitter_id",
    "approver_id",
    "sampling_until",
}


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
        string="Odoo's Own Writes",
        required=True,
        default="observe",
        tracking=True,
        help="What Odoo writes with access rights off, and in its own flows"
        " (confirming, validating, posting). Binding it may stop such flows.",
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
    author_ids = fields.Many2many(
        "res.users",
        string="Authors",
        readonly=True,
        copy=False,
        help="Whoever worked on this version; none of them approves it.",
    )
    submitter_id = fields.Many2one("res.users", readonly=True, copy=False)
    approver_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    difference = fields.Html(compute="_compute_difference", string="What Changes")

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
        "previous_id",
        "line_ids",
        "enforcement",
        "su_mode",
        "on_create",
        "on_delete",
        "direction",
        "timing",
        "max_latency_s",
        "batch_interval_s",
        "calendar_id",
    )
    def _compute_difference(self):
        for policy in self:
            changes = policy._changes()
            items = Markup().join(Markup("<li>%s</li>") % change for change in changes)
            policy.difference = Markup("<ul>%s</ul>") % items if changes else False

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
            "max_latency_s",
            "batch_interval_s",
            "calendar_id",
        ):
            field = self._fields[name]
            if self[name] != before[name]:
                changes.append(
                    self.env._(
                        "%(setting)s: %(before)s → %(after)s",
                        setting=field._description_string(self.env),
                        before=before._spelled(field) or "–",
                        after=self._spelled(field) or "–",
                    )
                )
        return changes + self._line_changes(before)

    def _spelled(self, field) -> str:
        if field.type == "selection":
            return dict(field._description_selection(self.env))[self[field.name]]
        return field.convert_to_export(self[field.name], self)

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
        policies = super().create(vals_list)
        policies._note_author()
        return policies

    def write(self, vals):
        self._check_life_cycle(vals)
        if any(name in self._fields and self._fields[name].copy for name in vals):
            self._note_edit()
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

    def _note_edit(self):
        """Refuse to edit what is no longer a draft; else remember who edits it.

        :raise UserError: if a version is not being worked on any more
        """
        self._check_editable()
        self._note_author()

    def _note_author(self):
        user = self.env.user
        # whoever works on a version cannot keep out of its list of authors
        self.sudo().filtered(lambda policy: user not in policy.author_ids).write(
            {"author_ids": [fields.Command.link(user.id)]}
        )

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
        return self._move({"state": "in_review", "submitter_id": self.env.uid})

    def action_back_to_draft(self):
        """Take it back, or send it back, for more work."""
        for policy in self:
            policy._check_state("in_review", "approved")
        return self._move(
            {"state": "draft", "submitter_id": False, "approver_id": False}
        )

    def action_approve(self):
        """Approve the version; its author cannot."""
        self._check_approver()
        for policy in self:
            policy._check_state("in_review")
            if self.env.user in policy.submitter_id | policy.author_ids:
                raise UserError(
                    self.env._(
                        "You wrote or submitted %(policy)s."
                        " Somebody else has to approve it.",
                        policy=policy.display_name,
                    )
                )
        # approving is not editing: approvers need no right to write policies
        return self.sudo().write({"state": "approved", "approver_id": self.env.uid})

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
            replaced = policy._in_force_now()
            replaced._move({"state": "superseded"})
            policy.flush_model(["state"])
            policy._move({"state": "active"})
            policy.flush_model(["state"])
            policy._audit("policy.activated", replaced)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return True

    def action_deactivate(self):
        """Take the policy out of force; nothing is governed until another one is."""
        for policy in self:
            policy._check_state("active")
        self._move({"state": "superseded"})
        for policy in self:
            policy._audit("policy.deactivated", policy)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return True

    def _audit(self, action, replaced):
        """Put into the audit trail which rules no longer hold, and which do now."""
        rules = {
            line.field_id.field_description: line._describe() for line in self.line_ids
        }
        self.env["sync.audit"]._log(
            action,
            record=self,
            before={"version": replaced.display_name} if replaced else None,
            after={"version": self.display_name, **rules}
            if action == "policy.activated"
            else None,
        )

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
        draft = self._draft_for(model_name, company, domain)
        for field, owner in owners.items():
            ranking = draft._ranking(field)
            if ranking[:1] != (owner.id,):
                draft._rank(field, toggle_owner(ranking, owner.id))
        return draft

    @api.model
    def _draft_for(self, model_name, company, domain):
        """The draft that changes a model's policy in a company, made if there is none.

        :param company: empty for the policy of all companies
        :param domain: of a model's first policy
        """
        model = self.env["ir.model"]._get(model_name)
        policies = self.search(
            [("model_id", "=", model.id), ("company_id", "=", company.id)]
        )
        if draft := policies.filtered(lambda policy: policy.state == "draft")[:1]:
            return draft
        if active := policies.filtered(lambda policy: policy.state == "active"):
            return active._new_version()
        return self.create(
            {
                "name": domain.name or model.name,
                "model_id": model.id,
                "company_id": company.id,
                "domain_id": domain.id,
            }
        )

    def _ranking(self, field) -> tuple[int, ...]:
        """Ids of the systems that may write a field, best first."""
        line = self.line_ids.filtered(lambda one: one.field_id == field)
        return tuple(line._ranked_systems().ids) if line else ()

    def _rank(self, field, system_ids):
        """Rank the owners of a field anew, best first; the field becomes governed."""
        line = self.line_ids.filtered(lambda one: one.field_id == field)
        if not line:
            line = line.create({"policy_id": self.id, "field_id": field.id})
        line._rank(system_ids)

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
        return self.sudo().write(values)

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
