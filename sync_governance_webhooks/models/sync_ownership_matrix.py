from odoo import api, models

from ..tools.matching import matches, parse_patterns


class SyncOwnershipMatrix(models.AbstractModel):
    """Names the systems that subscriptions tell when a field changes."""

    _inherit = "sync.ownership.matrix"

    @api.model
    def _consumers(self, model_names):
        consumers = super()._consumers(model_names)
        subscriptions = self.env["sync.subscription"].search(
            [("state", "=", "active"), ("system_id", "!=", False)]
        )
        readers = [
            (
                subscription.system_id.id,
                parse_patterns(subscription.patterns),
                subscription._paths_read(),
            )
            for subscription in subscriptions
        ]
        event_types = self.env["sync.event.type"].search(
            [("model_name", "in", list(model_names))]
        )
        for event_type in event_types:
            for system_id, patterns, paths in readers:
                if matches(event_type.name, patterns):
                    for name in event_type._fields_told(paths):
                        consumers[event_type.model_name, name].add(system_id)
        return consumers
