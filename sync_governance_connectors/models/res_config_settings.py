# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sync_require_https = fields.Boolean(
        "HTTPS only", config_parameter="sync_governance.require_https"
    )
    sync_public_docs = fields.Boolean(
        "Public API documentation", config_parameter="sync_governance.public_docs"
    )
