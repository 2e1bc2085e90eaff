import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools import semver
from ..tools.schema_diff import Direction, SchemaError, Severity, diff, worst
from .sync_contract_diff import SEVERITIES, spell

SUNSET_DAYS = 180
_CONTENT = {"contract_id", "number", "schema_text", "previous_id"}
_VOTED_ON = _CONTENT | {"summary", "previous_sunset_date"}
_LIFE_CYCLE = {
    "state",
    "round",
    "author_ids",
    "submitted_at",
    "activated_at",
    "sunset_date",
}


class SyncContractVersion(models.Model):
    """One version of a contract's schema.

    draft → in review → approved → active → deprecated → retired. Content can be changed
    in a draft alone; every step is taken by a method of its own (:meth:`_advance`),
    never by writing the state.
    """

    _name = "sync.contract.version"
    _description = "Contract Version"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "contract_id, id desc"

    contract_id = fields.Many2one(
        "sync.contract", required=True, ondelete="restrict", index=True
    )
    number = fields.Char(required=True, string="Version", tracking=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("in_review", "In Review"),
            ("approved", "Approved"),
            ("active", "Active"),
            ("deprecated", "Deprecated"),
            ("retired", "Retired"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        index=True,
    )
    schema_text = fields.Text(string="JSON Schema", required=True)
    summary = fields.Text(help="Why it changes, for those who have to follow.")
    previous_id = fields.Many2one(
        "sync.contract.version",
        string="Compared With",
        readonly=True,
        ondelete="set null",
    )
    previous_schema_text = fields.Text(
        related="previous_id.schema_text", string="Before"
    )
    author_ids = fields.Many2many(
        "res.users",
        string="Authors",
        readonly=True,
        copy=False,
        help="They may not vote.",
    )
    diff_ids = fields.One2many(
        "sync.contract.diff", "version_id", string="Changes", copy=False
    )
    severity = fields.Selection(SEVERITIES, compute="_compute_severity", store=True)
    breaking_count = fields.Integer(compute="_compute_severity", store=True)
    ballot_ids = fields.One2many(
        "sync.ballot", "version_id", string="Ballots", copy=False
    )
    round = fields.Integer(readonly=True, copy=False)
    approvals = fields.Integer(compute="_compute_votes")
    approvals_needed = fields.Integer(compute="_compute_votes")
    may_vote = fields.Boolean(compute="_compute_votes")
    previous_sunset_date = fields.Date(
        string="Sunset of the Version Before",
        copy=False,
        tracking=True,
        help="Until when consumers may stay on the version before. For a breaking "
        "change at "
        "least 180 days from its activation.",
    )
    sunset_date = fields.Date(string="Sunset", readonly=True, copy=False, tracking=True)
    submitted_at = fields.Datetime(readonly=True, copy=False)
    activated_at = fields.Datetime(readonly=True, copy=False)
    migration_note = fields.Text(compute="_compute_migration_note")
    board_id = fields.Many2one(related="contract_id.board_id")
    domain_id = fields.Many2one(related="contract_id.domain_id", store=True)

    _number_uniq = models.Constraint(
        "UNIQUE(contract_id, number)",
        "This contract already has a version of this number.",
    )
    _active_uniq = models.UniqueIndex(
        "(contract_id) WHERE state = 'active'", "A contract has one active version."
    )

    @api.depends("contract_id.code", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = f"{version.contract_id.code} {version.number}"

    @api.depends("diff_ids.severity")
    def _compute_severity(self):
        order = [key for key, _label in SEVERITIES]
        for version in self:
            found = version.diff_ids.mapped("severity")
            version.severity = min(found, key=order.index, default=Severity.INFO.value)
            version.breaking_count = found.count(Severity.BREAKING.value)

    @api.depends("ballot_ids.vote", "round", "state", "author_ids", "severity")
    @api.depends_context("uid")
    def _compute_votes(self):
        for version in self:
            board = version.contract_id.board_id
            ballots = version._ballots()
            version.approvals = len(
                ballots.filtered(lambda ballot: ballot.vote == "approve")
            )
            version.approvals_needed = board._approvals_needed(
                version.author_ids, version._is_breaking()
            )
            version.may_vote = (
                version.state == "in_review"
                and self.env.user in board._voters(version.author_ids)
                and self.env.user not in ballots.member_id
            )

    @api.depends("diff_ids.message", "diff_ids.severity", "previous_sunset_date")
    def _compute_migration_note(self):
        """What consumers have to do, generated from the differences."""
        for version in self:
            lines = [
                f"• {line.path or self.env._('The whole body')}: {line.message}"
                for line in version.diff_ids
                if line.severity == Severity.BREAKING.value
            ]
            if lines and version.previous_sunset_date:
                lines.append(
                    self.env._(
                        "%(previous)s stays valid until %(date)s.",
                        previous=version.previous_id.display_name,
                        date=version.previous_sunset_date,
                    )
                )
            version.migration_note = "\n".join(lines) or self.env._(
                "Nothing: compatible."
            )

    @api.constrains("number")
    def _check_number(self):
        for version in self:
            try:
                semver.parse(version.number)
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "“%(number)s” is no version number: use three numbers, such as "
                        "1.4.0.",
                        number=version.number,
                    )
                ) from None

    # -- content -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            contract = self.env["sync.contract"].browse(vals["contract_id"])
            vals.setdefault("previous_id", contract.active_version_id.id)
            vals["author_ids"] = [fields.Command.set(self.env.user.ids)]
            vals["schema_text"] = self._pretty(vals["schema_text"])
            if not self.env.su:
                vals["state"] = "draft"
        versions = super().create(vals_list)
        versions._compare()
        return versions

    def write(self, vals):
        if not self.env.su and vals.keys() & _LIFE_CYCLE:
            raise AccessError(
                self.env._("A version's life is led by its buttons alone.")
            )
        if vals.keys() & _VOTED_ON:
            self._check_draft()
        if "schema_text" in vals:
            vals = {**vals, "schema_text": self._pretty(vals["schema_text"])}
        result = super().write(vals)
        if vals.keys() & _CONTENT:
            # sudo: being an author is a fact, not something one may leave out
            self.sudo().author_ids |= self.env.user
            self._compare()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts_alone(self):
        self._check_draft()

    def _check_draft(self):
        for version in self:
            if version.state != "draft":
                raise UserError(
                    self.env._(
                        "%(version)s has left the draft and cannot be changed. Draft a "
                        "new version.",
                        version=version.display_name,
                    )
                )

    @api.model
    def _pretty(self, text):
        """The schema as it is kept: valid JSON, indented."""
        try:
            schema = json.loads(text)
        except ValueError as error:
            raise ValidationError(
                self.env._("The schema is not valid JSON: %(error)s", error=error)
            ) from None
        return json.dumps(schema, indent=2, ensure_ascii=False)

    def _compare(self):
        """Write the differences to the version before anew."""
        # sudo: the lines are computed; nobody writes them
        self.sudo().diff_ids.unlink()
        self.env["sync.contract.diff"].sudo().create(
            [
                {
                    "version_id": version.id,
                    "sequence": sequence,
                    "path": change.path,
                    "kind": change.kind,
                    "severity": change.severity.value,
                    "before": spell(change.before),
                    "after": spell(change.after),
                }
                for version in self
                for sequence, change in enumerate(version._changes())
            ]
        )

    def _changes(self):
        new = json.loads(self.schema_text)
        # a first version is compared with itself, which finds what is malformed
        old = json.loads(self.previous_id.schema_text) if self.previous_id else new
        try:
            return diff(old, new, Direction(self.contract_id.direction))
        except SchemaError as error:
            raise ValidationError(
                self.env._("The schema cannot be compared: %(error)s.", error=error)
            ) from None

    def _is_breaking(self):
        return self.severity == Severity.BREAKING.value

    def _next_number(self, part):
        return str(semver.parse(self.number).bumped(part))

    # -- life cycle --------------------------------------------------------------------

    def _advance(self, state, **values):
        """Take one step: the only way in which a state
        changes. Leaves a line in the audit log.
        """
        before = self.state
        # sudo: the state cannot be written by anybody directly
        self.sudo().write({"state": state, **values})
        self.env["sync.audit"]._log(
            f"contract.{state}",
            self,
            before={"state": before},
            after={"state": state, "version": self.display_name},
        )
        self.env.registry.clear_cache()

    def _require(self, *states):
        self.ensure_one()
        self.check_access("write")
        if self.state not in states:
            raise UserError(
                self.env._(
                    "%(version)s is not in the right state for this: it is %(state)s.",
                    version=self.display_name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        self.state
                    ],
                )
            )

    def action_submit(self):
        """Put a draft before the board."""
        self._require("draft")
        self._check_bump()
        self._check_sunset()
        if not self.contract_id.board_id._voters(self.author_ids):
            raise UserError(
                self.env._(
                    "Nobody may vote on this: give %(contract)s a board with a member "
                    "who is not an author.",
                    contract=self.contract_id.name,
                )
            )
        self._advance(
            "in_review", round=self.round + 1, submitted_at=fields.Datetime.now()
        )
        self._invite()

    def _check_bump(self):
        if not self.previous_id:
            return
        part = worst(self._changes()).bump
        before, after = semver.parse(self.previous_id.number), semver.parse(self.number)
        if not semver.suffices(before, after, part):
            raise UserError(
                self.env._(
                    "These changes need at least version %(number)s.",
                    number=str(before.bumped(part)),
                )
            )

    @api.model
    def _earliest_sunset(self):
        return fields.Date.today() + timedelta(days=SUNSET_DAYS)

    def _check_sunset(self):
        """A breaking change gives the consumers of the version before 180 days."""
        earliest = self._earliest_sunset()
        if not (self._is_breaking() and self.previous_id):
            return
        if not self.previous_sunset_date or self.previous_sunset_date < earliest:
            raise UserError(
                self.env._(
                    "This breaks consumers of %(previous)s: it has to stay valid at "
                    "least until %(date)s.",
                    previous=self.previous_id.display_name,
                    date=earliest,
                )
            )

    def _invite(self):
        for voter in self.contract_id.board_id._voters(self.author_ids):
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("Vote on %(version)s", version=self.display_name),
                user_id=voter.id,
            )

    def action_vote(self):
        """Open a ballot; the context says which vote is proposed."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Your Vote"),
            "res_model": "sync.ballot",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_version_id": self.id,
                "default_vote": self.env.context.get("vote", "approve"),
            },
        }

    def _ballots(self):
        """The ballots that count: of this round, by those who may vote now."""
        voters = self.contract_id.board_id._voters(self.author_ids)
        return self.ballot_ids.filtered(
            lambda ballot: ballot.round == self.round and ballot.member_id in voters
        )

    def _tally(self):
        """End the review once the votes decide it."""
        for version in self.filtered(lambda version: version.state == "in_review"):
            version.invalidate_recordset(["approvals", "approvals_needed"])
            ballots = version._ballots()
            voters = version.contract_id.board_id._voters(version.author_ids)
            open_votes = len(voters) - len(ballots)
            if version.approvals >= version.approvals_needed:
                version._end_review("approved")
            elif version.approvals + open_votes < version.approvals_needed:
                version._end_review("draft")

    def _end_review(self, state):
        self._advance(state)
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def action_activate(self):
        """Put an approved version in force;
        the one before is deprecated until its sunset.
        """
        self._require("approved")
        current = self.contract_id.active_version_id
        if current != self.previous_id:
            raise UserError(
                self.env._(
                    "%(current)s has come into force since this version was drafted. "
                    "Draft it anew.",
                    current=current.display_name,
                )
            )
        if current:
            sunset = self.previous_sunset_date or fields.Date.today()
            if self._is_breaking():
                # the days that the review took are not taken from the consumers
                sunset = max(sunset, self._earliest_sunset())
            current._advance("deprecated", sunset_date=sunset)
            # the index allows one active version, so the old one has to leave first
            current.flush_recordset()
        self._advance("active", activated_at=fields.Datetime.now())

    def action_withdraw(self):
        """Take a version back into the draft."""
        self._require("in_review", "approved")
        self._end_review("draft")

    def action_retire(self):
        """End a deprecated version, on its sunset at the earliest."""
        self._require("deprecated")
        if self.sunset_date and self.sunset_date > fields.Date.today():
            raise UserError(
                self.env._(
                    "%(version)s was promised until %(date)s.",
                    version=self.display_name,
                    date=self.sunset_date,
                )
            )
        self._advance("retired")

    @api.model
    def _cron_sunset(self):
        """Remind the owners of deprecated versions whose sunset has come."""
        due = self.search(
            [("state", "=", "deprecated"), ("sunset_date", "<=", fields.Date.today())]
        )
        for version in due.filtered(lambda version: not version.activity_ids):
            version.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._(
                    "The sunset of %(version)s has come", version=version.display_name
                ),
                user_id=version.contract_id.owner_id.id,
            )
