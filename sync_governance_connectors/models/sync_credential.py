# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import caller, token
from .sync_credential_scope import OPERATIONS

LIFETIME = timedelta(days=90)
OVERLAP = timedelta(hours=24)
REMINDER = timedelta(days=14)
USABLE = ("active", "overlapping")


class SyncCredential(models.Model):
    """A key with which a service account calls the API.

    Only a hash of the key is kept: it is shown once, when it is issued. What it opens
    is said by its scopes, how much by its plan, from where by its networks.
    """

    _name = "sync.credential"
    _description = "API Credential"
    _inherit = ["mail.thread", "sync.life.cycle"]
    _order = "state, system_id, id desc"
    _rec_names_search = ["name", "prefix"]
    _by_buttons = frozenset({"account_id", "prefix", "state", "rotated_to_id"})

    name = fields.Char(required=True, tracking=True)
    account_id = fields.Many2one(
        "sync.service.account",
        string="Service Account",
        required=True,
        ondelete="restrict",
        index=True,
    )
    system_id = fields.Many2one(related="account_id.system_id", store=True, index=True)
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    prefix = fields.Char(
        required=True, readonly=True, copy=False, help="Public part of the key."
    )
    secret_hash = fields.Char(
        required=True, readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("active", "Active"),
            ("overlapping", "Overlapping"),
            ("revoked", "Revoked"),
            ("expired", "Expired"),
        ],
        default="pending",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    scope_ids = fields.One2many("sync.credential.scope", "credential_id", "Scopes")
    unused_scope_count = fields.Integer(compute="_compute_unused_scope_count")
    plan_id = fields.Many2one(
        "sync.plan",
        required=True,
        ondelete="restrict",
        tracking=True,
        default=lambda self: self.env["sync.plan"].search([], limit=1),
    )
    expires_at = fields.Datetime("Expires", required=True, tracking=True)
    sandbox = fields.Boolean(
        tracking=True, help="For trials: calls are marked and stay out of the figures."
    )
    allowed_networks = fields.Char(
        "Allowed Addresses",
        tracking=True,
        help="Addresses or networks (CIDR), comma separated."
        " Empty allows every address.",
    )
    rotated_to_id = fields.Many2one(
        "sync.credential", "Replaced by", readonly=True, copy=False
    )
    last_used_at = fields.Datetime(compute="_compute_last_use")
    last_ip = fields.Char("Last Address", compute="_compute_last_use")
    request_count = fields.Integer("Calls", compute="_compute_request_count")

    _prefix_unique = models.Constraint("UNIQUE(prefix)", "Prefixes are unique.")

    # -- computed --------------------------------------------------------------------

    def _compute_last_use(self):
        counters = self.env["sync.rate.counter"]
        buckets = {counters._bucket("credential", one.id): one for one in self}
        # Counters belong to the gate; here only two of their values are shown.
        rows = counters.sudo().search([("bucket", "in", list(buckets))])
        used = {row.bucket: row for row in rows}
        for bucket, credential in buckets.items():
            row = used.get(bucket)
            credential.last_used_at = row.last_at if row else False
            credential.last_ip = row.last_ip if row else False

    def _compute_request_count(self):
        groups = self.env["sync.request"]._read_group(
            [("credential_id", "in", self.ids)], ["credential_id"], ["__count"]
        )
        counts = {credential.id: count for credential, count in groups}
        for credential in self:
            credential.request_count = counts.get(credential.id, 0)

    @api.depends("scope_ids.last_used_on")
    def _compute_unused_scope_count(self):
        limit = fields.Date.subtract(fields.Date.today(), days=90)
        for credential in self:
            credential.unused_scope_count = len(
                credential.scope_ids.filtered(
                    lambda scope: not scope.last_used_on or scope.last_used_on < limit
                )
            )

    @api.constrains("allowed_networks")
    def _check_allowed_networks(self):
        for credential in self:
            try:
                caller.networks(credential.allowed_networks)
            except ValueError as error:
                raise ValidationError(
                    self.env._("Not an address or network: %(error)s", error=error)
                ) from error

    # -- issue -----------------------------------------------------------------------

    @api.model
    def _issue(
        self,
        account,
        scopes,
        *,
        name=None,
        plan=None,
        lifetime=LIFETIME,
        sandbox=False,
        allowed_networks=None,
    ):
        """A new credential and its key, which is never to be had again.

        :param account: ``sync.service.account``
        :param scopes: words ``<domain>:<operation>``; either half may be ``*``
        :param lifetime: timedelta until it expires
        :return: ``(credential, key)``; pending unless a security officer issues it
        """
        self.check_access("create")
        account.check_access("read")  # of the user's own companies
        key = token.generate(secrets.token_bytes)
        values = {
            "name": name or self.env._("Key of %(account)s", account=account.name),
            "account_id": account.id,
            "prefix": key.prefix,
            "secret_hash": token.digest(key.secret),
            "state": "active" if self._may_open() else "pending",
            "expires_at": fields.Datetime.now() + lifetime,
            "sandbox": sandbox,
            "allowed_networks": allowed_networks,
            "scope_ids": [
                fields.Command.create({"domain_id": domain.id, "operation": operation})
                for domain, operation in self._expand_scopes(scopes)
            ],
        }
        if plan:
            values["plan_id"] = plan.id
        # The hash is closed to everyone: no user may write it, checked rights or not.
        credential = self.sudo().create(values).with_env(self.env)
        credential._audit("credential.issued")
        return credential, token.render(key)

    @api.model
    def _expand_scopes(self, scopes):
        """``(domain, operation)`` pairs of scope words, wildcards written out."""
        every_operation = [operation for operation, _label in OPERATIONS]
        pairs = {}
        for scope in scopes:
            code, _colon, operation = scope.partition(":")
            domains = self._domains_of(code, scope)
            operations = every_operation if operation == "*" else [operation]
            if not set(operations) <= set(every_operation):
                raise UserError(self.env._("Unknown scope: %(scope)s", scope=scope))
            pairs.update(
                {(domain, one): None for domain in domains for one in operations}
            )
        return list(pairs)

    @api.model
    def _domains_of(self, code, scope):
        domain = [] if code == "*" else [("code", "=", code)]
        found = self.env["sync.domain"].search(domain)  # pylint: disable=no-search-all; "*" is all
        if not found:
            raise UserError(self.env._("Unknown scope: %(scope)s", scope=scope))
        return found

    # -- life ------------------------------------------------------------------------

    def action_activate(self):
        """Switch a pending key on; whoever asked for it cannot (four eyes)."""
        self._require_security_officer()
        for credential in self.filtered(lambda one: one.state == "pending"):
            if credential.create_uid == self.env.user:
                raise UserError(
                    self.env._("Another security officer has to activate this key.")
                )
            credential._set_state("active")

    def action_revoke(self):
        """Switch a key off at once."""
        self._require_security_officer()
        for credential in self.filtered(
            lambda one: one.state not in ("revoked", "expired")
        ):
            credential._set_state("revoked")

    def _rotate(self, overlap=OVERLAP):
        """A successor with the same rights; this key lives on for ``overlap``.

        :return: ``(credential, key)`` of the successor
        """
        self.ensure_one()
        if self.state != "active":
            raise UserError(
                self.env._(
                    "Only an active key can be rotated, and only once at a time."
                )
            )
        successor, key = self._issue(
            self.account_id,
            self.scope_ids.mapped("display_name"),
            name=self.name,
            plan=self.plan_id,
            sandbox=self.sandbox,
            allowed_networks=self.allowed_networks,
        )
        self._set_state("overlapping")
        self._move_on(
            {
                "rotated_to_id": successor.id,
                "expires_at": min(self.expires_at, fields.Datetime.now() + overlap),
            }
        )
        return successor, key

    def action_end_overlap(self):
        """The old key has leaked or is no longer needed."""
        self._require_security_officer()
        self.filtered(lambda one: one.state == "overlapping")._set_state("revoked")

    def _set_state(self, state):
        self._move_on({"state": state})
        for credential in self:
            credential._audit(f"credential.{state}")
            if state != "active":
                self.env["sync.issue"]._recover(
                    credential._expiry_fingerprint(),
                    self.env._("The key is %s.", state),
                )

    def _expiry_fingerprint(self):
        return f"credential-expiry:{self.id}"

    def _audit(self, action):
        self.env["sync.audit"]._log(
            action,
            record=self,
            after={
                "prefix": self.prefix,
                "scopes": self.scope_ids.mapped("display_name"),
            },
        )

    def _may_open(self):
        officer = "sync_governance_base.group_sync_security_officer"
        return self.env.su or self.env.user.has_group(officer)

    def _require_security_officer(self):
        if not self._may_open():
            raise UserError(self.env._("This is up to a security officer."))

    @api.model
    def _cron_expire(self):
        """Close keys whose time is over; tell about those that are next, and about
        accounts whose rights are due for review.
        """
        now = fields.Datetime.now()
        self.search([("state", "in", USABLE), ("expires_at", "<=", now)])._set_state(
            "expired"
        )
        for credential in self.search(
            [("state", "=", "active"), ("expires_at", "<=", now + REMINDER)]
        ):
            credential._remind()
        self.env["sync.service.account"]._remind_reviews()

    def _remind(self):
        self.env["sync.issue"]._raise(
            self._expiry_fingerprint(),
            self.env._(
                "Key %(name)s of %(system)s ends on %(date)s",
                name=self.name,
                system=self.system_id.name,
                date=fields.Date.to_string(self.expires_at),
            ),
            "credential_expiry",
            record=self,
            system=self.system_id,
        )

    # -- actions ---------------------------------------------------------------------

    def action_rotate(self):
        """Issue the successor and show its key; this one overlaps for a day."""
        self._require_security_officer()
        _successor, key = self._rotate()
        return self.env["sync.credential.key"]._show(key)

    def action_open_requests(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_request_action"
        )
        return {**action, "domain": [("credential_id", "in", self.ids)], "context": {}}
