# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import base64
import binascii
from datetime import datetime, timezone
from time import monotonic
from urllib.parse import parse_qs

from odoo import api, models

from ..tools import headers, token
from ..tools.call import Answer
from ..tools.jsonbody import dump
from ..tools.passage import Passage
from ..tools.problem import Problem

LIFETIME = 3600
MAX_FORM = 8192


class SyncGate(models.AbstractModel):
    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _grant(self, incoming, ref):
        """Exchange a key for an access token (RFC 6749, section 4.4).

        The token is sealed with what is stored of the key: it dies with it,
        and needs no table. Scopes can be narrowed, never widened.

        :return: ``Answer``; refusals carry ``error`` as the RFC names it
        """
        passage = Passage(incoming, ref, datetime.now(timezone.utc), monotonic)
        try:
            passage.answer = self._exchange(passage)
        except Problem as problem:
            problem.members.setdefault("error", "invalid_client")
            self._refuse(passage, problem)
        if passage.keep:
            self._keep(passage)
        return self._dress(passage)

    def _exchange(self, passage):
        form = self._form(passage.incoming)
        if form.get("grant_type") != "client_credentials":
            raise Problem(
                400,
                "grant_type_unsupported",
                "Send grant_type=client_credentials.",
                error="unsupported_grant_type",
            )
        key = self._client_key(passage.incoming, form)
        with passage.step("credential"):
            caller = passage.caller = self._authenticate(passage, key)
        with passage.step("plan"):
            passage.headers |= self._charge(
                caller.allowance, passage.incoming.remote_addr, passage.unix_now
            )
        scopes = self._asked_scopes(form, caller)
        stored = self.env["sync.credential"].browse(caller.credential_id).secret_hash
        claims = token.AccessClaims(int(passage.unix_now) + LIFETIME, tuple(scopes))
        sealed = token.render(token.seal(claims, key.prefix, stored.encode()))
        body = {
            "access_token": sealed,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": " ".join(scopes),
        }
        passage.hide_answer = True
        return Answer(200, dump(body), {"Content-Type": "application/json"})

    def _form(self, incoming):
        kind, _charset = headers.media_type(incoming.header("content-type"))
        if kind != "application/x-www-form-urlencoded":
            raise Problem(
                415,
                "media_type_unsupported",
                "Send application/x-www-form-urlencoded.",
                error="invalid_request",
            )
        try:
            pairs = parse_qs(
                incoming.read(MAX_FORM).decode("ascii"),
                max_num_fields=16,
                strict_parsing=True,
            )
        except ValueError:
            raise Problem(
                400, "form_invalid", "The form is malformed.", error="invalid_request"
            ) from None
        return {name: values[0] for name, values in pairs.items() if len(values) == 1}

    def _client_key(self, incoming, form):
        """The key that a client proves itself with: Basic header, or form fields."""
        client_id, secret = self._basic(incoming.header("authorization"))
        client_id = client_id or form.get("client_id", "")
        secret = secret or form.get("client_secret", "")
        bearer = token.parse(secret) or token.parse(
            f"{token.KEY_TAG}_{client_id}_{secret}"
        )
        if bearer and bearer.kind == token.KEY_TAG and client_id in ("", bearer.prefix):
            return bearer
        # Nothing that could be a key: it fails as a wrong one does, at the same cost.
        return token.Bearer(token.KEY_TAG, "", "")

    def _basic(self, header):
        scheme, _space, value = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode("ascii")
        except (ValueError, binascii.Error):
            return "", ""
        client_id, _colon, secret = decoded.partition(":")
        return client_id, secret

    def _asked_scopes(self, form, caller):
        asked = form.get("scope", "").split() or list(caller.scopes)
        beyond = sorted(set(asked) - set(caller.scopes))
        if beyond:
            raise Problem(
                400,
                "scope_invalid",
                f"This key does not have {beyond[0]}.",
                error="invalid_scope",
            )
        return sorted(set(asked))
