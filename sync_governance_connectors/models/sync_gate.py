# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import ipaddress
import json
import logging
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import quote

from psycopg2 import IntegrityError, OperationalError

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError, MissingError, UserError
from odoo.sql_db import Cursor
from odoo.tools import SQL, ormcache

from odoo.addons.sync_governance_base.tools.source import Channel, Source

from ..tools import (
    etag,
    headers,
    idempotency,
    jsonbody,
    masking,
    openapi,
    pointer,
    ratelimit,
    token,
)
from ..tools import route as routing
from ..tools.call import Answer, Call, Incoming, ResourceResult
from ..tools.problem import FieldError, Problem
from .sync_rate_counter import FAILURES, GUESSES

_logger = logging.getLogger(__name__)

PREFIX = "/sync/v1"
STEPS = (
    "proxy",
    "credential",
    "scope",
    "plan",
    "idempotency",
    "content_type",
    "schema",
    "apply",
)
NO_BODY = frozenset({"list", "read"})
KEPT_HEADERS = ("content-type", "if-match", "if-none-match", "prefer", "traceparent")
LIST_PARAMETERS = frozenset({"limit", "cursor", "updated_since"})
# Items are checked one by one: a bad one does not refuse the others.
BULK_ENVELOPE = openapi.bulk_schema({"type": "object", "properties": {}})
# Advisory locks of calls at the same time live in a number space of their own.
SLOT_SPACE = 0x53594E43  # "SYNC"


@dataclass(frozen=True)
class Caller:
    """A recognised credential, with all that the gate needs, from one query."""

    credential_id: int
    user_id: int
    system_id: int
    system_code: str
    company_id: int
    scopes: dict  # "domain:operation" -> day of last use, or None
    plan: str
    limit: ratelimit.Limit
    concurrency: int
    max_body: int
    sandbox: bool


@dataclass
class Passage:
    """One call on its way through the gate: what each step learned for the next."""

    incoming: Incoming
    ref: str
    now: datetime
    started: float = field(default_factory=time.monotonic)
    trace: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    caller: Caller | None = None
    system_id: int | None = None  # of a known prefix, also when the secret is wrong
    route: routing.Route | None = None
    resource: object = None
    call: Call | None = None
    raw: bytes = b""
    body: object = None
    key: str | None = None
    fingerprint: str | None = None
    version: str | None = None  # of the contract; "" when there is none
    answer: Answer | None = None
    problem: Problem | None = None
    result: ResourceResult | None = None
    child_values: list = field(default_factory=list)  # requests of a bulk call's items
    replay_of: str | None = None
    later: bool = False
    hide_answer: bool = False  # it holds a secret: not to be kept
    keep: bool = True

    @contextmanager
    def step(self, name):
        """Measure a step; the trace shows it also when it refuses."""
        begun = time.monotonic()
        try:
            yield
        finally:
            spent = round((time.monotonic() - begun) * 1000, 3)
            self.trace.append({"step": name, "ms": spent})

    @property
    def unix_now(self):
        return self.now.timestamp()


