# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import logging
import re
import secrets

import psycopg2
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from odoo.exceptions import ConcurrencyError, UserError
from odoo.http import HttpDispatcher, Response

from ..tools.call import Answer, Incoming
from ..tools.problem import Problem
from ..tools.route import method_not_allowed

_logger = logging.getLogger(__name__)
# Where the reference of a call survives when Odoo runs its controller again.
REF_KEY = "sync_governance.request_ref"


class SyncDispatcher(HttpDispatcher):
    """Routes of ``type="sync"``: the body stays raw, every error is a problem document.

    Odoo's own http dispatcher parses forms, hands query parameters to Python arguments
    and answers errors in HTML; its json2 dispatcher answers them with a traceback.
    """

    routing_type = "sync"
    mimetypes = ()

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)

    def handle_error(self, exc):
        problem = as_problem(exc)
        return to_response(Answer.of_problem(problem, request_ref(self.request)))


def as_problem(exc):
    """What a caller may know of an exception that reached the edge."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, HTTPException) and exc.code:
        code = re.sub(r"\W+", "_", exc.name).lower()
        return Problem(exc.code, code, exc.description or "")
    if isinstance(exc, UserError):
        return Problem(exc.http_status, "business_rule", str(exc))
    if isinstance(exc, (psycopg2.OperationalError, ConcurrencyError)):
        return Problem(
            503,
            "temporary_reduced_capacity",
            "Too many calls change the same data at once. Repeat this one.",
            headers={"Retry-After": "1"},
        )
    return Problem(
        500,
        "internal_error",
        "The call failed and left nothing behind. Tell us the instance.",
    )


def check_method(request, *allowed):
    """Refuse another method here, as the catch-all route would not know the address.

    :raise Problem: 405
    """
    if request.httprequest.method not in allowed:
        raise method_not_allowed(allowed)


def request_ref(request):
    """Reference of this HTTP call, the same each time its controller runs."""
    environ = request.httprequest.environ
    return environ.setdefault(REF_KEY, f"req_{secrets.token_hex(16)}")


def to_response(answer):
    """Odoo's response of an ``Answer``."""
    return Response(
        answer.body, status=answer.status, headers=list(answer.headers.items())
    )


def incoming(request):
    """The HTTP request as the value that the gate takes."""
    http = request.httprequest

    def read(limit):
        # Werkzeug counts while it reads: a longer body is refused before it is all in.
        http.max_content_length = limit
        try:
            return http.get_data()
        except RequestEntityTooLarge:
            raise Problem(
                413, "body_too_large", f"A body may have {limit} bytes."
            ) from None

    return Incoming(
        method=http.method,
        path=http.path,
        query_string=http.query_string.decode("ascii", "replace"),
        query=http.args.to_dict(),
        headers={name.lower(): value for name, value in http.headers.items()},
        remote_addr=http.remote_addr or "",
        read=read,
        secure=http.scheme == "https",
    )
