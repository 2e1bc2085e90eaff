# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncOnboardingLiveLine(models.TransientModel):
    _name = "sync.onboarding.live.line"
    _description = "Trial Data of a Partner"

    wizard_id = fields.Many2one(
        "sync.onboarding.live", required=True, ondelete="cascade"
    )
    res_model = fields.Char(readonly=True, required=True)
    model_label = fields.Char(string="Kind", compute="_compute_model_label")
    count = fields.Integer(string="Ids", readonly=True)
    retire = fields.Boolean(
        help="The ids used in trials are given up, so that the partner can use the same"
        " numbers for real records. The records stay."
    )

    @api.depends("res_model")
    def _compute_model_label(self):
        for line in self:
            # sudo: the name of a model is no secret
            line.model_label = self.env["ir.model"].sudo()._get(line.res_model).name
