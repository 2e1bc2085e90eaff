# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import api, models

from ..tools.problem import Problem


class SyncDelivery(models.Model):
    _inherit = "sync.delivery"

    @api.model
    def _data(self, row, subscription):
        """The payload in the receiver's own words, where the subscription says so.

        It is made once: what was sent is kept, and sent again as it was.

        :raise ValueError: no mapping is in force, or it cannot say it, such as a unit
            without a word
        """
        data = super()._data(row, subscription)
        if row["body"] or not subscription.is_mapped:
            return data
        system = subscription.system_id
        mapping = self.env["sync.mapping"]._of(system, row["name"], "out")
        if not mapping:
            raise ValueError(f"{system.name} has no active mapping of {row['name']}.")
        try:
            message = mapping._render(json.loads(data))
        except Problem as problem:
            raise ValueError(problem.summary()) from problem
        return json.dumps(message, ensure_ascii=False)
