# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from . import dispatcher


class SyncOauth(Controller):
    @route(
        "/sync/v1/oauth/token",
        type="sync",
        # The client proves itself with its key.
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def token(self):
        """OAuth 2.0 token endpoint, client credentials grant."""
        dispatcher.check_method(request, "POST")
        # Superuser, as the gate: nobody is known yet.
        gate = request.env(user=SUPERUSER_ID)["sync.gate"]
        answer = gate._grant(
            dispatcher.incoming(request), dispatcher.request_ref(request)
        )
        return dispatcher.to_response(answer)
