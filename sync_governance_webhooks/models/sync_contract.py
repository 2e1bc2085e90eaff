from odoo import models

from odoo.addons.sync_governance_base.models.sync_contract import Consumer

from ..tools.matching import matches, parse_patterns


class SyncContract(models.Model):
    """Names the subscriptions that a change of the contract would touch."""

    _inherit = "sync.contract"

    def _consumers(self):
        consumers = super()._consumers()
        if not self.event_name:
            return consumers
        # sudo: the board must hear of every reader, whatever its members may see
        subscriptions = (
            self.env["sync.subscription"].sudo().search([("state", "!=", "disabled")])
        )
        last_hours = dict(
            self.env["sync.delivery.metric"]
            .sudo()
            ._read_group(
                [("subscription_id", "in", subscriptions.ids), ("delivered", ">", 0)],
                ["subscription_id"],
                ["hour:max"],
            )
        )
        return consumers + [
            Consumer(
                name=subscription.name,
                system_id=subscription.system_id.id or None,
                paths=subscription._paths_read(),
                last_used=last_hours.get(subscription),
                res_model=subscription._name,
                res_id=subscription.id,
            )
            for subscription in subscriptions
            if matches(self.event_name, parse_patterns(subscription.patterns))
        ]
