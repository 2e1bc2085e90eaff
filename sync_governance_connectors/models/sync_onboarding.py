# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .sync_system import PURPOSE_INBOUND

#: What people change by hand; everything else follows from what was done.
BY_HAND = frozenset({"name", "active", "owner_id", "contact_id", "item_ids"})


class SyncOnboarding(models.Model):
    """A partner's way from nothing to live exchange.

    The stage follows from the checklist. Until every required item is done the
    partner's system cannot go live, wherever that is tried.
    """

    _name = "sync.onboarding"
    _description = "Partner Onboarding"
    _inherit = ["mail.thread", "mail.activity.mixin", "sync.company.guard"]
    _order = "stage_sequence, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    template_id = fields.Many2one(
        "sync.onboarding.template", required=True, readonly=True, ondelete="restrict"
    )
    system_id = fields.Many2one(
        "sync.system", required=True, readonly=True, ondelete="restrict"
    )
    kind = fields.Selection(related="system_id.kind", store=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    target = fields.Selection(
        [("live", "Live, after trials"), ("sandbox", "Trials only")],
        string="Environment",
        required=True,
        readonly=True,
        default="live",
    )
    owner_id = fields.Many2one(
        "res.users",
        string="Led By",
        required=True,
        default=lambda self: self.env.user,
        tracking=True,
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Partner's Contact",
        tracking=True,
        check_company=True,
        help="Who answers questions on the other side.",
    )
    stage_id = fields.Many2one(
        "sync.onboarding.stage",
        readonly=True,
        tracking=True,
        index=True,
        group_expand="_group_expand_stages",
        help="The first stage in which a required item is open.",
    )
    stage_sequence = fields.Integer(
        related="stage_id.sequence", store=True, string="Stage's Sequence"
    )
    item_ids = fields.One2many(
        "sync.onboarding.item", "onboarding_id", string="Checklist"
    )
    stay_ids = fields.One2many(
        "sync.onboarding.stay", "onboarding_id", string="Time in Stages"
    )
    policy_ids = fields.Many2many("sync.policy", string="Policies", readonly=True)
    credential_ids = fields.One2many(related="system_id.credential_ids")
    live_at = fields.Datetime(string="Live Since", readonly=True, copy=False)
    progress = fields.Integer(
        string="Done (%)", compute="_compute_progress", aggregator="avg", store=True
    )
    open_count = fields.Integer(
        string="Required, Open", compute="_compute_progress", store=True
    )
    blocked_reason = fields.Html(
        string="Not Live Yet Because", compute="_compute_blocked_reason"
    )
    entered_at = fields.Datetime(string="In Stage Since", readonly=True, copy=False)
    days_in_stage = fields.Integer(compute="_compute_days_in_stage")
    is_stuck = fields.Boolean(compute="_compute_days_in_stage")
    request_count = fields.Integer(string="Calls", compute="_compute_counts")
    mapping_count = fields.Integer(string="Mappings", compute="_compute_counts")
    subscription_count = fields.Integer(
        string="Subscriptions", compute="_compute_counts"
    )
    feed_count = fields.Integer(string="Feeds", compute="_compute_counts")

    _system_unique = models.Constraint(
        "UNIQUE(system_id)", "This system is being onboarded already."
    )

    # -- computed --------------------------------------------------------------------

    @api.model
    def _group_expand_stages(self, stages, domain):
        return stages.search([])  # pylint: disable=no-search-all; a handful

    @api.depends("item_ids.required", "item_ids.state")
    def _compute_progress(self):
        for onboarding in self:
            required = onboarding.item_ids.filtered("required")
            still = required.filtered(lambda item: item.state == "open")
            onboarding.open_count = len(still)
            onboarding.progress = (
                100 * (len(required) - len(still)) // len(required) if required else 100
            )

    @api.depends("item_ids.is_blocking", "item_ids.reason", "live_at")
    def _compute_blocked_reason(self):
        for onboarding in self:
            blocking = onboarding._blocking()
            onboarding.blocked_reason = (
                self.env["ir.qweb"]._render(
                    "sync_governance_connectors.sync_onboarding_blocked",
                    {"items": blocking},
                )
                if blocking and not onboarding.live_at
                else False
            )

    def _blocking(self):
        return self.item_ids.filtered("is_blocking")

    @api.depends("entered_at", "stage_id.max_days")
    def _compute_days_in_stage(self):
        now = fields.Datetime.now()
        for onboarding in self:
            since = onboarding.entered_at or now
            onboarding.days_in_stage = (now - since).days
            limit = onboarding.stage_id.max_days
            onboarding.is_stuck = bool(limit) and onboarding.days_in_stage > limit

    def _compute_counts(self):
        for name, model_name in (
            ("request_count", "sync.request"),
            ("mapping_count", "sync.mapping"),
            ("subscription_count", "sync.subscription"),
            ("feed_count", "sync.feed"),
        ):
            groups = self.env[model_name]._read_group(
                [("system_id", "in", self.system_id.ids)], ["system_id"], ["__count"]
            )
            counts = dict(groups)
            for onboarding in self:
                onboarding[name] = counts.get(onboarding.system_id, 0)

    # -- CRUD ------------------------------------------------------------------------

    def write(self, vals):
        closed = [
            name
            for name in vals
            if name not in BY_HAND and not name.startswith(("message_", "activity_"))
        ]
        if closed and not self.env.su:
            raise AccessError(
                self.env._("%s follows from the checklist.", ", ".join(closed))
            )
        return super().write(vals)

    # -- the way ---------------------------------------------------------------------

    def _refresh(self):
        """Look for proofs, and stand in the stage that follows from them."""
        now = fields.Datetime.now()
        for onboarding in self:
            onboarding.item_ids.filtered(
                lambda item, live=onboarding.live_at: not live
                or not item.stage_id.before_live
            )._prove()
            onboarding._stand_in(onboarding._standing(), now)

    def _standing(self):
        """The first stage that is not over."""
        stages = self.env["sync.onboarding.stage"].search([])  # pylint: disable=no-search-all; a handful
        for stage in stages:
            still = self.item_ids.filtered(
                lambda item, stage=stage: item.stage_id == stage
                and item.required
                and item.state == "open"
            )
            waits = self.target == "live" and not self.live_at and not stage.before_live
            if still or waits:
                return stage
        return stages[-1:]

    def _stand_in(self, stage, now):
        # sudo: the stage and the time in it follow from the checklist, they are
        # written by nobody's hand
        onboarding = self.sudo()
        stay = onboarding.stay_ids.filtered(lambda one: not one.left_at)
        if onboarding.stage_id == stage:
            stay._measure(now)
            return
        stay._leave(now)
        onboarding.write({"stage_id": stage.id, "entered_at": now})
        onboarding.stay_ids.create(
            {"onboarding_id": self.id, "stage_id": stage.id, "entered_at": now}
        )

    @api.model
    def _cron_refresh(self):
        """Look at all partners that are on their way."""
        last = self.env["sync.onboarding.stage"].search(
            [], order="sequence desc, id desc", limit=1
        )
        self.search([("stage_id", "!=", last.id)])._refresh()

    def action_refresh(self):
        """Look for proofs now."""
        self.check_access("write")
        self._refresh()

    # -- the lock --------------------------------------------------------------------

    def _check_may_go_live(self):
        """:raise UserError: which required items are open, and why"""
        for onboarding in self:
            if onboarding.target == "sandbox":
                raise UserError(self.env._("%s is for trials only.", onboarding.name))
            onboarding._refresh()
            blocking = onboarding._blocking()
            if blocking:
                raise UserError(
                    self.env._(
                        "%(partner)s cannot go live yet:\n%(reasons)s",
                        partner=onboarding.name,
                        reasons="\n".join(
                            f"• {item.name}"
                            + (f" – {item.reason}" if item.reason else "")
                            for item in blocking
                        ),
                    )
                )

    def _arrive(self):
        """The system goes live: trials end here.

        Test keys are revoked, and so is the secret that webhooks of the trials were
        signed with; subscriptions are live ones from now on.
        """
        for onboarding in self:
            system = onboarding.system_id
            system._secrets(PURPOSE_INBOUND)._revoke(self.env._("Trials are over"))
            # sudo: ending a test key takes rights away, it gives none
            keys = onboarding.credential_ids.sudo().filtered(
                lambda one: one.sandbox and one.state not in ("revoked", "expired")
            )
            keys._set_state("revoked")
            self.env["sync.subscription"].search([("system_id", "=", system.id)]).write(
                {"environment": "live"}
            )
            # sudo: going live is noted by going live alone
            onboarding.sudo().live_at = fields.Datetime.now()
            self.env["sync.audit"]._log(
                "onboarding.live",
                record=onboarding,
                after={
                    "system": system.code,
                    "test_keys": keys.mapped("prefix"),
                    "waived": onboarding.item_ids.filtered(
                        lambda item: item.state == "waived"
                    ).mapped("name"),
                },
            )
            onboarding._refresh()

    def action_go_live(self):
        """Ask what is to become of trial data, then go live."""
        self.ensure_one()
        self.check_access("write")
        self._check_may_go_live()
        return self.env["sync.onboarding.live"]._open(self)

    # -- actions ---------------------------------------------------------------------

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def action_try_sample(self):
        """Make a sample message, or hold one against both layers."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try a Sample Message"),
            "res_model": "sync.onboarding.sample",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_onboarding_id": self.id},
        }

    def action_open_requests(self):
        return self._open_of_system("sync_request_action")

    def action_open_mappings(self):
        return self._open_of_system("sync_mapping_action")

    def action_open_feeds(self):
        return self._open_of_system("sync_feed_action")

    def action_open_subscriptions(self):
        return self._open_of_system(
            "sync_subscription_action", module="sync_governance_webhooks"
        )

    def _open_of_system(self, action, module="sync_governance_connectors"):
        self.ensure_one()
        values = self.env["ir.actions.act_window"]._for_xml_id(f"{module}.{action}")
        return {
            **values,
            "domain": [("system_id", "=", self.system_id.id)],
            "context": {"default_system_id": self.system_id.id},
        }
