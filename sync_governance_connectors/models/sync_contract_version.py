# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import pointer


class SyncContractVersion(models.Model):
    _inherit = "sync.contract.version"

    caller_count = fields.Integer("Callers", compute="_compute_caller_count")

    def _compute_caller_count(self):
        groups = self.env["sync.contract.caller"]._read_group(
            [("version_id", "in", self.ids)], ["version_id"], ["__count"]
        )
        counts = {version.id: count for version, count in groups}
        for version in self:
            version.caller_count = counts.get(version.id, 0)

    @api.constrains("schema_text")
    def _check_schema(self):
        """The gate holds bodies to it: what it cannot do is not agreed on."""
        for version in self:
            try:
                pointer.check(json.loads(version.schema_text))
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "No body can be held to this schema: %(error)s.", error=error
                    )
                ) from error

    def action_open_callers(self):
        """The systems whose calls follow this version."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_contract_caller_action"
        )
        return {**action, "domain": [("version_id", "in", self.ids)], "context": {}}
