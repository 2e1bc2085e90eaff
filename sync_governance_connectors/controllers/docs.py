# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from werkzeug.exceptions import Forbidden

from odoo.http import Controller, request, route

VIEWER = "sync_governance_base.group_sync_viewer"
PUBLIC = "sync_governance.public_docs"
# Nothing from elsewhere, nothing inline: the viewer is shipped with the module.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class SyncDocs(Controller):
    @route("/sync/docs", type="http", auth="public", methods=["GET"], readonly=True)
    def docs(self):
        """The API's description in a viewer, where calls can be tried with a key."""
        is_inside = request.env.user.has_group(VIEWER)
        if not is_inside and not self._is_public():
            if request.env.user._is_public():
                return request.redirect("/web/login?redirect=/sync/docs")
            raise Forbidden()
        response = request.render(
            "sync_governance_connectors.docs", {"is_inside": is_inside}
        )
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _is_public(self):
        # sudo: a visitor may not read parameters, this one decides about him
        asked = request.env["ir.config_parameter"].sudo().get_param(PUBLIC)
        return bool(asked) and asked != "False"
