from odoo import fields, models
from odoo.tools import SQL


class SyncDeadLetter(models.Model):
    """Dead letters by fingerprint: endpoint and class of error, one row each.

    A view, so that ten thousand letters with one cause are one line to decide on.
    """

    _name = "sync.dead.letter"
    _description = "Dead Letters by Cause"
    _order = "newest_at desc"
    _rec_name = "last_error"
    _auto = False

    subscription_id = fields.Many2one("sync.subscription", readonly=True)
    system_id = fields.Many2one(related="subscription_id.system_id")
    last_error = fields.Char(string="Error", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    letters = fields.Integer(readonly=True)
    event_types = fields.Integer(readonly=True, aggregator=None)
    records = fields.Integer(readonly=True)
    oldest_at = fields.Datetime(string="Oldest Event", readonly=True)
    newest_at = fields.Datetime(string="Newest Event", readonly=True)
    last_delivery_id = fields.Many2one("sync.delivery", string="Example", readonly=True)
    answer = fields.Char(compute="_compute_answer", help="Of the newest one.")

    @property
    def _table_query(self):
        # One of the deliveries names the group: it is the same as long as it is there.
        return SQL(
            """
            SELECT min(id) AS id, subscription_id, last_error, company_id,
                   count(*) AS letters, count(DISTINCT event_type_id) AS event_types,
                   count(DISTINCT key_id) AS records,
                   min(occurred_at) AS oldest_at, max(occurred_at) AS newest_at,
                   max(id) AS last_delivery_id
              FROM sync_delivery
             WHERE state = 'dead'
             GROUP BY subscription_id, last_error, company_id
            """
        )

    def _compute_answer(self):
        for group in self:
            attempt = group.last_delivery_id.attempt_ids[-1:]
            text = attempt.error or attempt.response_shown or ""
            group.answer = " ".join(text.split())[:120]

    def _domain(self):
        return [
            ("state", "=", "dead"),
            ("subscription_id", "=", self.subscription_id.id),
            ("last_error", "=", self.last_error),
            ("company_id", "=", self.company_id.id),
        ]

    def action_view(self):
        """Open the letters of this cause."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_dead_letter_action"
        )
        return action | {
            "name": f"{self.subscription_id.name}: {self.last_error}",
            "domain": self._domain(),
            "context": {},
        }

    def action_replay(self):
        """Plan a replay of the letters of these causes; one for each."""
        self.env["sync.delivery"]._check_operator()
        replays = self.env["sync.replay"].create(
            [
                {
                    "subscription_id": group.subscription_id.id,
                    "scope": "dead",
                    "error_class": group.last_error,
                    "reason": self.env._(
                        "Cause repaired: %(error)s", error=group.last_error
                    ),
                }
                for group in self
            ]
        )
        replays.action_plan()
        return replays._open()

    def action_export(self):
        """Download the letters as JSON lines."""
        deliveries = self.env["sync.delivery"].browse()
        for group in self:
            deliveries |= deliveries.search(group._domain())
        return deliveries.action_export()
