# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

#: Groups approved in one go; the next ones are a click away.
BAND_LIMIT = 100


class SyncMergeBand(models.TransientModel):
    """Preview of the groups that can be merged without looking at each:
    probable beyond the band of their rule, with nothing at risk."""

    _name = "sync.merge.band"
    _description = "Approve the Safe Band"

    line_ids = fields.One2many("sync.merge.band.line", "wizard_id")
    count = fields.Integer(compute="_compute_count")

    @api.depends("line_ids.approved")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard.line_ids.filtered("approved"))

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "line_ids" in fields_list:
            values["line_ids"] = [
                fields.Command.create(line)
                for line in self._preview(self._safe_groups())
            ]
        return values

    @api.model
    def _safe_groups(self):
        Group = self.env["sync.duplicate.group"]
        groups = Group
        for rule in self.env["sync.duplicate.rule"].search([]):  # pylint: disable=no-search-all; few
            groups |= Group.search(
                [
                    ("rule_id", "=", rule.id),
                    ("state", "=", "suggested"),
                    ("score", ">=", rule.auto_threshold),
                    ("value_at_stake", "=", 0),
                ],
                limit=BAND_LIMIT,
            )
        return groups[:BAND_LIMIT].filtered(lambda group: group._is_safe())

    @api.model
    def _preview(self, groups):
        lines = []
        for group in groups:
            records = self.env[group.model_name].browse(
                group.member_ids.mapped("record_id")
            )
            proposal = self.env["sync.duplicate.survivorship"]._proposal(records)
            survivor = records.browse(proposal["survivor_id"])
            lines.append(
                {
                    "group_id": group.id,
                    "survivor_name": survivor.display_name,
                    "retired_names": ", ".join(
                        (records - survivor).mapped("display_name")
                    ),
                    "taken_fields": self._taken(records, survivor, proposal["values"]),
                }
            )
        return lines

    @api.model
    def _taken(self, records, survivor, values):
        """:return: labels of the fields that the survivor takes from another record"""
        names = [name for name, record_id in values.items() if record_id != survivor.id]
        labels = records.fields_get(names, ["string"])
        return ", ".join(labels[name]["string"] for name in names)

    def action_merge(self):
        self.ensure_one()
        groups = self.line_ids.filtered("approved").group_id
        if not groups:
            raise UserError(self.env._("Approve at least one group."))
        # an order may have come since the preview: then somebody has to look
        groups = groups.filtered(lambda group: group._is_open() and group._is_safe())
        for group in groups:
            group.action_merge(reason=self.env._("Approved in the safe band"))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%s groups merged. Each can be undone.", len(groups)
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
