# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from . import dispatcher


class Hooks(Controller):
    @route(
        "/sync/v1/hooks/<string:system_code>",
        type="sync",
        # The message proves by its signature who sent it.
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def receive(self, system_code):
        """Verifies and stores a partner's webhook; queue_job does the rest."""
        dispatcher.check_method(request, "POST")
        # Superuser, as the gate: nobody is known yet.
        requests = request.env(user=SUPERUSER_ID)["sync.request"]
        answer = requests._answer_hook(
            system_code, dispatcher.incoming(request), dispatcher.request_ref(request)
        )
        return dispatcher.to_response(answer)