class SyncGate(models.AbstractModel):
    """The one way in: every call of a partner passes these steps, in this order.

    The gate itself runs as superuser, because it has to read credentials before
    there is anybody. A resource runs as the service account's user (:meth:`_enter`).

    Business effects happen inside one savepoint, in ``_step_apply``: whatever
    is refused or fails there leaves nothing but the request that tells about it.
    """

    _name = "sync.gate"
    _description = "Gate of the API"

    # -- skeleton --------------------------------------------------------------------

    @api.model
    def _handle(self, incoming, ref):
        """Answer one call.

        :param incoming: ``Incoming``
        :param ref: reference of the request; the same when Odoo runs the call again
            after a serialization failure
        :return: ``Answer``
        """
        passage = Passage(incoming, ref, datetime.now(timezone.utc))
        try:
            for name in self._steps():
                with passage.step(name):
                    getattr(self, f"_step_{name}")(passage)
                if passage.answer:
                    break
        except Problem as problem:
            passage.problem = problem
            passage.answer = Answer.of_problem(problem, ref)
            if problem.aftermath:
                problem.aftermath()
        if passage.keep:
            self._keep(passage)
        return self._dress(passage)

    @api.model
    def _steps(self):
        """Names of the steps, in order; a module may add its own ``_step_<name>``."""
        return STEPS

    # -- proxy -----------------------------------------------------------------------

    def _step_proxy(self, passage):
        """Odoo's ``proxy_mode`` has told the caller's real address and scheme."""
        asked = self.env["ir.config_parameter"].get_param(
            "sync_governance.require_https"
        )
        if asked and asked != "False" and not passage.incoming.secure:
            raise Problem(403, "https_required", "Call this API over HTTPS.")
        if not headers.accepts_json(passage.incoming.header("accept")):
            raise Problem(406, "not_acceptable", "Answers are application/json.")

    # -- credential ------------------------------------------------------------------

    def _step_credential(self, passage):
        bearer = token.parse_authorization(passage.incoming.header("authorization"))
        passage.caller = self._authenticate(passage, bearer)

    def _authenticate(self, passage, bearer):
        """The caller behind a key or access token.

        An unknown prefix and a wrong secret take the same query, the same comparison
        and the same answer.
        """
        address = passage.incoming.remote_addr
        prefix = bearer.prefix if bearer else ""
        row, failures = self._load_credential(prefix, address)
        meter = ratelimit.Meter(tat=failures or 0.0)
        if prefix and not ratelimit.take(GUESSES, meter, passage.unix_now).allowed:
            passage.keep = False  # a flood shall not fill the requests screen
            raise self._too_many_guesses(meter, passage.unix_now)
        scopes = self._proven_scopes(bearer, row, passage.unix_now)
        if scopes is None:
            passage.system_id = row["system_id"] if row else None
            raise self._failure(passage, prefix, address)
        self._check_usable(row, address, passage.now)
        return self._caller(row, scopes)

    def _load_credential(self, prefix, address):
        """``(row or None, tat of the guesses at this prefix)``, in one query."""
        self.env.cr.execute(
            SQL(
                """SELECT c.id AS credential_id, c.secret_hash, c.state, c.expires_at,
                          c.allowed_networks, c.sandbox, a.user_id, a.company_id,
                          a.active AND u.active AS active, s.id AS system_id,
                          s.code AS system_code, s.state AS system_state,
                          p.code AS plan, p.per_minute, p.burst, p.per_day,
                          p.concurrency, p.max_body_kb,
                          (SELECT jsonb_object_agg(d.code || ':' || cs.operation,
                                                   cs.last_used_on)
                             FROM sync_credential_scope cs
                             JOIN sync_domain d ON d.id = cs.domain_id
                            WHERE cs.credential_id = c.id) AS scopes,
                          f.tat AS failures
                     FROM (VALUES (%s, %s)) AS asked (prefix, bucket)
                     LEFT JOIN sync_rate_counter f ON f.bucket = asked.bucket
                     LEFT JOIN (sync_credential c
                           JOIN sync_service_account a ON a.id = c.account_id
                           JOIN res_users u ON u.id = a.user_id
                           JOIN sync_system s ON s.id = a.system_id
                           JOIN sync_plan p ON p.id = c.plan_id)
                       ON c.prefix = asked.prefix""",
                prefix,
                self.env["sync.rate.counter"]._address_bucket(address, prefix),
            )
        )
        row = self.env.cr.dictfetchone()
        return (row if row["credential_id"] else None), row["failures"]

    def _proven_scopes(self, bearer, row, now):
        """Scopes the bearer has proven, or None; constant time in the secret."""
        stored = row["secret_hash"] if row else None
        granted = (row["scopes"] or {}) if row else {}
        if bearer is None or bearer.kind == token.KEY_TAG:
            proven = token.matches(bearer.secret if bearer else "", stored)
            return granted if proven else None
        claims = token.unseal(bearer, (stored or token.NO_DIGEST).encode(), int(now))
        if claims is None or stored is None:
            return None
        return {name: day for name, day in granted.items() if name in claims.scopes}

    def _failure(self, passage, prefix, address):
        """401, and one more failure.

        Guesses at one key from one address are slowed, right ones included; other keys
        from that address (partners behind one proxy) are not in the way. What an
        address sends beyond a measure is refused without being kept.
        """
        counters = self.env["sync.rate.counter"]
        with self._short_transaction() as short:
            take = counters.with_env(short)._take
            now = passage.unix_now
            flood = take(counters._address_bucket(address), FAILURES, now, address)
            if prefix:
                bucket = counters._address_bucket(address, prefix)
                guess = take(bucket, GUESSES, now, address)
        passage.keep = flood.allowed
        if prefix and not guess.remaining:
            self._tell_guessing(prefix, address)
        return Problem(
            401,
            "credential_invalid",
            "Send a valid key: Authorization: Bearer sgk_<prefix>_<secret>.",
            headers={"WWW-Authenticate": 'Bearer realm="sync", error="invalid_token"'},
        )

    def _tell_guessing(self, prefix, address):
        self.env["sync.issue"]._raise(
            f"credential-guessing:{address}:{prefix}",
            self.env._("Somebody at %(address)s guesses at a key", address=address),
            "security",
            detail=self.env._(
                "Prefix %(prefix)s. It is slowed down to a try in ten seconds.",
                prefix=prefix,
            ),
        )

    def _too_many_guesses(self, meter, now):
        wait = ratelimit.take(GUESSES, meter, now).retry_after
        return Problem(
            429,
            "abnormal_usage_detected",
            "Too many wrong secrets came for this key.",
            headers={"Retry-After": str(wait)},
        )

    def _check_usable(self, row, address, now):
        """The secret is right, so the caller may know why it does not open."""
        expired = row["expires_at"].replace(tzinfo=timezone.utc) <= now
        if (
            row["state"] not in ("active", "overlapping")
            or expired
            or not row["active"]
        ):
            state = "expired" if expired else row["state"]
            raise Problem(
                401,
                "credential_not_usable",
                f"This key is {state}.",
                headers={
                    "WWW-Authenticate": 'Bearer realm="sync", error="invalid_token"'
                },
            )
        if row["system_state"] in ("paused", "retired"):
            raise Problem(
                403, "system_paused", f"Your system is {row['system_state']}."
            )
        if row["allowed_networks"] and not self._in_networks(
            address, row["allowed_networks"]
        ):
            raise Problem(403, "address_refused", "This key may not be used from here.")

    def _in_networks(self, address, networks):
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(
            caller in ipaddress.ip_network(part.strip())
            for part in networks.split(",")
            if part.strip()
        )

    def _caller(self, row, scopes):
        return Caller(
            credential_id=row["credential_id"],
            user_id=row["user_id"],
            system_id=row["system_id"],
            system_code=row["system_code"],
            company_id=row["company_id"],
            scopes=scopes,
            plan=row["plan"],
            limit=ratelimit.Limit(row["per_minute"], row["burst"], row["per_day"] or 0),
            concurrency=row["concurrency"] or 0,
            max_body=row["max_body_kb"] * 1024,
            sandbox=bool(row["sandbox"]),
        )

    # -- scope -----------------------------------------------------------------------

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
        needed = self._needed_scope(passage)
        if needed and needed not in passage.caller.scopes:
            raise Problem(
                403,
                "scope_missing",
                f"This key does not have the scope {needed}.",
                headers={
                    "WWW-Authenticate": 'Bearer realm="sync",'
                    f' error="insufficient_scope", scope="{needed}"'
                },
            )

    def _needed_scope(self, passage):
        domain = passage.resource._domain_code
        return f"{domain}:{passage.route.access}" if domain else None

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

    # -- plan ------------------------------------------------------------------------

    def _step_plan(self, passage):
        caller = passage.caller
        verdict = self._spend(passage, caller)
        passage.headers |= headers.rate_limit(caller.plan, caller.limit, verdict)
        if not verdict.allowed:
            raise self._quota_exceeded(caller, verdict)
        self._take_slot(caller)
        if passage.incoming.method in ("POST", "PUT", "PATCH"):
            passage.raw = passage.incoming.read(caller.max_body)

    def _spend(self, passage, caller):
        """Count the call (and, once a day, the scope) in a short transaction."""
        scope, today = self._needed_scope(passage), passage.now.date().isoformat()
        counters = self.env["sync.rate.counter"]
        with self._short_transaction() as short:
            if scope and caller.scopes[scope] != today:
                self.with_env(short)._mark_scope_used(
                    caller.credential_id, scope, today
                )
            return counters.with_env(short)._take(
                counters._credential_bucket(caller.credential_id),
                caller.limit,
                passage.unix_now,
                passage.incoming.remote_addr,
            )

    def _mark_scope_used(self, credential_id, scope, today):
        code, _colon, operation = scope.partition(":")
        self.env.cr.execute(
            SQL(
                """UPDATE sync_credential_scope cs SET last_used_on = %s
                     FROM sync_domain d
                    WHERE d.id = cs.domain_id AND d.code = %s
                      AND cs.operation = %s AND cs.credential_id = %s""",
                today,
                code,
                operation,
                credential_id,
            )
        )

    def _quota_exceeded(self, caller, verdict):
        name = caller.plan if verdict.violated == "rate" else f"{caller.plan}-daily"
        return Problem(
            429,
            "quota_exceeded",
            f"Your plan allows no further call for {verdict.retry_after} seconds.",
            headers={"Retry-After": str(verdict.retry_after)},
            **{"violated-policies": [name]},
        )

    def _take_slot(self, caller):
        """One of the plan's slots until this transaction ends.

        Slots are advisory locks: a killed worker gives its slot back by itself.
        """
        if not caller.concurrency:
            return
        first = random.randrange(caller.concurrency)
        for offset in range(caller.concurrency):
            slot = caller.credential_id * 4096 + (first + offset) % caller.concurrency
            self.env.cr.execute(
                SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", SLOT_SPACE, slot)
            )
            if self.env.cr.fetchone()[0]:
                return
        raise Problem(
            429,
            "abnormal_usage_detected",
            f"Your plan allows {caller.concurrency} calls at the same time.",
            headers={"Retry-After": "1"},
            **{"violated-policies": [f"{caller.plan}-concurrency"]},
        )

    # -- idempotency -----------------------------------------------------------------

    def _step_idempotency(self, passage):
        passage.key = idempotency.parse_key(passage.incoming.header("idempotency-key"))
        operation = passage.route.operation
        if operation in NO_BODY:
            passage.key = None
        elif passage.key is None and operation in routing.KEY_REQUIRED:
            raise idempotency.missing()
        if passage.key is not None:
            self._claim_key(passage)

    def _claim_key(self, passage):
        incoming = passage.incoming
        kind, _charset = headers.media_type(incoming.header("content-type"))
        passage.fingerprint = idempotency.fingerprint(
            incoming.method,
            incoming.path,
            incoming.query_string,
            kind,
            passage.raw,
        )
        answer, first_ref = self._claim(
            passage.caller.credential_id,
            idempotency.key_hash(incoming.method, passage.route.template, passage.key),
            passage.fingerprint,
            passage.ref,
        )
        if answer:
            passage.replay_of = first_ref
            passage.headers["Idempotent-Replayed"] = "true"
            passage.answer = answer

    @api.model
    def _claim(self, credential_id, key_hash, fingerprint, ref):
        """Claim an idempotency key for the current transaction.

        :return: ``(stored Answer, its request's reference)``, or ``(None, None)`` when
            the work is to be done now
        :raise Problem: 409 while a twin works on it, 422 for another payload
        """
        keys = self.env["sync.idempotency"]
        locked = keys._lock(credential_id, key_hash)
        with self._short_transaction() as short:
            keys = keys.with_env(short)
            stored = keys._recall(credential_id, key_hash, fingerprint)
            if stored:
                return stored
            if locked:
                keys._claim(credential_id, key_hash, fingerprint, ref)
                return None, None
        raise Problem(
            409,
            "idempotency_key_in_use",
            "The first call with this Idempotency-Key is still running.",
            headers={"Retry-After": "1"},
        )

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

    # -- content type and schema -----------------------------------------------------

    def _step_content_type(self, passage):
        if passage.route.operation in NO_BODY:
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
        if passage.route.operation in NO_BODY:
            return
        name = passage.route.transition or passage.route.operation
        passage.version = self._validate(
            passage.resource, name, passage.body, passage.version
        )
        versions = self._contract_versions(passage.resource, name)
        passage.headers |= versions.get(passage.version, {})

    @api.model
    def _validate(self, resource, operation, body, version=None):
        """Check a body against what the resource understands, then its contract.

        Until its sunset, a deprecated version of the contract is as good as the one in
        force.

        :param version: number of the version to use; None for any that is valid
        :return: number of the version that the body is valid by, '' without a contract
        :raise Problem: 422 with every fault by the version in force
        """
        numbers = [version]
        if version is None:
            numbers = list(self._contract_versions(resource, operation)) or [""]
        refused = []
        for number in numbers:
            found = self._faults(resource, operation, body, number)
            if not found:
                return number
            refused.append(found)
        raise Problem.invalid(refused[0])

    def _faults(self, resource, operation, body, version):
        for text in self._schema_texts(resource._name, operation, version):
            found = pointer.faults(pointer.compiled(text), body)
            if found:
                return found
        return []

    @api.model
    @ormcache("resource_model", "operation", "version")
    def _schema_texts(self, resource_model, operation, version):
        """JSON texts of the schemas that a body is held to: one, or two that differ.

        A contract may ask for more than the resource does; it never lets through what
        the resource does not understand.
        """
        resource = self.env[resource_model]
        if operation == "bulk":
            return (json.dumps(BULK_ENVELOPE),)
        schemas = [resource._schema(operation)]
        if version:
            code = self.env["sync.contract"]._code_of(resource, operation)
            agreed = self.env["sync.contract"]._schema_of(code, version)
            if operation == "replace":  # the address names the record
                named = agreed.get("required", [])
                agreed["required"] = [one for one in named if one != "external_id"]
            schemas.append(agreed)
        return tuple({json.dumps(one, sort_keys=True): None for one in schemas})

    @api.model
    def _contract_versions(self, resource, operation):
        """``{number: headers}`` of the versions that a body may follow."""
        contracts = self.env["sync.contract"]
        code = contracts._code_of(resource, operation)
        return contracts._versions_valid(code) if code else {}

    # -- apply -----------------------------------------------------------------------

    def _step_apply(self, passage):
        operate = getattr(self, f"_operate_{passage.route.operation}")
        with self._business(passage.ref), self.env.cr.savepoint():
            passage.answer = operate(passage)

    @contextmanager
    def _business(self, ref):
        """Turn whatever business code raises into a :class:`Problem`.

        Serialization failures pass: Odoo rolls back and calls the gate again.
        """
        try:
            yield
        except (Problem, OperationalError, ConcurrencyError):
            raise
        except IntegrityError as error:
            _logger.info("%s: %s", ref, error.diag.message_primary)
            raise Problem(
                409, "exists", "Another record has one of these unique values."
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

    @api.model
    def _apply(self, resource_name, operation, external_id, body, call):
        """The door for other ways in (partner webhooks): validate, find, change.

        Runs in the caller's environment and savepoint.

        :param operation: ``create``, ``replace``, ``patch`` or a transition's name
        :return: ``ResourceResult``
        :raise Problem: 404, 409, 422
        """
        resource = self.env["sync.resource"]._get(resource_name)
        self._validate(resource, operation, body)
        if operation == "create":
            return resource._create(body, call)
        record, _moved = resource._find(call.system, external_id)
        if operation == "replace" and not record:
            return resource._create({**body, "external_id": external_id}, call)
        if not record:
            raise resource._not_found(external_id)
        self._lock_record(record)
        if operation in ("replace", "patch"):
            return resource._update(record, body, call, operation == "patch")
        return resource._transition(record, operation, body, call)

    def _operate_create(self, passage):
        etag.check_if_match(passage.incoming.header("if-match"), None, required=False)
        result = passage.resource._create(passage.body, passage.call)
        return self._answer_result(passage, result)

    def _operate_replace(self, passage):
        record, moved = self._find(passage)
        incoming = passage.incoming
        etag.check_if_none_match_any(incoming.header("if-none-match"), bool(record))
        self._check_own_id(passage, record)
        if not record:
            etag.check_if_match(incoming.header("if-match"), None, required=False)
            body = {**passage.body, "external_id": passage.route.external_id}
            return self._answer_result(
                passage, passage.resource._create(body, passage.call)
            )
        self._check_state(passage, record, required=True)
        result = passage.resource._update(record, passage.body, passage.call, False)
        return self._answer_result(passage, result, moved)

    def _operate_patch(self, passage):
        record, moved = self._find_existing(passage)
        self._check_own_id(passage, record)
        self._check_state(passage, record, required=True)
        result = passage.resource._update(record, passage.body, passage.call, True)
        return self._answer_result(passage, result, moved)

    def _operate_transition(self, passage):
        record, moved = self._find_existing(passage)
        self._check_state(passage, record, required=False)
        result = passage.resource._transition(
            record, passage.route.transition, passage.body, passage.call
        )
        return self._answer_result(passage, result, moved)

    def _operate_read(self, passage):
        record, moved = self._find_existing(passage)
        body = self._canonical(passage, record)
        tag = etag.strong(dump(body))
        answer_headers = {"Content-Type": "application/json", "ETag": tag}
        if etag.not_modified(passage.incoming.header("if-none-match"), tag):
            return Answer(304, b"", {"ETag": tag})
        if moved:
            body["sync"] = {"moved": self._moved(passage, body)}
            answer_headers["Sync-Moved"] = passage.route.external_id
        return Answer(200, dump(body), answer_headers)

    def _operate_list(self, passage):
        query = self._list_query(passage)
        bodies, following = passage.resource._list(passage.call, query)
        answer_headers = {"Content-Type": "application/json"}
        if following:
            address = f"{passage.incoming.path}?cursor={following}"
            if query.get("limit"):
                address += f"&limit={query['limit']}"
            answer_headers["Link"] = f'<{address}>; rel="next"'
        return Answer(
            200, dump({"data": bodies, "next_cursor": following}), answer_headers
        )

    # -- pieces of an operation ------------------------------------------------------

    def _find(self, passage):
        return passage.resource._find(passage.call.system, passage.route.external_id)

    def _find_existing(self, passage):
        record, moved = self._find(passage)
        if not record:
            raise passage.resource._not_found(passage.route.external_id)
        return record, moved

    def _check_own_id(self, passage, record):
        """A body may name the record it is about, but not another one."""
        named = passage.body.get("external_id", passage.route.external_id)
        if named == passage.route.external_id:
            return
        other, _moved = passage.resource._find(passage.call.system, named)
        if not record or other != record:
            raise Problem.invalid(
                [("/external_id", "Differs from the id in the address.", "not_allowed")]
            )

    def _check_state(self, passage, record, required):
        """Lock the record, then compare its state with ``If-Match``."""
        self._lock_record(record)
        header = passage.incoming.header("if-match")
        compares = header is not None and header != "*"
        current = ""
        if compares:
            current = etag.strong(dump(self._canonical(passage, record)))
        etag.check_if_match(header, current, required)

    def _lock_record(self, record):
        """Wait for whoever changes it; a change we did not see fails serialization."""
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM %s WHERE id = %s FOR NO KEY UPDATE",
                SQL.identifier(record._table),
                record.id,
            )
        )

    def _canonical(self, passage, record):
        (body,) = passage.resource._to_canonical(record, passage.call.system)
        return body

    def _moved(self, passage, body):
        return {"from": passage.route.external_id, "to": body.get("external_id")}

    def _answer_result(self, passage, result, moved=False):
        """The record as it is now, and what became of the fields that were sent."""
        passage.result = result
        body = self._canonical(passage, result.record)
        answer_headers = {
            "Content-Type": "application/json",
            "ETag": etag.strong(dump(body)),
        }
        if moved:
            answer_headers["Sync-Moved"] = passage.route.external_id
        status = 200
        if result.status == "created":
            status = 201
            resource, external_id = passage.route.resource, body.get("external_id")
            answer_headers["Location"] = f"{PREFIX}/{resource}/{_quoted(external_id)}"
        body["sync"] = self._sync_member(passage, result, moved, body)
        return Answer(status, dump(body), answer_headers)

    def _sync_member(self, passage, result, moved, body):
        member = {
            "applied": sorted(result.applied),
            "held": [{"field": name, **why} for name, why in result.refused.items()],
        }
        if result.warnings:
            member["warnings"] = list(result.warnings)
        if moved:
            member["moved"] = self._moved(passage, body)
        return member

    def _list_query(self, passage):
        """Checked query of a list. :raise Problem: 400 with each bad parameter"""
        query = dict(passage.incoming.query)
        extra = {one["name"] for one in passage.resource._query_parameters()}
        faults = [
            FieldError(name, "There is no such parameter.", "unknown_parameter")
            for name in sorted(set(query) - LIST_PARAMETERS - extra)
        ]
        faults += [
            FieldError(name, "Has unprintable characters.", "wrong_format")
            for name, value in query.items()
            if not value.isprintable()
        ]
        limit = query.get("limit", "1")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= 500):
            faults.append(FieldError("limit", "Must be 1 to 500.", "out_of_range"))
        if "updated_since" in query:
            try:
                query["updated_since"] = headers.utc_time(query["updated_since"])
            except ValueError:
                faults.append(
                    FieldError(
                        "updated_since", "Is not a valid date-time.", "wrong_format"
                    )
                )
        if faults:
            raise Problem(
                400, "parameter_invalid", "A query parameter is wrong.", errors=faults
            )
        return query

    # -- the record of the call ------------------------------------------------------

    def _keep(self, passage):
        """Keep the call, in the transaction of its effects. :return: ids of its rows"""
        return self.env["sync.request"]._record(self._request_values(passage))

    def _request_values(self, passage):
        incoming, caller, route = passage.incoming, passage.caller, passage.route
        result, answer = passage.result, passage.answer
        spent = (time.monotonic() - passage.started) * 1000
        return {
            "ref": passage.ref,
            "kind": "api",
            "state": self._request_state(passage),
            "system_id": caller.system_id if caller else passage.system_id,
            "credential_id": caller.credential_id if caller else None,
            "company_id": caller.company_id if caller else None,
            "sandbox": bool(caller and caller.sandbox),
            "method": incoming.method[:16],
            "route": route.template if route else None,
            "path": _printable(incoming.path),
            "resource": route.resource if route else None,
            "operation": (route.transition or route.operation) if route else None,
            "external_id": self._named_id(passage),
            "contract_version": passage.version or None,
            "idempotency_key": passage.key,
            "fingerprint": passage.fingerprint,
            "replay_of": passage.replay_of,
            "replayable": self._is_replayable(passage),
            "remote_addr": incoming.remote_addr,
            "x_request_id": headers.request_id(incoming.header("x-request-id")),
            "traceparent": headers.traceparent(incoming.header("traceparent")),
            "request_headers": self._kept_headers(incoming),
            "request_body": self._kept_body(passage),
            "response_status": answer.status,
            "response_body": self._kept_answer(passage),
            "response_headers": None if passage.replay_of else dict(answer.headers),
            "error_code": passage.problem.code if passage.problem else None,
            "trace": passage.trace,
            "decisions": self._decisions(result),
            "duration_ms": round(spent, 3),
            "res_model": result.record._name if result else None,
            "res_id": result.record.id if result else None,
        }

    def _request_state(self, passage):
        if passage.replay_of:
            return "duplicate"
        if passage.problem:
            return "refused"
        if passage.later:
            return "validated"
        result = passage.result
        if result and result.refused and not result.applied:
            return "quarantined"
        return "applied"

    def _is_replayable(self, passage):
        """Stored for its key: what had effects, and what failed after it began."""
        if passage.key is None or passage.replay_of:
            return False
        return passage.problem is None or passage.problem.status >= 500

    def _named_id(self, passage):
        if passage.route and passage.route.external_id:
            return _printable(passage.route.external_id)
        body = passage.body if isinstance(passage.body, dict) else {}
        named = body.get("external_id")
        return _printable(named) if isinstance(named, str) else None

    def _kept_body(self, passage):
        """The body as sent once it is valid; before that only what may be shown."""
        if passage.replay_of or not passage.raw:
            return None
        text = passage.raw.decode("utf-8", "replace").replace("\0", "")
        return masking.mask_text(text) if passage.problem else text

    def _kept_answer(self, passage):
        if passage.replay_of or passage.hide_answer:
            return None
        return passage.answer.body.decode()

    def _kept_headers(self, incoming):
        """The headers that change what a call means; never a credential."""
        return {
            name: _printable(incoming.header(name))
            for name in KEPT_HEADERS
            if incoming.header(name)
        }

    def _decisions(self, result):
        if result is None:
            return None
        return {"applied": sorted(result.applied), "held": dict(result.refused)}

    # -- the answer ------------------------------------------------------------------

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


def dump(value):
    """A body as it is sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _printable(text):
    """For columns and logs: no control characters, bounded."""
    return "".join(char if char.isprintable() else "?" for char in text)[:512]


def _quoted(external_id):
    """An id as one path segment."""
    return quote(str(external_id), safe="")
