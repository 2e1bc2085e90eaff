# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.http import request

from ..controllers.dispatcher import SyncDispatcher
from ..tools.passage import PREFIX


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _handle_error(cls, exception):
        """Addresses of the API that no route matches fail as a problem, not in HTML."""
        if request.httprequest.path.startswith(f"{PREFIX}/"):
            return SyncDispatcher(request).handle_error(exception)
        return super()._handle_error(exception)
