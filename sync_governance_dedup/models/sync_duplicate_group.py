# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import defaultdict
from itertools import combinations

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools import mute_logger

from ..tools.band import is_beyond_doubt

#: States that a steward takes back at once; a merge is undone by its journal.
REOPENED = ("not_duplicate", "deferred")
STATES = [
    ("suggested", "To Decide"),
    ("in_review", "In Review"),
    ("merged", "Merged"),
    ("not_duplicate", "Not a Duplicate"),
    ("deferred", "Deferred"),
    ("unmerged", "Undone"),
]


class SyncDuplicateGroup(models.Model):
    """Records that are probably one and the same, waiting for, or after, a decision.

    Groups are made by the engine (``sync_duplicate_group_suggest.py``) and decided
    through the actions below; nobody writes them through RPC.
    """

    _name = "sync.duplicate.group"
    _description = "Duplicate Group"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "value_at_stake desc, external_id_count desc, score desc, id"
    _mail_post_access = "read"

    name = fields.Char(compute="_compute_name", compute_sudo=False)
    rule_id = fields.Many2one(
        "sync.duplicate.rule",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    model_name = fields.Char(required=True, readonly=True, index=True)
    state = fields.Selection(
        STATES, default="suggested", required=True, readonly=True, index=True
    )
    score = fields.Float(
        digits=(6, 4),
        readonly=True,
        aggregator="avg",
        help="Calibrated probability that the members are one: of groups scored 0.9,"
        " nine in ten are.",
    )
    value_at_stake = fields.Float(
        readonly=True,
        digits=(16, 2),
        help="Open orders and receivables of the members, in company currency.",
    )
    external_id_count = fields.Integer(
        string="External Ids",
        readonly=True,
        help="Living external ids of the members: systems that would hear of a merge.",
    )
    member_ids = fields.One2many("sync.duplicate.member", "group_id", readonly=True)
    member_count = fields.Integer(readonly=True)
    evidence_ids = fields.One2many("sync.duplicate.evidence", "group_id", readonly=True)
    verdict_ids = fields.One2many("sync.duplicate.verdict", "group_id", readonly=True)
    journal_ids = fields.One2many("sync.merge.journal", "group_id", readonly=True)
    system_id = fields.Many2one(
        "sync.system",
        string="Source System",
        readonly=True,
        index="btree_not_null",
        help="System that the newest member came from.",
    )
    steward_id = fields.Many2one("res.users", readonly=True, index="btree_not_null")
    suggested_at = fields.Datetime(readonly=True)
    deferred_until = fields.Date(readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True)
    decided_at = fields.Datetime(readonly=True)
    decision_seconds = fields.Float(
        string="Decision Time (s)",
        readonly=True,
        aggregator="avg",
        help="Time that the steward looked at the group before deciding.",
    )
    decision_reason = fields.Char(readonly=True)
    is_automatic = fields.Boolean(readonly=True)
    can_decide = fields.Boolean(compute="_compute_can_decide")

    @api.depends("member_ids.record_name")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_name(self):
        for group in self:
            names = [name for name in group.member_ids.mapped("record_name") if name]
            group.name = " / ".join(dict.fromkeys(names)) or self.env._(
                "Group %s", group.id
            )

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_can_decide(self):
        steward = self.env.user.has_group("sync_governance_base.group_sync_steward")
        for group in self:
            group.can_decide = steward and group._is_open()

    @api.depends("name")
    def _compute_display_name(self):
        for group in self:
            group.display_name = group.name

    def _is_open(self):
        return self.state in self.env["sync.duplicate.rule"]._open_states()

    # -- decisions ---------------------------------------------------------------------

    def _begin_decision(self, seen=None):
        """Whoever decides first, decides: the group is locked,
        still open, and as it was on the steward's screen.

        :param seen: ``{record id: fingerprint}`` of the records as they were shown
        :return: its records
        """
        self._lock_for_steward()
        if not self._is_open():
            raise UserError(
                self.env._(
                    "%(who)s already decided on this group: %(state)s.",
                    who=self.sudo().decided_by_id.name or self.env._("Somebody"),
                    state=dict(STATES)[self.state],
                )
            )
        return self._decidable_records(seen)

    def _lock_for_steward(self):
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("sync_governance_base.group_sync_steward"):
            raise AccessError(self.env._("Only a steward decides on duplicates."))
        try:
            self.sudo().lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._("Somebody else decides on this group at this very moment.")
            ) from error
        self.invalidate_recordset()

    def _decidable_records(self, seen=None):
        """The members, if the steward may see and change them and they are as shown."""
        members = self.sudo().member_ids
        records = self.env[self.model_name].browse(members.mapped("record_id")).exists()
        if len(records) < 2:
            raise UserError(
                self.env._("The records of this group are gone or merged already.")
            )
        records.check_access("write")
        shown = {int(record_id): print_ for record_id, print_ in (seen or {}).items()}
        shown = shown or {member.record_id: member.fingerprint for member in members}
        current = self.sudo().rule_id._fingerprints(records.ids)
        changed = records.filtered(
            lambda record: shown.get(record.id) != current.get(record.id)
        )
        if changed:
            raise UserError(
                self.env._(
                    "%s changed after the comparison that you saw. Load the group again"
                    " and look once more.",
                    ", ".join(changed.mapped("display_name")),
                )
            )
        return records

    def _close(self, state, reason=None, seconds=None, automatic=False):
        # sudo: groups are a ledger for everybody but
        # these actions, which checked the steward
        self.sudo().write(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
                "decision_reason": reason,
                "decision_seconds": seconds or 0.0,
                "is_automatic": automatic,
            }
        )
        self.sudo().member_ids.is_open = False
        self.sudo().activity_unlink(["mail.mail_activity_data_todo"])

    def action_merge(
        self,
        survivor_id=None,
        values=None,
        record_ids=None,
        seen=None,
        reason=None,
        seconds=None,
    ):
        """Merge the group, or the given members of it, into one record.

        :param survivor_id: record that stays; without it the proposed one
        :param values: ``{field name: record id}`` who
            gives which field; without it as proposed
        :param record_ids: members to merge; the others go into a group of their own
        :param seen: ``{record id: fingerprint}`` as shown, to refuse what changed since
        :return: ``{"journal_id", "ref", "survivor_id", "rest_id"}``; ``rest_id`` is the
            group that the other members wait in now, if there are two of them
        """
        records, rest = self._begin_decision(seen), self.browse()
        if record_ids:
            records = records.filtered(lambda record: record.id in record_ids)
            if len(records) < 2:
                raise UserError(self.env._("It takes two records to merge."))
            rest = self._split_off(record_ids)
        journal = self._merge_records(records, survivor_id, values, reason, seconds)
        return {
            "journal_id": journal.id,
            "ref": journal.ref,
            "survivor_id": journal.survivor_id,
            "rest_id": rest.id,
        }

    def _merge_records(
        self, records, survivor_id, values, reason, seconds=None, automatic=False
    ):
        proposal = self.env["sync.duplicate.survivorship"]._proposal(records)
        survivor = records.filtered(lambda record: record.id == survivor_id)
        survivor = survivor or records.browse(proposal["survivor_id"])
        chosen = dict(proposal["values"], **self._allowed_choices(records, values))
        if not automatic:  # a rule does not confirm itself
            pairs = combinations(sorted(records.ids), 2)
            self.env["sync.duplicate.verdict"].sudo()._record_pairs(
                self.sudo(), pairs, True, reason
            )
        for member in self.sudo().member_ids:
            member.is_survivor = member.record_id == survivor.id
        # closed first: the retired records are about to leave all groups that are open
        self._close("merged", reason, seconds, automatic)
        return self.env["sync.merge.service"]._merge(
            records, survivor, chosen, group=self, reason=reason, automatic=automatic
        )

    @api.model
    def _allowed_choices(self, records, values):
        """What was chosen, if the user may read and write the fields: a merge writes
        as superuser, and must not be a way around the rights on a field."""
        survivorship = self.env["sync.duplicate.survivorship"]
        allowed = set(survivorship._field_names(records))
        choices = values or {}
        for name in choices:
            if name not in allowed or not records._has_field_access(
                records._fields[name], "write"
            ):
                raise AccessError(
                    self.env._("You may not choose the value of “%s”.", name)
                )
        return choices

    def action_merge_proposed(self):
        """Button of the form: merge as proposed."""
        self.action_merge()
        return True

    def action_not_duplicate(self, seen=None, reason=None, seconds=None):
        """The members are different: remembered,
        asked again only if a compared value changes."""
        records = self._begin_decision(seen)
        pairs = combinations(sorted(records.ids), 2)
        self.env["sync.duplicate.verdict"].sudo()._record_pairs(
            self.sudo(), pairs, False, reason
        )
        self._close("not_duplicate", reason, seconds)
        return True

    def action_defer(self, until=None, reason=None):
        """Look again later; the group comes back by itself."""
        self._begin_decision()
        until = until or fields.Date.add(
            fields.Date.today(), days=self.rule_id.defer_days
        )
        self.sudo().write(
            {"state": "deferred", "deferred_until": until, "decision_reason": reason}
        )
        return True

    def action_reopen(self):
        """Take "not a duplicate" or a deferral back, as if it had not been said: a slip
        of the finger neither measures nor trains the rule."""
        self._lock_for_steward()
        if self.state not in REOPENED:
            raise UserError(
                self.env._(
                    "“%(group)s” cannot be taken back: %(state)s.",
                    group=self.name,
                    state=dict(STATES)[self.state],
                )
            )
        record_ids = set(self.sudo().member_ids.mapped("record_id"))
        records = self.env[self.model_name].browse(record_ids).exists()
        records.check_access("write")
        self.sudo()._wait_again()
        self.sudo().verdict_ids.filtered(
            lambda verdict: not verdict.is_duplicate
            and {verdict.left_id, verdict.right_id} <= record_ids
        ).unlink()
        self.sudo().message_post(
            body=self.env._(
                "%(user)s took back: %(state)s.",
                user=self.env.user.name,
                state=dict(STATES)[self.state],
            )
        )
        self.sudo().write(
            {
                "state": "suggested",
                "deferred_until": False,
                "decided_by_id": False,
                "decided_at": False,
                "decision_reason": False,
                "decision_seconds": 0.0,
            }
        )
        return True

    def _wait_again(self):
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.member_ids.is_open = True
                self.member_ids.flush_recordset()
        except psycopg2.errors.UniqueViolation as error:
            raise UserError(
                self.env._("One of the records waits in another group by now.")
            ) from error

    def action_review(self):
        """Take the group: others see who works on it."""
        self._begin_decision()
        self.sudo().write({"state": "in_review", "steward_id": self.env.uid})
        return True

    def action_assign(self, user_id):
        """Ask a colleague: the group is theirs, and an activity tells them."""
        self._begin_decision()
        user = self.env["res.users"].browse(user_id).exists()
        if not user.has_group("sync_governance_base.group_sync_steward"):
            raise UserError(self.env._("%s is not a steward.", user.name))
        theirs = self.with_user(user).with_context(
            allowed_company_ids=user.sudo().company_ids.ids
        )
        if not theirs.has_access("read"):
            raise UserError(self.env._("%s may not see these records.", user.name))
        self.sudo().write({"state": "in_review", "steward_id": user.id})
        self.sudo().activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=user.id,
            summary=self.env._("Are these the same?"),
        )
        return True

    def action_split(self, record_ids, reason=None):
        """These members are not the same as the
        others: two groups, and never one again.

        :param record_ids: members that leave
        :return: ``{"rest_id"}``: group that those who left wait in,
            if there are two of them
        """
        records = self._begin_decision()
        leaving = records.filtered(lambda record: record.id in record_ids)
        staying = records - leaving
        if not leaving or not staying:
            raise UserError(self.env._("Choose some members, not all, to split off."))
        pairs = [(one, other) for one in leaving.ids for other in staying.ids]
        self.env["sync.duplicate.verdict"].sudo()._record_pairs(
            self.sudo(), pairs, False, reason
        )
        rest = self._split_off(staying.ids)
        self.sudo().member_count = len(staying)
        if len(staying) < 2:
            self._close("not_duplicate", reason)
        return {"rest_id": rest.id, "is_open": self._is_open()}

    def _split_off(self, staying_ids):
        """Members other than these leave; two or more of them make a new group.

        :return: the new group, if there is one
        """
        group, other = self.sudo(), self.browse()
        leaving = group.member_ids.filtered(
            lambda member: member.record_id not in staying_ids
        )
        if len(leaving) > 1:
            other = group.copy({"member_count": len(leaving), "state": "suggested"})
            other.suggested_at = group.suggested_at
            left_ids = set(leaving.mapped("record_id"))
            leaving.group_id = other
            group.evidence_ids.filtered(
                lambda row: {row.left_id, row.right_id} <= left_ids
            ).group_id = other
            (group | other)._refresh_stakes()
        else:
            leaving.unlink()
        return other

    @api.model
    def _wake_deferred(self):
        due = self.search(
            [("state", "=", "deferred"), ("deferred_until", "<=", fields.Date.today())]
        )
        due.write({"state": "suggested", "deferred_until": False})

    # -- the safe band -----------------------------------------------------------------

    def _is_safe(self):
        """Whether nothing is at risk: probable beyond the band, no pair that leaves
        a doubt, no blocker, no money and no two living ids of one system."""
        self.ensure_one()
        if self.score < self.rule_id.auto_threshold or self.value_at_stake:
            return False
        if not self._is_beyond_doubt():
            return False
        records = (
            self.env[self.model_name]
            .browse(self.member_ids.mapped("record_id"))
            .exists()
        )
        if len(records) < 2:
            return False
        survivor = records.browse(
            self.env["sync.duplicate.survivorship"]._proposal(records)["survivor_id"]
        )
        return not self.env["sync.merge.service"]._blockers(
            records, survivor
        ) and not self._shares_system(records)

    def _is_beyond_doubt(self):
        """Whether all members were compared, and none of the pairs leaves a doubt."""
        codes = self.rule_id.field_ids.filtered(lambda line: line.kind == "code")
        pairs = defaultdict(list)
        for row in self.sudo().evidence_ids:  # figures only
            if not row.is_cut:
                line = (row.field_name, row.level, row.weight)
                pairs[row.left_id, row.right_id].append(line)
        members = sorted(self.member_ids.mapped("record_id"))
        return all(
            is_beyond_doubt(pairs.get(pair, ()), codes.mapped("name"))
            for pair in combinations(members, 2)
        )

    @api.model
    def _shares_system(self, records):
        """Two living ids of one system: that system believes they are two."""
        return bool(
            self.env["sync.crosswalk"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", records._name),
                    ("res_id", "in", records.ids),
                    ("state", "=", "active"),
                    ("system_id.kind", "!=", "odoo"),
                ],
                ["system_id"],
                having=[("__count", ">", 1)],
            )
        )

    def _merge_safe_band(self):
        """Merge what the rule may merge on its own:
        earned, probable and without risk."""
        for group in self:
            rule = group.rule_id
            if not (rule.auto_merge and rule.band_earned and group._is_safe()):
                continue
            records = self.env[group.model_name].browse(
                group.member_ids.mapped("record_id")
            )
            group._merge_records(
                records.exists(),
                None,
                None,
                self.env._("Safe band of the rule"),
                automatic=True,
            )

    def action_open_members(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self.model_name,
            "view_mode": "list,form",
            "domain": [("id", "in", self.member_ids.mapped("record_id"))],
            "context": {"active_test": False},
        }
