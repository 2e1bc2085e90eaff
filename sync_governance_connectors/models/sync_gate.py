# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import logging
from contextlib import contextmanager
from datetime import datetime, timezone
from time import monotonic

from psycopg2 import IntegrityError, OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError, MissingError, UserError
from odoo.sql_db import Cursor

from odoo.addons.sync_governance_base.tools.source import Channel, Source

from ..tools import headers, idempotency, jsonbody, token
from ..tools import route as routing
from ..tools.call import Answer, Call
from ..tools.caller import scope_missing
from ..tools.passage import PREFIX, Passage
from ..tools.problem import Problem

_logger = logging.getLogger(__name__)

STEPS = (
    "proxy",
    "credential",
    "plan",
    "scope",
    "idempotency",
    "content_type",
    "schema",
    "apply",
)


class SyncGate(models.AbstractModel):
    """The one way in: every call of a partner passes these steps, in this order.

    A step is a method ``_step_<name>(passage)``. It notes what it learned on the
    passage, answers early by setting ``passage.answer``, or refuses by raising
    ``Problem``. What steps are made of is in files by topic:
    ``sync_gate_credential``, ``_plan``, ``_claim``, ``_schema``, ``_operation``,
    ``_bulk``, ``_later``, ``_record`` and ``_oauth``.

    The gate itself runs as superuser, because it has to read credentials before
    there is anybody. A resource runs as the service account's user (:meth:`_enter`).

    Business effects happen inside one savepoint, in ``_step_apply``: whatever
    is refused or fails there leaves nothing but the request that tells about it.
    """

    _name = "sync.gate"
    _description = "Gate of the API"

    # -- the way through -------------------------------------------------------------

    @api.model
    def _handle(self, incoming, ref):
        """Answer one call.

        :param incoming: ``Incoming``
        :param ref: reference of the request; the same when Odoo runs the call again
            after a serialization failure
        :return: ``Answer``
        """
        passage = Passage(incoming, ref, datetime.now(timezone.utc), monotonic)
        try:
            for name in self._steps():
                with passage.step(name):
                    getattr(self, f"_step_{name}")(passage)
                if passage.answer:
                    break
        except Problem as problem:
            self._refuse(passage, problem)
        if passage.keep:
            self._keep(passage)
        return self._dress(passage)

    def _refuse(self, passage, problem):
        passage.problem = problem
        passage.answer = Answer.of_problem(problem, passage.ref)
        if passage.keep and passage.caller is None:
            self._count_stranger(passage)
        problem.aftermath()

    @api.model
    def _steps(self):
        """Names of the steps, in order; a module may add its own ``_step_<name>``."""
        return STEPS

    def _dress(self, passage):
        """Headers that every answer has."""
        caller_id = headers.request_id(passage.incoming.header("x-request-id"))
        dressed = {
            "Cache-Control": "no-store",
            "X-Request-Id": caller_id or passage.ref,
            **passage.headers,
            **passage.answer.headers,
        }
        parent = headers.traceparent(passage.incoming.header("traceparent"))
        if parent:
            dressed["traceparent"] = parent
        return Answer(passage.answer.status, passage.answer.body, dressed)

    # -- the steps -------------------------------------------------------------------

    def _step_proxy(self, passage):
        """Odoo's ``proxy_mode`` has told the caller's real address and scheme."""
        asked = self.env["ir.config_parameter"].get_param(
            "sync_governance.require_https"
        )
        if asked and asked != "False" and not passage.incoming.secure:
            raise Problem(403, "https_required", "Call this API over HTTPS.")
        if not headers.accepts_json(passage.incoming.header("accept")):
            raise Problem(406, "not_acceptable", "Answers are application/json.")

    def _step_credential(self, passage):
        bearer = token.parse_authorization(passage.incoming.header("authorization"))
        passage.caller = self._authenticate(passage, bearer)

    def _step_plan(self, passage):
        """Before anything is looked up: what is refused below counts as well."""
        incoming, allowance = passage.incoming, passage.caller.allowance
        passage.headers |= self._charge(
            allowance, incoming.remote_addr, passage.unix_now
        )
        self._take_slot(allowance)
        if incoming.method in ("POST", "PUT", "PATCH"):
            passage.raw = incoming.read(allowance.max_body)

    def _step_scope(self, passage):
        path = passage.incoming.path.removeprefix(PREFIX)
        if not path.isprintable():
            raise Problem(404, "no_such_path", "There is nothing at this address.")
        segments = path.strip("/").split("/")
        resource = self._enter(passage)["sync.resource"]._get(segments[0])
        if resource is None:
            raise Problem(404, "no_such_path", "There is nothing at this address.")
        passage.resource = resource
        passage.route = routing.resolve(
            passage.incoming.method,
            segments,
            resource._resource_operations,
            resource._resource_transitions(),
        )
        needed = passage.needed_scope
        if needed and needed not in passage.caller.scopes:
            raise scope_missing(needed)
        self._note_scope_use(passage)

    def _step_idempotency(self, passage):
        passage.key = idempotency.parse_key(passage.incoming.header("idempotency-key"))
        operation = passage.route.operation
        if operation in routing.NO_BODY:
            passage.key = None
        elif passage.key is None and operation in routing.KEY_REQUIRED:
            raise idempotency.missing()
        if passage.key is not None:
            self._claim_key(passage)

    def _step_content_type(self, passage):
        if passage.route.operation in routing.NO_BODY:
            return
        kind, charset = headers.media_type(passage.incoming.header("content-type"))
        if not passage.raw and passage.route.operation == "transition":
            passage.body = {}
            return
        expected = passage.route.content_type
        if kind != expected or charset not in ("", "utf-8"):
            accept = (
                "Accept-Patch" if passage.route.operation == "patch" else "Accept-Post"
            )
            raise Problem(
                415,
                "media_type_unsupported",
                f"Send {expected} in UTF-8.",
                headers={accept: expected},
            )
        passage.body = jsonbody.parse(passage.raw)

    def _step_schema(self, passage):
        if passage.route.operation in routing.NO_BODY:
            return
        name = passage.route.transition or passage.route.operation
        passage.version = self._validate(
            passage.resource, name, passage.body, passage.version
        )
        versions = self._contract_versions(passage.resource, name)
        passage.headers |= versions.get(passage.version, {})

    def _step_apply(self, passage):
        operate = getattr(self, f"_operate_{passage.route.operation}")
        with self._business(passage.ref), self.env.cr.savepoint():
            passage.answer = operate(passage)

    # -- what steps share ------------------------------------------------------------

    def _enter(self, passage):
        """Environment of the service account; sets ``passage.call``."""
        caller = passage.caller
        source = Source(
            channel=Channel.INBOUND,
            system_code=caller.system_code,
            system_id=caller.system_id,
            user_id=caller.user_id,
            request_ref=passage.ref,
        )
        env = self.env(
            user=caller.user_id,
            su=False,
            context={
                "lang": "en_US",
                "tz": "UTC",
                "allowed_company_ids": [caller.company_id],
                "sync_source": source,
                "sync_traceparent": headers.traceparent(
                    passage.incoming.header("traceparent")
                ),
            },
        )
        # The service account has no right on the suite's own models: what a resource
        # gets of its system and credential is readable nevertheless.
        passage.call = Call(
            system=env["sync.system"].browse(caller.system_id).sudo(),
            credential=env["sync.credential"].browse(caller.credential_id).sudo(),
            source=source,
            request_ref=passage.ref,
            now=passage.now,
            scopes=frozenset(caller.scopes),
        )
        return env

    @contextmanager
    def _short_transaction(self):
        """Environment on a cursor of its own, committed at the end of the block.

        READ COMMITTED, so that counting waits for a row lock instead of failing; not
        flushed at commit, because PostgreSQL writes commits in order: if the effects
        that follow are on disk, the claim before them is as well.
        """
        with self.env.registry.cursor() as cr:
            # The cursor of a test shares one running transaction.
            if isinstance(cr, Cursor):
                cr.execute(
                    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
                    "SET LOCAL synchronous_commit TO OFF"
                )
            yield self.env(cr=cr)

    @contextmanager
    def _business(self, ref):
        """Turn whatever business code raises into a :class:`Problem`.

        Serialization failures pass: Odoo rolls back and calls the gate again.
        """
        try:
            yield
        except (Problem, OperationalError, ConcurrencyError):
            raise
        except UniqueViolation as error:
            _logger.info("%s: %s", ref, error.diag.message_primary)
            raise Problem(
                409, "exists", "Another record has one of these unique values."
            ) from error
        except IntegrityError as error:
            _logger.info("%s: %s", ref, error.diag.message_primary)
            raise Problem(
                422, "business_rule", "One of the values is impossible here."
            ) from error
        except MissingError as error:
            raise Problem(404, "not_found", str(error)) from error
        except AccessError as error:
            _logger.info("%s: %s", ref, error)
            raise Problem(
                403, "forbidden", "The service account may not do that."
            ) from error
        except UserError as error:
            raise Problem(422, "business_rule", str(error)) from error
        except Exception as error:
            _logger.exception("%s failed", ref)
            raise Problem(
                500,
                "internal_error",
                "The call failed and left nothing behind. Tell us the instance.",
            ) from error
