# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import SUPERUSER_ID, fields
from odoo.http import Controller, request, route

from ..tools.call import Answer
from . import dispatcher

OPEN = {"type": "sync", "auth": "none", "csrf": False, "save_session": False}


class SyncDescription(Controller):
    """What tells about the API. It holds no data, so it is open to everybody."""

    @route("/sync/v1/openapi.json", **OPEN)
    def openapi(self):
        return self._json(self._descriptions()._openapi(self._server()))

    @route("/sync/v1/asyncapi.json", **OPEN)
    def asyncapi(self):
        return self._json(self._descriptions()._asyncapi(self._server()))

    @route("/sync/v1/health", **OPEN)
    def health(self):
        """Whether the database answers; nothing about what is in it."""
        request.env.cr.execute("SELECT 1")
        now = fields.Datetime.now().isoformat(timespec="seconds")
        return self._json({"status": "pass", "time": f"{now}Z"})

    def _descriptions(self):
        # Superuser: there is no user on these routes, and descriptions hold no data.
        return request.env(user=SUPERUSER_ID)["sync.openapi"]

    def _server(self):
        return request.httprequest.host_url.rstrip("/")

    def _json(self, value):
        dispatcher.check_method(request, "GET", "HEAD")
        body = json.dumps(value, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
        return dispatcher.to_response(Answer(200, body, headers))
