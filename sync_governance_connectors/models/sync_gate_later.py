# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import datetime, timezone
from time import monotonic

from odoo import api, models

from ..tools import etag, headers
from ..tools.call import Answer, Incoming
from ..tools.caller import Caller
from ..tools.jsonbody import dump
from ..tools.passage import PREFIX, Passage
from ..tools.problem import Problem
from ..tools.route import NO_BODY

# What is left to do for a call that has been authenticated and counted before.
AGAIN = ("scope", "content_type", "schema", "apply")
CHANNEL = "root.sync_inbound"


class SyncGate(models.AbstractModel):
    """Doing a call's work later, or again for an operator's eyes."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    def _step_apply(self, passage):
        wish = headers.prefers_async(passage.incoming.header("prefer"))
        if wish and passage.route.operation not in NO_BODY:
            passage.answer = self._accept(passage)
        else:
            super()._step_apply(passage)

    def _accept(self, passage):
        """202: the valid body is kept, a job does the work."""
        etag.check_if_match_form(
            passage.incoming.header("if-match"),
            required=passage.route.operation == "patch",
        )
        passage.later = True
        self._enqueue_later(
            passage.ref, f"{passage.incoming.method} {passage.route.template}"
        )
        href = f"{PREFIX}/requests/{passage.ref}"
        return Answer(
            202,
            dump({"request": passage.ref, "state": "validated", "href": href}),
            {
                "Content-Type": "application/json",
                "Location": href,
                "Preference-Applied": "respond-async",
            },
        )

    @api.model
    def _enqueue_later(self, ref, description, **options):
        """:param options: of ``sync.request._do_later``"""
        self.env["sync.request"].with_delay(
            channel=CHANNEL,
            # One job, also when Odoo runs the call again after a concurrent update.
            identity_key=f"sync_later:{ref}",
            description=description,
        )._do_later(ref, **options)

    @api.model
    def _again(self, request, check=None):
        """Run a kept call from its stored body, in the current transaction.

        :param request: ``sync.request`` with a whole body
        :param check: what is looked at before, as it is now: called with the row of the
            credential, the caller's address and the time; raises ``Problem``
        :return: the ``Passage`` it took; its answer is what would be sent now
        """
        row, _failures = self._load_credential(request.credential_id.prefix, "")
        passage = self._passage_of(request, row)
        try:
            if check:
                with passage.step("credential"):
                    check(row, passage.incoming.remote_addr, passage.now)
            for name in AGAIN:
                with passage.step(name):
                    getattr(self, f"_step_{name}")(passage)
        except Problem as problem:
            passage.problem = problem
            passage.answer = Answer.of_problem(problem, request.ref)
            problem.aftermath()
        return passage

    def _passage_of(self, request, row):
        raw = (request.request_body or "").encode()
        kept = request.request_headers or {}
        incoming = Incoming(
            method=request.method,
            path=request.path,
            query_string="",
            query={},
            # Now is the later that the caller asked for.
            headers={**kept, "prefer": ""},
            remote_addr=request.remote_addr or "",
            read=lambda limit: raw,
        )
        return Passage(
            incoming,
            request.ref,
            datetime.now(timezone.utc),
            monotonic,
            caller=Caller.of_row(row, row["scopes"] or {}),
            raw=raw,
            late=headers.prefers_async(kept.get("prefer")),
            version=request.contract_version or "",
        )
