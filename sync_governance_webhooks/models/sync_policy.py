from odoo import models
from odoo.tools import SQL

# The last deliveries of an event type tell enough, and cost the same at any volume.
SAMPLE = 10_000


class SyncPolicy(models.Model):
    _inherit = "sync.policy"

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
                 WHERE policy.id = ANY(%s)
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
