# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from . import dispatcher


class SyncApi(Controller):
    @route(
        "/sync/v1/<path:path>",
        type="sync",
        # The gate authenticates: a key is no Odoo session and no Odoo API key.
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def resource(self, path):
        """Every resource; the gate answers unknown addresses and methods as well."""
        # Superuser, because the gate reads keys before anybody is known; it runs the
        # resource as the service account's user.
        gate = request.env(user=SUPERUSER_ID)["sync.gate"]
        answer = gate._handle(
            dispatcher.incoming(request), dispatcher.request_ref(request)
        )
        return dispatcher.to_response(answer)
