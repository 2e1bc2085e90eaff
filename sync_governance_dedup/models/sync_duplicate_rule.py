# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import ast
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

#: Verdicts inside the band, and their precision, before a rule may merge on its own.
AUTO_MERGE_MIN_VERDICTS = 200
AUTO_MERGE_MIN_PRECISION = 0.999

#: Changed records that one after-commit job checks.
CHECK_BATCH = 500


#: The stricter one wins where two rules cover a model.
DOOR_MODES = ("off", "queue", "refuse")


class Door(NamedTuple):
    """What happens to a new record that is probably there already.

    :ivar mode: one of ``DOOR_MODES``
    :ivar threshold: probability from which a record is probably there
    """

    mode: str
    threshold: float


class SyncDuplicateRule(models.Model):
    """Which records of a model are compared, by which fields,
    and from which probability they are shown to a steward."""

    _name = "sync.duplicate.rule"
    _description = "Duplicate Rule"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    model_id = fields.Many2one(
        "ir.model",
        required=True,
        ondelete="cascade",
        domain=[("transient", "=", False), ("abstract", "=", False)],
    )
    model_name = fields.Char(
        related="model_id.model", string="Model Name", store=True, index=True
    )
    domain = fields.Char(
        default="[]",
        tracking=True,
        help="Only records that match are compared.",
    )
    company_mode = fields.Selection(
        selection=[
            ("any", "Records of all companies together"),
            ("shared", "Only records shared by all companies"),
        ],
        default="any",
        required=True,
        help="Records of different companies are never merged; a steward sees a group"
        " only if all its records belong to companies the steward works for.",
    )
    field_ids = fields.One2many("sync.duplicate.rule.field", "rule_id", copy=True)
    suggest_threshold = fields.Float(
        default=0.5,
        digits=(4, 3),
        tracking=True,
        help="Probability from which a pair is shown to a steward. The probability is "
        "calibrated: 0.5 finds the most duplicates for the fewest false alarms.",
    )
    auto_threshold = fields.Float(
        string="Safe Band From",
        default=0.995,
        digits=(5, 4),
        tracking=True,
        help="Groups at least this probable, with nothing at risk,"
        " may be approved in bulk, and merged by the rule itself once the stewards'"
        " verdicts have earned it.",
    )
    auto_merge = fields.Boolean(
        string="Merge the Safe Band",
        tracking=True,
        help="Takes effect only while the stewards' own verdicts confirm the band.",
    )
    weights = fields.Json(copy=False, help="Learned weights; empty: the shipped ones.")
    reversible_days = fields.Integer(
        string="Merges Can Be Undone For",
        default=30,
        help="Days during which a merge can be undone.",
    )
    defer_days = fields.Integer(
        string="Deferred Groups Come Back After",
        default=7,
        help="Days after which a deferred group waits for a steward again.",
    )
    scan_nightly = fields.Boolean(
        string="Scan Every Night",
        help="Compares what has changed since the scan before. Without it, records are"
        " still compared when somebody changes them.",
    )
    notify_user_ids = fields.Many2many(
        "res.users",
        string="Notify",
        help="Told once a day when new groups wait.",
    )
    door_mode = fields.Selection(
        [
            ("off", "Say nothing"),
            ("queue", "Tell people; accept from the API"),
            ("refuse", "Tell people; refuse at the API (409)"),
        ],
        string="Likely Duplicates at the Door",
        default="queue",
        required=True,
        tracking=True,
        help="People are told in the form and when they test an import. Whatever comes"
        " in is compared after it is saved, too, and waits for a steward if it is"
        " probably a duplicate.",
    )
    door_threshold = fields.Float(
        string="Warn at the Door From",
        default=0.5,
        digits=(4, 3),
        help="Probability from which the form and the API speak up about a new record."
        " While somebody types, little is known yet: a high value warns too late.",
    )
    group_ids = fields.One2many("sync.duplicate.group", "rule_id")
    training_ids = fields.One2many("sync.duplicate.training", "rule_id")
    open_count = fields.Integer(compute="_compute_counts")
    verdict_count = fields.Integer(compute="_compute_precision")
    precision = fields.Float(
        compute="_compute_precision",
        digits=(4, 3),
        help="Share of decided pairs that the stewards called duplicates.",
    )
    band_verdict_count = fields.Integer(compute="_compute_precision")
    band_precision = fields.Float(compute="_compute_precision", digits=(5, 4))
    band_earned = fields.Boolean(compute="_compute_precision")

    _thresholds_ordered = models.Constraint(
        "CHECK (0 < suggest_threshold AND suggest_threshold <= auto_threshold"
        " AND auto_threshold <= 1)",
        "The thresholds must be ordered: 0 < suggest ≤ safe band ≤ 1.",
    )

    @api.depends("group_ids.state")
    def _compute_counts(self):
        counts = dict(
            self.env["sync.duplicate.group"]._read_group(
                [("rule_id", "in", self.ids), ("state", "in", self._open_states())],
                ["rule_id"],
                ["__count"],
            )
        )
        for rule in self:
            rule.open_count = counts.get(rule, 0)

    @api.depends("auto_threshold")
    def _compute_precision(self):
        Verdict = self.env[
            "sync.duplicate.verdict"
        ].sudo()  # figures only, no record is shown
        for rule in self:
            domain = Domain("rule_id", "=", rule.id)
            band = domain & Domain("probability", ">=", rule.auto_threshold)
            rule.verdict_count = Verdict.search_count(domain)
            rule.precision = Verdict._precision(domain)
            rule.band_verdict_count = Verdict.search_count(band)
            rule.band_precision = Verdict._precision(band)
            rule.band_earned = (
                rule.band_verdict_count >= AUTO_MERGE_MIN_VERDICTS
                and rule.band_precision >= AUTO_MERGE_MIN_PRECISION
            )

    @api.constrains("domain", "model_id")
    def _check_domain(self):
        for rule in self:
            try:
                # Constraints run as superuser. As the user: what a rule finds would
                # tell what a field holds that its writer may not read.
                Model = self.env[rule.model_name].sudo(False)
                Model.search(rule._record_domain(), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The domain of “%(rule)s” cannot be used: %(error)s",
                        rule=rule.name,
                        error=error,
                    )
                ) from error

    # -- life cycle: the write hook follows the active rules ---------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_weights_untouched(*vals_list)
        rules = super().create(vals_list)
        self._refresh_watch()
        return rules

    def write(self, vals):
        self._check_weights_untouched(vals)
        result = super().write(vals)
        if {"active", "model_id", "field_ids", "domain"} & vals.keys():
            self._refresh_watch()
        elif {"door_mode", "door_threshold"} & vals.keys():
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self._refresh_watch()
        return result

    @api.model
    def _check_weights_untouched(self, *vals_list):
        """Weights are applied by a training, which tells what they change."""
        if not self.env.su and any("weights" in vals for vals in vals_list):
            raise AccessError(self.env._("Weights are changed by a training only."))

    def _refresh_watch(self):
        self.env.registry.clear_cache()
        self.env["sync.write.hook"]._sync_refresh_hooks()

    # -- what the rule covers ----------------------------------------------------------

    @api.model
    def _open_states(self):
        """States in which a group still waits for a decision."""
        return ("suggested", "in_review", "deferred")

    @api.model
    @tools.ormcache()
    def _watched(self):
        """:return: ``{model name: (rule ids, names of the compared fields)}``
        of active rules"""
        watched = {}
        for rule in self.sudo().search([]):  # pylint: disable=no-search-all; cached, few
            if rule.model_name in self.env:
                rule_ids, names = watched.get(rule.model_name, ((), frozenset()))
                names = names | set(rule.field_ids.mapped("name"))
                watched[rule.model_name] = (rule_ids + (rule.id,), names)
        return watched

    @api.model
    @tools.ormcache("model_name")
    def _door(self, model_name):
        """:return: :class:`Door` of a model, the strictest of its active rules"""
        rules = self._for_model(model_name)
        return Door(
            max(rules.mapped("door_mode"), key=DOOR_MODES.index, default="off"),
            min(rules.mapped("door_threshold"), default=1.0),
        )

    @api.model
    def _for_model(self, model_name):
        rule_ids, _names = self._watched().get(model_name, ((), ()))
        return self.sudo().browse(rule_ids)

    def _record_domain(self):
        """:return: Domain of the records that the rule covers."""
        self.ensure_one()
        domain = Domain(ast.literal_eval(self.domain or "[]"))
        Model = self.env[self.model_name]
        if Model._active_name:
            domain &= Domain(Model._active_name, "=", True)
        if self.company_mode == "shared" and "company_id" in Model._fields:
            domain &= Domain("company_id", "=", False)
        return domain

    def _fingerprints(self, record_ids):
        """Fingerprint of the compared values: a remembered "not a duplicate" and a
        screen that a steward looks at are good only as long as it stays the same.

        :return: ``{record id: hex digest}`` of the records that exist
        """
        self.ensure_one()
        names = sorted(self.field_ids.mapped("name"))
        if not record_ids or not names:
            return {}
        self.env[self.model_name].flush_model()
        Key = self.env["sync.duplicate.key"]
        query = Key._records(self)._search([("id", "in", list(record_ids))])
        values = SQL(", ").join(
            SQL("(%s)::text", Key._column(self, query, name)) for name in names
        )
        rows = self.env.execute_query(
            query.select(
                SQL.identifier(query.table, "id"),
                SQL("md5(json_build_array(%s)::text)", values),
            )
        )
        return dict(rows)

    # -- the engine --------------------------------------------------------------------

    @api.model
    def _find_candidates(self, model_name, values, limit=5):
        """Stored records that are likely the same as ``values``, best first.

        :param values: values as for ``create``, or a single record
        :return: list of :class:`~..tools.types.Candidate`, only of records that the
            user may read
        """
        self.env["sync.write.hook"]._dedup_settle()
        if isinstance(values, models.BaseModel):
            values = self._values_of(values)
        best = {}
        for rule in self._for_model(model_name):
            for candidate in (
                self.env["sync.duplicate.engine"]
                .sudo()
                ._candidates(rule, values, limit=4 * limit)
            ):
                known = best.get(candidate.record_id)
                if known is None or known.probability < candidate.probability:
                    best[candidate.record_id] = candidate
        readable = set(
            self.env[model_name]
            .with_context(active_test=False)
            .search([("id", "in", list(best))])
            ._ids
        )
        found = [
            candidate for candidate in best.values() if candidate.record_id in readable
        ]
        return sorted(found, key=lambda candidate: -candidate.probability)[:limit]

    @api.model
    def _values_of(self, record):
        names = self._watched().get(record._name, ((), ()))[1]
        values = {
            name: record._fields[name].convert_to_write(record[name], record)
            for name in names
        }
        if record.id:
            values["id"] = record.id
        return values

    def _check_changed(self, record_ids):
        """Job: make or extend the groups of records that changed.

        Records that vanished since are skipped; running it twice changes nothing.
        """
        self.ensure_one()
        record_ids = self.env[self.model_name].browse(record_ids).exists().ids
        if not self.active or not record_ids:
            return
        found = self.env["sync.duplicate.engine"]._check(self, record_ids)
        groups = self.env["sync.duplicate.group"]._suggest(
            self, found, checked_ids=record_ids
        )
        groups._merge_safe_band()

    def _enqueue_check(self, record_ids):
        """Check these records once the transaction is committed: only then another
        transaction's twin can be seen, and nobody waits for the comparison."""
        for rule in self:
            for start in range(0, len(record_ids), CHECK_BATCH):
                batch = record_ids[start : start + CHECK_BATCH]
                rule.sudo().with_delay(
                    channel="root.sync_dedup",
                    description=self.env._(
                        "Duplicates of %(count)s changed records", count=len(batch)
                    ),
                )._check_changed(batch)

    # -- actions -----------------------------------------------------------------------

    def action_scan(self):
        self.ensure_one()
        if self.env["sync.duplicate.scan"].search_count(
            [("rule_id", "=", self.id), ("state", "in", ("running", "paused"))], limit=1
        ):
            raise UserError(self.env._("A scan of this rule is already on its way."))
        scan = self.env["sync.duplicate.scan"].create({"rule_id": self.id})
        scan._start()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sync.duplicate.scan",
            "res_id": scan.id,
            "view_mode": "form",
        }

    def action_train(self):
        """What could be learned from the stewards' verdicts, to look at."""
        return self._open_training("verdicts")

    def action_estimate(self):
        """What could be learned from the pairs of the last scan, to look at."""
        return self._open_training("scan")

    def _open_training(self, source):
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_groups(
            "sync_governance_base.group_sync_steward,"
            "sync_governance_base.group_sync_integration_manager"
        ):
            raise AccessError(self.env._("Only stewards and managers train a rule."))
        training = self.env["sync.duplicate.training"]._propose(self, source)
        return {
            "type": "ir.actions.act_window",
            "res_model": training._name,
            "res_id": training.id,
            "view_mode": "form",
        }

    def action_open_groups(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_dedup.sync_duplicate_group_action"
        )
        return dict(action, domain=[("rule_id", "=", self.id)])

    @api.model
    def _cron_scan(self):
        """Start the nightly scan, of what has changed, of every rule that wants one."""
        for rule in self.search([("scan_nightly", "=", True)]):
            busy = self.env["sync.duplicate.scan"].search_count(
                [("rule_id", "=", rule.id), ("state", "in", ("running", "paused"))],
                limit=1,
            )
            if not busy:
                self.env["sync.duplicate.scan"].create(
                    {"rule_id": rule.id, "mode": "changes"}
                )._start()

    @api.model
    def _cron_wake_and_notify(self):
        """Bring deferred groups back on their day, put the queue in order and tell
        the people of each rule, once, how many new groups wait."""
        Group = self.env["sync.duplicate.group"]
        Group._wake_deferred()
        Group._refresh_open_stakes()
        since = fields.Datetime.subtract(fields.Datetime.now(), days=1)
        for rule in self.search([("notify_user_ids", "!=", False)]):
            count = Group.search_count(
                [
                    ("rule_id", "=", rule.id),
                    ("state", "=", "suggested"),
                    ("create_date", ">=", since),
                ]
            )
            if count:
                rule.message_notify(
                    partner_ids=rule.notify_user_ids.partner_id.ids,
                    subject=self.env._("%s new duplicate groups", count),
                    body=self.env._(
                        "%(count)s new groups of “%(rule)s” wait for a decision.",
                        count=count,
                        rule=rule.name,
                    ),
                )
