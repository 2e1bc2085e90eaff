from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import latency

UPSERT = """
    INSERT INTO sync_delivery_metric AS known
        (subscription_id, hour, delivered, failed, latency)
    VALUES %s
    ON CONFLICT (subscription_id, hour) DO UPDATE
       SET delivered = known.delivered + EXCLUDED.delivered,
           failed = known.failed + EXCLUDED.failed,
           latency = (
               SELECT jsonb_agg(a.count::int + b.count::int ORDER BY a.position)
                 FROM jsonb_array_elements_text(known.latency)
                      WITH ORDINALITY a (count, position)
                 JOIN jsonb_array_elements_text(EXCLUDED.latency)
                      WITH ORDINALITY b (count, position) USING (position)
           )
"""


class SyncDeliveryMetric(models.Model):
    """Attempts of a subscription by the hour:
    what the screens draw without counting rows.
    """

    _name = "sync.delivery.metric"
    _description = "Delivery Metric"
    _order = "hour desc"
    _log_access = False

    subscription_id = fields.Many2one(
        "sync.subscription", required=True, readonly=True, ondelete="cascade"
    )
    hour = fields.Datetime(required=True, readonly=True)
    delivered = fields.Integer(readonly=True)
    failed = fields.Integer(readonly=True)
    latency = fields.Json(
        readonly=True, help="Counts by bucket, see tools/latency.py. Answers only."
    )

    _hour_uniq = models.UniqueIndex("(subscription_id, hour)")

    @api.model
    def _add(self, results):
        """Count attempts.

        :param results: list of ``dispatcher.lane.Result``
        """
        rows = {}
        for result in results:
            hour = result.started_at.replace(minute=0, second=0, microsecond=0)
            row = rows.setdefault(
                (result.parcel.subscription_id, hour), [0, 0, [0] * latency.SIZE]
            )
            row[0 if result.state == "delivered" else 1] += 1
            row[2][latency.bucket(result.attempt.duration * 1000)] += 1
        self.env.cr.execute_values(
            UPSERT,
            [
                (subscription_id, hour, delivered, failed, str(counts))
                for (subscription_id, hour), (delivered, failed, counts) in sorted(
                    rows.items()
                )
            ],
            template="(%s, %s, %s, %s, %s::jsonb)",
        )

    @api.model
    def _last_day(self, subscription_ids):
        """Figures of the last 24 hours.

        :return: ``{id: {"hours": [(delivered, failed)] * 24, "delivered", "failed",
            "p95"}}``, oldest hour first, p95 in milliseconds
        """
        now = fields.Datetime.now().replace(minute=0, second=0, microsecond=0)
        first = now - timedelta(hours=23)
        result = {
            id_: {"hours": [(0, 0)] * 24, "counts": [0] * latency.SIZE}
            for id_ in subscription_ids
        }
        if result:
            self._fill(result, first)
        for figures in result.values():
            figures["delivered"] = sum(ok for ok, _failed in figures["hours"])
            figures["failed"] = sum(failed for _ok, failed in figures["hours"])
            figures["p95"] = latency.percentile(figures.pop("counts"), 0.95)
        return result

    @api.model
    def _fill(self, result, first):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT subscription_id, hour, delivered, failed, latency
                  FROM sync_delivery_metric
                 WHERE subscription_id IN %s AND hour >= %s
                """,
                tuple(result),
                first,
            )
        )
        for id_, hour, delivered, failed, counts in rows:
            figures = result[id_]
            figures["hours"][int((hour - first).total_seconds() // 3600)] = (
                delivered,
                failed,
            )
            figures["counts"] = [
                a + b for a, b in zip(figures["counts"], counts, strict=True)
            ]
