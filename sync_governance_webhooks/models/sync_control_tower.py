from odoo import api, models

ACTIONS = "sync_governance_webhooks."
UNDER_WAY = ("pending", "retrying", "delivering")


class SyncControlTower(models.AbstractModel):
    """Deliveries on the first screen."""

    _inherit = "sync.control.tower"

    @api.model
    def _tiles(self):
        tiles = super()._tiles() + [self._dead_letter_tile(), self._backlog_tile()]
        held = self._held_tile()
        return tiles + [held] if held else tiles

    @api.model
    def _held_tile(self):
        """What policies keep until somebody asks for it; None where there is none."""
        domain = [("state", "=", "held")]
        count = self.env["sync.delivery"].search_count(domain)
        return count and {
            "key": "held",
            "title": self.env._("Messages on demand"),
            "value": count,
            "subtitle": self.env._("select them and press “Send Now”"),
            "level": "warning",
            "icon": "hand-paper-o",
            "action": self._action(ACTIONS + "sync_delivery_action", domain),
        }

    @api.model
    def _dead_letter_tile(self):
        domain = [("state", "=", "dead")]
        count = self.env["sync.delivery"].search_count(domain)
        return {
            "key": "dead_letters",
            "title": self.env._("Dead letters"),
            "value": count,
            "subtitle": (
                self.env._("replay them once the cause is gone")
                if count
                else self.env._("every message has arrived or is on its way")
            ),
            "level": "danger" if count else "ok",
            "icon": "envelope",
            "action": self._action(ACTIONS + "sync_dead_letter_action", domain),
        }

    @api.model
    def _backlog_tile(self):
        domain = [("state", "in", UNDER_WAY)]
        deliveries = self.env["sync.delivery"]
        count = deliveries.search_count(domain)
        retrying = deliveries.search_count([("state", "=", "retrying")])
        return {
            "key": "backlog",
            "title": self.env._("Messages under way"),
            "value": count,
            "subtitle": (
                self.env._("%(count)s waiting for a further try", count=retrying)
                if retrying
                else self.env._("none had to be tried again")
            ),
            "level": "warning" if retrying else "ok",
            "icon": "paper-plane",
            "action": self._action(ACTIONS + "sync_delivery_action", domain),
        }

    @api.model
    def _system_figures(self, systems):
        result = super()._system_figures(systems)
        # sudo: figures without content, of systems that the user sees
        subscriptions = (
            self.env["sync.subscription"]
            .sudo()
            .search([("system_id", "in", systems.ids)])
        )
        days = self.env["sync.delivery.metric"].sudo()._last_day(subscriptions.ids)
        for system in systems:
            own = subscriptions.filtered(
                lambda record, system=system: record.system_id == system
            )
            if own:
                self._add_deliveries(result.setdefault(system.id, {}), own, days)
        return result

    @api.model
    def _add_deliveries(self, figures, subscriptions, days):
        """Put a system's deliveries into its tile."""
        dead, backlog = (
            sum(subscriptions.mapped("dead_count")),
            sum(subscriptions.mapped("backlog")),
        )
        domain = [("subscription_id", "in", subscriptions.ids)]
        figures.setdefault("figures", []).extend(
            [
                self._figure(
                    self.env._("Under way"),
                    backlog,
                    "warning",
                    ACTIONS + "sync_delivery_action",
                    domain + [("state", "in", UNDER_WAY)],
                ),
                self._figure(
                    self.env._("Dead letters"),
                    dead,
                    "danger",
                    ACTIONS + "sync_dead_letter_action",
                    domain + [("state", "=", "dead")],
                ),
            ]
        )
        figures["spark"] = [
            sum(
                days[subscription.id]["hours"][hour][0]
                for subscription in subscriptions
            )
            for hour in range(24)
        ]
        is_open = any(record.breaker_status != "closed" for record in subscriptions)
        if dead or is_open:
            figures["level"] = "danger"
