# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
import uuid

from odoo import api, fields, models


class SyncRequest(models.Model):
    """Rows of feeds that could not be applied: the same desk as for webhooks.

    A row is known by its record's id, so that one that comes again and again is one
    request; the run in which it goes through closes it.
    """

    _inherit = "sync.request"

    kind = fields.Selection(
        selection_add=[("feed", "Row of a feed")], ondelete={"feed": "cascade"}
    )
    feed_id = fields.Many2one(
        "sync.feed", readonly=True, index="btree_not_null", ondelete="set null"
    )

    @api.model
    def _stuck_keys(self, feed):
        """What the feed's quarantined rows are known by."""
        stuck = self.sudo().search_fetch(
            [("feed_id", "=", feed.id), ("state", "=", "quarantined")], ["event_id"]
        )
        return set(stuck.mapped("event_id"))

    @api.model
    def _stuck_row(self, feed, key):
        return self.sudo().search(
            [
                ("feed_id", "=", feed.id),
                ("state", "=", "quarantined"),
                ("event_id", "=", key),
            ],
            limit=1,
        )

    @api.model
    def _settle_row(self, feed, key, result):
        """A later run has applied what was stuck."""
        self._stuck_row(feed, key)._applied(result)

    @api.model
    def _quarantine_row(self, run, key, row, problem):
        """Keep a row that cannot be applied, with its reason."""
        feed = run.feed_id
        request = self._stuck_row(feed, key) or self.sudo().create(
            {
                "ref": f"req_{uuid.uuid4().hex}",
                "kind": "feed",
                "feed_id": feed.id,
                "state": "received",
                "system_id": feed.system_id.id,
                "company_id": feed.company_id.id,
                "event_type": feed.event_type,
                "event_id": key,
            }
        )
        request.request_body = json.dumps(row.message or {}, ensure_ascii=False)
        request._quarantine(problem)
        return request

    def _mapping(self):
        if not self.feed_id:
            return super()._mapping()
        return self.feed_id._mapping_or_none()

    def _instruction(self):
        if not self.feed_id:
            return super()._instruction()
        message = json.loads(self.sudo().request_body)
        return self.feed_id._instruction(message)

    def _issue_fingerprint(self):
        if not self.feed_id:
            return super()._issue_fingerprint()
        return f"feed_rows:{self.feed_id.id}"
