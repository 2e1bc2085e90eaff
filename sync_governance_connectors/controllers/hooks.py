# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
import time

from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from ..tools.call import Answer
from ..tools.problem import Problem
from ..tools.verify_inbound import Rejected
from . import dispatcher

MAX_BODY = 1024 * 1024


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
        env = request.env(user=SUPERUSER_ID)
        incoming = dispatcher.incoming(request)
        body = incoming.read(MAX_BODY)
        system = env["sync.system"]._receiving(system_code)
        requests = env["sync.request"]
        try:
            verified = system._verify_inbound(incoming.headers, body, time.time())
        except Rejected as rejected:
            requests._refuse_hook(system, rejected, incoming)
            return self._refused()
        ref, known = requests._receive_hook(system, verified, body, incoming)
        return dispatcher.to_response(
            Answer(
                200 if known else 202,
                json.dumps({"request": ref, "duplicate": known}).encode(),
                {"Content-Type": "application/json"},
            )
        )

    def _refused(self):
        """One answer for an unknown system and a wrong signature: no oracle."""
        problem = Problem(
            401, "webhook_refused", "The message does not prove who sent it."
        )
        return dispatcher.to_response(
            Answer.of_problem(problem, dispatcher.request_ref(request))
        )
