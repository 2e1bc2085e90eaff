# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: Verdicts below which weights learned from them would say more about
#: chance than about the data.
MIN_VERDICTS = 20


class SyncDuplicateTraining(models.Model):
    """Weights that a rule could learn, what they would change, and who applied them.

    Made by the engine, applied and taken back by the actions; nobody writes one
    through RPC. The proposal is shown before it is used: weight by weight, and how the
    pairs that stewards have decided on would be scored with it.
    """

    _name = "sync.duplicate.training"
    _description = "Training of a Duplicate Rule"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _mail_post_access = "read"

    name = fields.Char(compute="_compute_name")
    rule_id = fields.Many2one(
        "sync.duplicate.rule",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    source = fields.Selection(
        selection=[
            ("verdicts", "Verdicts of the stewards"),
            ("scan", "Pairs of the last scan"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        selection=[
            ("proposed", "Proposed"),
            ("applied", "Applied"),
            ("reverted", "Taken Back"),
            ("discarded", "Discarded"),
        ],
        default="proposed",
        required=True,
        readonly=True,
        tracking=True,
    )
    weights = fields.Json(readonly=True)
    weights_before = fields.Json(readonly=True, help="What the rule had until then.")
    verdict_count = fields.Integer(string="Known Verdicts", readonly=True)
    right_before = fields.Integer(
        string="Right Today",
        readonly=True,
        help="Verdicts that the rule would have foreseen: duplicates at or above its"
        " threshold, others below it.",
    )
    right_after = fields.Integer(string="Right With It", readonly=True)
    line_ids = fields.One2many(
        "sync.duplicate.training.line", "training_id", readonly=True
    )
    pair_ids = fields.One2many(
        "sync.duplicate.training.pair",
        "training_id",
        string="Verdicts That Change Side",
        readonly=True,
    )
    applied_by_id = fields.Many2one("res.users", readonly=True)
    applied_at = fields.Datetime(readonly=True)

    @api.depends("rule_id", "create_date")
    def _compute_name(self):
        for training in self:
            training.name = self.env._(
                "Training %(number)s of %(rule)s",
                number=training.id,
                rule=training.rule_id.name,
            )

    @api.depends("name")
    def _compute_display_name(self):
        for training in self:
            training.display_name = training.name

    # -- proposing ---------------------------------------------------------------------

    @api.model
    def _propose(self, rule, source):
        """Ask the engine for weights and keep what it proposes.

        :param source: ``verdicts`` or ``scan``
        :raise UserError: there is too little to learn from, or nothing to change
        """
        # sudo: figures over all verdicts of the rule; pairs are named only to those
        # who may read both records
        engine = self.env["sync.duplicate.engine"].sudo()
        if source == "scan":
            proposal = engine._estimate(rule.sudo())
        else:
            proposal = engine._train(rule.sudo(), self._decisions(rule))
        if not proposal["changes"]:
            raise UserError(self.env._("There is nothing new to learn from these."))
        return self.sudo().create(self._proposal_values(rule, source, proposal))

    @api.model
    def _decisions(self, rule):
        """The last word on each pair: ``[(left id, right id, is a duplicate)]``"""
        verdicts = self.env["sync.duplicate.verdict"].sudo()
        found = {
            (row.left_id, row.right_id): row.is_duplicate
            for row in verdicts.search([("rule_id", "=", rule.id)], order="id")
        }
        if len(found) < MIN_VERDICTS:
            raise UserError(
                self.env._(
                    "%(count)s verdicts are too few to learn from; it takes %(least)s.",
                    count=len(found),
                    least=MIN_VERDICTS,
                )
            )
        return [(*pair, is_duplicate) for pair, is_duplicate in found.items()]

    @api.model
    def _proposal_values(self, rule, source, proposal):
        effect, threshold = proposal["effect"], rule.suggest_threshold
        turned = [
            pair
            for pair in effect["pairs"]
            if (pair["before"] >= threshold) != (pair["after"] >= threshold)
        ]
        return {
            "rule_id": rule.id,
            "source": source,
            "weights": proposal["weights"],
            "verdict_count": effect["verdicts"],
            "right_before": effect["right_before"],
            "right_after": effect["right_after"],
            "line_ids": [
                fields.Command.create(
                    {
                        "kind": change["field"],
                        "level": change["level"],
                        "before": change["before"],
                        "after": change["after"],
                    }
                )
                for change in proposal["changes"]
            ],
            "pair_ids": [fields.Command.create(pair) for pair in turned],
        }

    # -- deciding ----------------------------------------------------------------------

    def _begin(self, state):
        """Whoever decides may change the rule, and is the first to do so."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group(
            "sync_governance_base.group_sync_integration_manager"
        ):
            raise AccessError(
                self.env._("Only an integration manager changes a rule's weights.")
            )
        self.sudo().rule_id.lock_for_update()
        self.invalidate_recordset()
        if self.state != state:
            raise UserError(self.env._("Somebody else already decided on it."))

    def action_apply(self):
        """The rule scores with these weights from now on."""
        self._begin("proposed")
        rule = self.sudo().rule_id
        self.sudo().write(
            {
                "state": "applied",
                "weights_before": rule.weights,
                "applied_by_id": self.env.uid,
                "applied_at": fields.Datetime.now(),
            }
        )
        self._set_weights("duplicate.training.applied", self.sudo().weights)
        return True

    def action_revert(self):
        """The rule gets back the weights that it had before."""
        self._begin("applied")
        later = self.search(
            [
                ("rule_id", "=", self.rule_id.id),
                ("state", "=", "applied"),
                ("applied_at", ">", self.applied_at),
            ],
            limit=1,
        )
        if later:
            raise UserError(self.env._("Take back “%s” first.", later.name))
        self.sudo().state = "reverted"
        self._set_weights("duplicate.training.reverted", self.sudo().weights_before)
        return True

    def action_discard(self):
        self._begin("proposed")
        self.sudo().state = "discarded"
        return True

    def _set_weights(self, action, weights):
        # sudo: weights have no other door than a training
        rule = self.sudo().rule_id
        self.env["sync.audit"].sudo()._log(
            action,
            record=rule,
            before={"weights": rule.weights},
            after={"weights": weights, "training": self.id},
        )
        rule.weights = weights
        rule.message_post(
            body=self.env._(
                "%(who)s: %(what)s, %(state)s.",
                who=self.env.user.name,
                what=self.name,
                state=dict(self._fields["state"]._description_selection(self.env))[
                    self.state
                ],
            )
        )
