# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..tools import document, jsonbody, transform
from ..tools.instruction import IGNORE, PUT, Instruction
from ..tools.problem import Problem


class SyncMapping(models.Model):
    """How a system's message of one kind becomes a canonical body, or is made of one.

    draft → active → superseded: a version in force
    is not edited, the next one is drafted.
    """

    _name = "sync.mapping"
    _description = "Mapping"
    _inherit = ["sync.company.guard", "mail.thread", "sync.document.layout"]
    _order = "system_id, event_type, version desc"
    _rec_name = "event_type"
    _check_company_auto = True

    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="cascade", index=True, tracking=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    direction = fields.Selection(
        [("in", "From the system"), ("out", "To the system")],
        required=True,
        default="in",
        tracking=True,
        help="To the system: the rules read our canonical body and make the partner's"
        " message of it.",
    )
    event_type = fields.Char(
        string="Partner's Event",
        required=True,
        tracking=True,
        help="As the partner names it, such as orders/create. To the system: what a"
        " feed calls it, or the event of ours that subscriptions send so, such as"
        " order.confirmed.",
    )
    resource = fields.Selection("_selection_resource", required=True, tracking=True)
    operation = fields.Char(
        required=True,
        default=PUT,
        tracking=True,
        help="put: create the record, or change what is there; or the name of"
        " one of the"
        " resource's transitions, such as confirm; ignore: the message is taken and"
        " nothing is done.",
    )
    ignore_reason = fields.Text(
        string="Why It Is Ignored",
        tracking=True,
        help="Shown on each message that is ignored.",
    )
    external_id_expression = fields.Char(
        string="Record's Id",
        required=True,
        default="id",
        help="JMESPath of the partner's id of the record.",
    )
    version = fields.Integer(default=1, required=True, readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("superseded", "Superseded")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    line_ids = fields.One2many(
        "sync.mapping.line", "mapping_id", string="Rules", copy=True
    )
    sample = fields.Text(
        string="Message to Try", copy=False, help="A message of the partner, as JSON."
    )
    sample_body = fields.Text(string="Canonical Body", compute="_compute_trial")
    sample_trace = fields.Html(string="Trace", compute="_compute_trial")
    uncovered = fields.Char(
        string="Required, not Mapped",
        compute="_compute_uncovered",
        help="Members that the contract requires and that no rule fills.",
    )

    _active_unique = models.UniqueIndex(
        "(system_id, direction, event_type) WHERE state = 'active'",
        "Another version of this mapping is active.",
    )

    @api.model
    def _selection_resource(self):
        return [
            (name, name) for name in sorted(self.env["sync.resource"]._model_names())
        ]

    @api.depends("sample", "external_id_expression", "line_ids.expression")
    def _compute_trial(self):
        for mapping in self:
            mapping.sample_body, mapping.sample_trace = mapping._try_sample()

    @api.depends(
        "direction", "resource", "operation", "line_ids.target", "line_ids.default"
    )
    def _compute_uncovered(self):
        for mapping in self:
            missing = mapping._required_members() if mapping.direction == "in" else ()
            mapping.uncovered = ", ".join(missing) or False

    def _ignores(self):
        """Whether messages of the kind are taken, and nothing is done."""
        return self.operation == IGNORE

    def _contract_members(self):
        """Members of the body that the operation takes."""
        if self._ignores():
            return ()
        resource = self.env["sync.resource"]._get(self.resource or "")
        if resource is None or not hasattr(resource, "_transition_members"):
            return ()
        return resource._transition_members().get(self.operation, resource._members())

    def _required_members(self):
        """Required members of the contract that no rule fills."""
        targets = self.line_ids.mapped("target")
        return [
            member.path
            for member in self._contract_members()
            if member.required
            and not member.readonly
            and member.path != "external_id"
            and not any(
                target
                and (target + ".").startswith((f"{member.path}.", f"{member.path}[]"))
                for target in targets
            )
        ]

    @api.constrains("operation", "resource", "direction", "ignore_reason")
    def _check_operation(self):
        for mapping in self:
            resource = self.env["sync.resource"]._get(mapping.resource)
            known = {PUT, IGNORE, *resource._resource_transitions()}
            if mapping.direction == "out":
                known = {PUT}
            if mapping.operation not in known:
                raise ValidationError(
                    self.env._(
                        "%(resource)s knows these operations: %(known)s.",
                        resource=mapping.resource,
                        known=", ".join(sorted(known)),
                    )
                )
            if mapping._ignores() and not mapping.ignore_reason:
                raise ValidationError(
                    self.env._("Say why messages %s are ignored.", mapping.event_type)
                )

    @api.constrains("external_id_expression")
    def _check_expression(self):
        for mapping in self:
            mapping.line_ids._check_jmespath(mapping.external_id_expression)

    def write(self, vals):
        if not vals.keys() <= {"sample", "state"}:
            self._check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        self._check_editable()

    def _check_editable(self):
        for mapping in self:
            if mapping.state != "draft":
                raise UserError(
                    self.env._(
                        "%s is in force or was: draft a new version to change it.",
                        mapping.display_name,
                    )
                )

    # -- life cycle ------------------------------------------------------------------

    def action_activate(self):
        """Put the version in force, in place of the one before."""
        for mapping in self:
            mapping._siblings().filtered(
                lambda one: one.state == "active"
            ).state = "superseded"
            mapping.flush_model(["state"])
            mapping.state = "active"
        # From here on the rules are kept, see _plan().
        self.env.registry.clear_cache()

    def action_new_version(self):
        """Draft the next version and open it."""
        self.ensure_one()
        version = max(self._siblings().mapped("version"), default=self.version)
        draft = self.copy(
            {"version": max(version, self.version) + 1, "sample": self.sample}
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "views": [(False, "form")],
        }

    def _siblings(self):
        return self.search(
            [
                ("system_id", "=", self.system_id.id),
                ("direction", "=", self.direction),
                ("event_type", "=", self.event_type),
                ("id", "!=", self.id),
            ]
        )

    # -- application -----------------------------------------------------------------

    @api.model
    def _of(self, system, event_type, direction="in"):
        """The mapping in force for a message, or empty."""
        return self.search(
            [
                ("system_id", "=", system.id),
                ("direction", "=", direction),
                ("event_type", "=", event_type),
                ("state", "=", "active"),
            ],
            limit=1,
        )

    def _map(self, message):
        """Apply the rules. :return: ``transform.Mapped``"""
        self.ensure_one()
        plan = self._draft_plan() if self.state == "draft" else self._plan()
        return transform.apply(plan, message, self._lookups())

    @tools.ormcache("self.id")
    def _plan(self):
        """The rules of a version in force, which nobody edits, made ready once for all
        messages that come."""
        return self._draft_plan()

    def _draft_plan(self):
        return transform.plan([line._rule() for line in self.line_ids])

    def _lookups(self):
        system = self.system_id
        values = self.env["sync.value.map"]
        records = self.env["sync.mapping.lookup"]
        translate = values._translate
        if self.direction == "out":
            translate = values._translate_back
        return transform.Lookups(
            lambda kind, value: translate(system, kind, value),
            lambda argument, value: records._name_of(system, argument, value),
        )

    def _instruction(self, message):
        """What a message asks for.

        Values that a value map misses become work for the steward.

        :return: ``Instruction``
        :raise Problem: 422 with each fault; code
            ``unmapped_value`` when only values miss
        """
        if self._ignores():
            return Instruction(self.resource, IGNORE, "", {})
        mapped = self._map(message)
        self.env["sync.value.map"]._collect(self.system_id, mapped.unmapped)
        self._check_mapped(mapped)
        external_id = self._external_id(message)
        return Instruction(self.resource, self.operation, external_id, mapped.body)

    def _render(self, body):
        """The partner's message of a canonical body.

        :raise Problem: 422 as above
        """
        mapped = self._map(body)
        self._check_mapped(mapped)
        return mapped.body

    def _render_rows(self, body):
        """The rows of a table that a canonical body becomes, all with all columns."""
        targets = [line.target.partition("[].") for line in self.line_ids]
        columns = [inner or outer for outer, _, inner in targets if outer[-2:] != "[]"]
        return document.flat_rows(self._render(body), columns)

    def _check_mapped(self, mapped):
        if mapped.faults:
            problem = Problem.invalid(mapped.faults)
            if {code for _pointer, _text, code in mapped.faults} == {"unmapped_value"}:
                problem.code = "unmapped_value"
            raise problem

    def _external_id(self, message):
        found = transform.compiled(self.external_id_expression).search(message)
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            raise Problem.invalid(
                [("", self.env._("The message does not name its record."), "required")]
            )
        return str(found)

    # -- trial -----------------------------------------------------------------------

    def _try_sample(self):
        """``(body, trace as HTML)`` of the message to try; nothing is written."""
        if not self.sample:
            return False, False
        try:
            message = jsonbody.parse(self.sample.encode())
        except Problem as problem:
            return problem.detail, False
        mapped = self._map(message)
        body = json.dumps(mapped.body, indent=2, ensure_ascii=False)
        return body, self._trace_table(mapped.trace)

    def _trace_table(self, trace):
        head = Markup("<tr>%s</tr>") % Markup("").join(
            Markup("<th>%s</th>") % title
            for title in (
                self.env._("Member"),
                self.env._("Found"),
                self.env._("Result"),
                self.env._("Fault"),
            )
        )
        rows = Markup("").join(
            Markup("<tr%s><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>")
            % (
                Markup(' class="text-danger"') if step.error else "",
                step.target,
                step.found,
                step.result,
                step.error,
            )
            for step in trace
        )
        return Markup('<table class="table table-sm">%s%s</table>') % (head, rows)
