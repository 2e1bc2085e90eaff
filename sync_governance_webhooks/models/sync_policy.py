from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# The last deliveries of an event type tell enough, and cost the same at any volume.
SAMPLE = 10_000


class SyncPolicy(models.Model):
    """Messages leave by the timing of the policy in force for their record's model and
    company: at once, with their batch, in hours, or when somebody asks for them.
    """

    _inherit = "sync.policy"

    held_count = fields.Integer(
        string="Held Messages",
        compute="_compute_held_count",
        help="Messages that wait until somebody asks for them.",
    )

    def _compute_held_count(self):
        for policy in self:
            policy.held_count = self.env["sync.delivery"].search_count(
                policy._held_domain()
            )

    def _held_domain(self):
        return self._governed_domain() & Domain("state", "=", "held")

    def _governed_domain(self):
        """The deliveries about the policy's records."""
        self.ensure_one()
        if self.state != "active":
            return Domain.FALSE
        domain = Domain("event_type_id.model_name", "=", self.model_name)
        if self.company_id:
            return domain & Domain("company_id", "=", self.company_id.id)
        # sudo: a company's own policy counts, whoever may see it
        own = self.sudo().search(
            [
                ("state", "=", "active"),
                ("model_name", "=", self.model_name),
                ("company_id", "!=", False),
            ]
        )
        return domain & Domain("company_id", "not in", own.company_id.ids)

    def action_view_held(self):
        """Open the messages that the policy holds."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_delivery_action"
        )
        return action | {"domain": list(self._held_domain()), "context": {}}

    def action_send_held(self):
        """Send all that the policy holds; more is held from now on."""
        deliveries = self.env["sync.delivery"]
        deliveries._check_operator()
        now = deliveries._database_time()
        for policy in self:
            # The companies that the user sees; however many messages, no list of them.
            domain = policy._held_domain()
            for (company,) in deliveries._read_group(domain, ["company_id"]):
                # sudo: the ledger is nobody's to write
                deliveries.sudo()._wait_until(
                    policy.model_name, company.id or None, now
                )

    # ------------------------------------------------------------------
    # Another timing comes into force
    # ------------------------------------------------------------------

    def action_activate(self):
        result = super().action_activate()
        self._time_anew()
        return result

    def action_deactivate(self):
        result = super().action_deactivate()
        self._time_anew()
        return result

    def _time_anew(self):
        """What waits for its time under another policy now waits by the one in force.

        Whatever is no longer timed is sent at once: nothing is left behind by a policy
        that is gone.
        """
        names = list(set(self.mapped("model_name")))
        self._time_waiting(SQL("type.model_name = ANY(%s)", names))

    @api.model
    def _time_strays(self):
        """Let go what is held although no policy holds it any more.

        Such as by a transaction that began under the policy before, or for a calendar
        that has got hours since.
        """
        self._time_waiting(SQL("state = 'held'"), is_held=True)

    @api.model
    def _time_waiting(self, condition, is_held=False):
        companies = self.env["res.company"]
        # sudo: whose messages wait does not depend on who changes the policy
        deliveries = self.env["sync.delivery"].sudo()
        groups = deliveries._waiting_for(condition)
        now = deliveries._database_time() if groups else None
        for model_name, company_id in groups:
            timing = self._timing(model_name, companies.browse(company_id), "out")
            due_at = self._due_at(timing, now) if timing else now
            if due_at or not is_held:
                deliveries._wait_until(model_name, company_id, due_at)

    # ------------------------------------------------------------------
    # The promise
    # ------------------------------------------------------------------

    def _measured_latency(self):
        """From the event to its delivery, retries and outages included."""
        measured = super()._measured_latency()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT policy.id, percentile_cont(0.95) WITHIN GROUP (
                           ORDER BY GREATEST(0, extract(epoch FROM
                               sample.delivered_at - sample.occurred_at)))
                  FROM sync_policy policy
                  JOIN sync_event_type type ON type.model_name = policy.model_name
                 CROSS JOIN LATERAL (
                    SELECT delivered_at, occurred_at, company_id FROM sync_delivery
                     WHERE event_type_id = type.id AND delivered_at IS NOT NULL
                       AND occurred_at > now() AT TIME ZONE 'UTC' - INTERVAL '7 days'
                     ORDER BY occurred_at DESC
                     LIMIT %s
                 ) sample
                 WHERE policy.id = ANY(%s) AND policy.direction IN ('out', 'both')
                   AND (policy.company_id IS NULL OR sample.company_id IS NULL
                        OR sample.company_id = policy.company_id)
                 GROUP BY policy.id
                """,
                SAMPLE,
                self.ids,
            )
        )
        for policy_id, seconds in rows:
            measured[policy_id] = max(seconds, measured.get(policy_id, 0.0))
        return measured
