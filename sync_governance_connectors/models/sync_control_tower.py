# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models

# the stages of the flow from order to cash, by the events that mark them
STAGES = (
    "order.created",
    "order.confirmed",
    "shipment.dispatched",
    "invoice.posted",
    "payment.posted",
)
FUNNEL_DAYS = 30


class SyncControlTower(models.AbstractModel):
    _inherit = "sync.control.tower"

    def _tiles(self):
        return [*super()._tiles(), self._tile_refused_calls(), self._tile_keys()]

    def _tile_refused_calls(self):
        domain = [("state", "=", "refused"), ("create_date", ">=", "-24H")]
        requests = self.env["sync.request"]
        count = requests.search_count(domain)
        total = requests.search_count([("create_date", ">=", "-24H")])
        return {
            "key": "refused_calls",
            "title": self.env._("Refused calls"),
            "value": count,
            "subtitle": self.env._("of %(total)s in 24 hours", total=total),
            "level": "warning" if count else "ok",
            "icon": "ban",
            "action": {
                "xmlid": "sync_governance_connectors.sync_request_action",
                "domain": domain,
            },
        }

    def _tile_keys(self):
        usable = [("state", "in", ("active", "overlapping"))]
        domain = [*usable, ("expires_at", "<", "+14d")]
        credentials = self.env["sync.credential"]
        count = credentials.search_count(domain)
        total = credentials.search_count(usable)
        return {
            "key": "expiring_keys",
            "title": self.env._("Keys ending soon"),
            "value": count,
            "subtitle": self.env._("of %(total)s in use", total=total),
            "level": "warning" if count else "ok",
            "icon": "key",
            "action": {
                "xmlid": "sync_governance_connectors.sync_credential_action",
                "domain": domain,
            },
        }

    def _funnel(self):
        """How many records reached each stage; late: a system was not told yet."""
        titles = self._stage_titles()
        return super()._funnel() + [self._stage(name, titles[name]) for name in STAGES]

    def _stage_titles(self):
        return {
            "order.created": self.env._("Orders received"),
            "order.confirmed": self.env._("Confirmed"),
            "shipment.dispatched": self.env._("Dispatched"),
            "invoice.posted": self.env._("Invoiced"),
            "payment.posted": self.env._("Paid"),
        }

    def _stage(self, name, title):
        domain = [("name", "=", name), ("occurred_at", ">=", f"-{FUNNEL_DAYS}d")]
        events = self.env["sync.event"]
        late = [("delivery_ids.state", "in", ("retrying", "dead"))]
        return {
            "key": name,
            "title": title,
            "count": events.search_count(domain),
            "late": events.search_count(domain + late),
            "action": self._action(
                "sync_governance_webhooks.sync_event_action", domain
            ),
        }
