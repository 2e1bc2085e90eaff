# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.sync_governance_base.configuration import option
from odoo.addons.sync_governance_webhooks.dispatcher.http_client import (
    HttpClient,
    resolve,
)
from odoo.addons.sync_governance_webhooks.tools import breaker

from ..exchange.folder import Folder
from ..exchange.pages import Pages
from ..exchange.sftp import Sftp, SftpTarget, read_host_key, read_private_key
from ..exchange.store import StoreError

PURPOSE_KEY = "sftp private key"
FOLDER_OPTION, FOLDER_VARIABLE = "exchange_folder", "SYNC_GOVERNANCE_EXCHANGE_FOLDER"
CONFIG = breaker.Config(consecutive=3)


class SyncRemote(models.Model):
    """Where a system's pages or files are, and who we are there.

    The same circuit breaker, secrets and rules of addresses apply as to webhooks. A
    local folder lies below the one that the server's administrator set aside
    (``exchange_folder`` in the section ``[sync_governance]`` of odoo.conf): a user of
    the database reads no other file of the server.
    """

    _name = "sync.remote"
    _description = "Remote"
    _inherit = [
        "sync.company.guard",
        "mail.thread",
        "sync.authentication.mixin",
        "sync.breaker.state",
    ]
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="cascade", index=True, tracking=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    kind = fields.Selection(
        [
            ("https", "HTTP pages or documents"),
            ("sftp", "Files over SFTP"),
            ("folder", "Files in a folder"),
        ],
        required=True,
        default="https",
        tracking=True,
    )
    address = fields.Char(
        required=True,
        tracking=True,
        help="HTTP: https://shop.example/api. SFTP: sftp://files.example:22/out."
        " Folder: its path below the server's exchange folder.",
    )
    host_key = fields.Char(
        tracking=True,
        help="The server's public key, as the partner gives it or ssh-keyscan shows"
        " it (ssh-ed25519 AAAA…). Another key is refused.",
    )
    private_key = fields.Text(
        compute="_compute_written_only",
        inverse="_inverse_private_key",
        store=False,
        copy=False,
        exportable=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="SFTP: unencrypted, instead of a password. Write-only.",
    )
    timeout_s = fields.Integer(string="Timeout (s)", default=30, required=True)
    last_error = fields.Char(readonly=True, copy=False)
    last_success = fields.Datetime(readonly=True, copy=False)

    _timeout_range = models.Constraint(
        "CHECK(timeout_s BETWEEN 1 AND 300)", "A timeout is 1 to 300 seconds."
    )

    # -- settings --------------------------------------------------------------------

    def _compute_written_only(self):
        result = super()._compute_written_only()
        self.private_key = False
        return result

    @api.model
    def _peer_secrets(self):
        return super()._peer_secrets() | {"private_key": PURPOSE_KEY}

    def _inverse_private_key(self):
        for remote in self.filtered("private_key"):
            try:
                read_private_key(remote.private_key)
            except StoreError as error:
                raise ValidationError(str(error)) from None
            remote._replace_secret(PURPOSE_KEY, remote.private_key)
        self.invalidate_recordset(["private_key"])

    @api.constrains("kind", "address", "host_key")
    def _check_remote(self):
        for remote in self:
            if remote.kind == "https":
                remote._check_address(remote.address, ("http", "https"))
            elif remote.kind == "sftp":
                remote._check_address(remote.address, ("sftp",))
                # Without a key no session is opened; it may be agreed later.
                if remote.host_key:
                    remote._check_host_key()

    def _check_host_key(self):
        try:
            read_host_key(self.host_key or "")
        except StoreError as error:
            raise ValidationError(str(error)) from error

    # -- use -------------------------------------------------------------------------

    @contextmanager
    def _session(self):
        """A session with the other side, under the circuit breaker.

        :return: ``exchange.store.FileStore``, or ``exchange.pages.Pages`` for HTTP
        :raise UserError: nobody is to be troubled now, or it did not work; with the
            reason. An outage is told once, as an issue.
        """
        self.ensure_one()
        self._check_permitted()
        opened = getattr(self, f"_open_{self.kind}")
        try:
            session = opened()
            try:
                yield session
            finally:
                session.close()
        except StoreError as error:
            self._note(False, str(error))
            raise RemoteFailed(str(error), error.is_outage) from error
        self._note(True, False)

    def _check_permitted(self):
        state = self._state()
        if breaker.permits(state, time.time()) == 0:
            raise RemoteFailed(
                self.env._(
                    "%(name)s has failed too often and is left alone for a while: "
                    "%(error)s",
                    name=self.name,
                    error=self.last_error or "",
                ),
                True,
            )

    def _note(self, success, error):
        """Remember how it went, in a transaction that outlives a failure of ours."""
        with self.env["sync.gate"]._short_transaction() as short:
            remote = self.with_env(short).sudo()
            state, transition = breaker.record(
                remote._state(), success, time.time(), CONFIG
            )
            remote._store_state(state)
            remote.last_error = error
            if success:
                remote.last_success = fields.Datetime.now()
            remote._tell(transition)
        self.invalidate_recordset()

    def _tell(self, transition):
        fingerprint = f"remote.outage.{self.id}"
        issues = self.env["sync.issue"]
        if transition is breaker.Transition.CLOSED:
            issues._recover(fingerprint, self.env._("It answers again."))
        elif transition is breaker.Transition.OPENED:
            issues._raise(
                fingerprint,
                self.env._(
                    "%(name)s cannot be reached: %(error)s",
                    name=self.name,
                    error=self.last_error,
                ),
                "remote.outage",
                severity="error",
                record=self,
                system=self.system_id,
            )

    def _open_folder(self):
        root = option(FOLDER_OPTION, FOLDER_VARIABLE)
        if not root:
            raise StoreError(
                self.env._(
                    "The server's administrator has set no exchange_folder in the "
                    "section [sync_governance] of odoo.conf."
                ),
                is_outage=False,
            )
        return Folder(Path(root), self.address)

    def _open_sftp(self):
        url = urlsplit(self.address)
        keys = self._secrets(PURPOSE_KEY)
        target = SftpTarget(
            host=url.hostname,
            port=url.port or 22,
            folder=url.path.strip("/"),
            user=self.auth_user or "",
            host_key=self.host_key or "",
            password="" if keys else self._password(),
            private_key=keys[0]._reveal() if keys else "",
        )
        return Sftp(target, self._allowed_networks(), resolve)

    def _open_https(self):
        from odoo.addons.sync_governance_webhooks.models.sync_dispatcher import (
            pools,
            tokens,
        )

        client = HttpClient(pools, self._allowed_networks(), self._tls_settings())
        return Pages(client, self.address, self._authorization(tokens), self.timeout_s)

    def _allowed_networks(self):
        return self.env["sync.subscription"]._allowed_networks()

    def action_test(self):
        """Open a session and close it again, and say how it went."""
        self.ensure_one()
        self.check_access("write")
        try:
            with self._session() as session:
                text = session.greet()
        except RemoteFailed as error:
            # The web client knows the plain class alone as a person's mistake.
            raise UserError(str(error)) from error
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "title": self.name, "message": text},
        }

    def action_reset_breaker(self):
        self.check_access("write")
        for remote in self.sudo():
            remote._store_state(breaker.reset())


class RemoteFailed(UserError):
    """The other side could not be worked with.

    :ivar is_outage: trying again later may help
    """

    def __init__(self, text, is_outage):
        super().__init__(text)
        self.is_outage = is_outage
