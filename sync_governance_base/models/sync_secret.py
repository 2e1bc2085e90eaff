from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..configuration import SECTION, option
from ..tools.vault import (
    InvalidKeyError,
    MissingKeyError,
    UnreadableError,
    Vault,
    split_keys,
)

KEY_VARIABLE = "SYNC_GOVERNANCE_KEY"
KEY_OPTION = "encryption_key"
DEFAULT_OVERLAP = timedelta(hours=24)


class SyncSecret(models.Model):
    """A secret that must be read back by code, never
    by a person: signing keys, passwords of other systems.

    Stored encrypted (``tools/vault.py``); the key comes from the environment
    variable ``SYNC_GOVERNANCE_KEY`` or from ``encryption_key`` in the section
    ``[sync_governance]`` of odoo.conf, so that a database dump alone opens nothing.
    Several keys separated by commas: the first encrypts, all decrypt.

    People write a secret (:attr:`plaintext`) and see its fingerprint. Code stores
    with :meth:`_store`, reads with :meth:`_reveal` and replaces with :meth:`_rotate`,
    which keeps the old secret valid for an overlap.
    """

    _name = "sync.secret"
    _description = "Secret"
    _inherit = ["mail.thread", "sync.life.cycle"]
    _order = "res_model, res_id, state, id desc"
    # people name a secret, replace it and end it; whose it is, code says
    _by_buttons = frozenset({"purpose", "res_model", "res_id", "state", "fingerprint"})

    name = fields.Char(required=True)
    purpose = fields.Char(required=True, help="What it opens or signs.")
    res_model = fields.Char(string="Owner Model", readonly=True, index=True)
    res_id = fields.Many2oneReference(
        string="Owner", model_field="res_model", readonly=True
    )
    state = fields.Selection(
        [("active", "Active"), ("overlapping", "Overlapping"), ("revoked", "Revoked")],
        required=True,
        readonly=True,
        default="active",
        tracking=True,
        copy=False,
    )
    expires_at = fields.Datetime(
        copy=False,
        tracking=True,
        help="Not used from this moment on. Empty: until it is replaced or revoked.",
    )
    fingerprint = fields.Char(
        readonly=True, copy=False, help="Tells secrets apart without showing them."
    )
    ciphertext = fields.Char(groups=fields.NO_ACCESS, copy=False, prefetch=False)
    plaintext = fields.Char(
        string="New Secret",
        compute="_compute_plaintext",
        inverse="_inverse_plaintext",
        store=False,
        copy=False,
        exportable=False,
        help="Write-only: it is encrypted at once and never shown again.",
    )

    _owner_idx = models.Index("(res_model, res_id) WHERE state <> 'revoked'")

    @api.depends("ciphertext")
    def _compute_plaintext(self):
        self.plaintext = False

    def _inverse_plaintext(self):
        for secret in self.filtered("plaintext"):
            secret._encrypt(secret.plaintext)
            secret.env["sync.audit"]._log(
                "secret.stored", secret, after={"fingerprint": secret.fingerprint}
            )
        self.invalidate_recordset(["plaintext"])

    # -- what other modules use --------------------------------------------------------

    @api.model
    def _store(self, plaintext, name, purpose, record=None, expires_at=None):
        """Encrypt and keep a secret.

        :param record: the record it belongs to, or None
        :return: the secret (as superuser, like all that handles secrets)
        :raises UserError: no usable encryption key is configured
        """
        # sudo: code stores on behalf of users who must not manage secrets (a rotation
        # from a subscription's button)
        secret = self.sudo().create(
            {
                "name": name,
                "purpose": purpose,
                "res_model": record._name if record else False,
                "res_id": record.id if record else False,
                "expires_at": expires_at,
            }
        )
        secret._encrypt(plaintext)
        secret.env["sync.audit"]._log(
            "secret.stored", secret, after={"fingerprint": secret.fingerprint}
        )
        return secret

    def _reveal(self):
        """The plaintext, for use in the same breath:
        never store, log or return it to a client.

        :raises UserError: revoked, expired, or not readable with the configured keys
        """
        self.ensure_one()
        secret = self.sudo()
        if not secret._is_usable():
            raise UserError(
                self.env._(
                    "The secret %(name)s is revoked or expired.", name=secret.name
                )
            )
        try:
            return self._vault().decrypt(secret.ciphertext)
        except UnreadableError:
            raise UserError(self._unreadable_message()) from None

    def _usable(self):
        """Those of the given secrets that may be used now, the active one first."""
        return (
            self.sudo()
            .filtered(lambda secret: secret._is_usable())
            .sorted(lambda secret: (secret.state, -secret.id))
        )

    def _rotate(self, plaintext, overlap=DEFAULT_OVERLAP):
        """Replace the secret; the old one stays usable for ``overlap``, so that the
        other side can follow.

        :return: the new secret
        :raises UserError: the one before is still overlapping: a third valid secret
            would hide that nobody followed
        """
        self.ensure_one()
        old = self.sudo()
        if old._siblings().filtered(
            lambda secret: secret.state == "overlapping" and secret._is_usable()
        ):
            raise UserError(
                self.env._(
                    "%(name)s was replaced only a moment ago and the old secret is "
                    "still valid. "
                    "End the overlap first, or wait for its end.",
                    name=old.name,
                )
            )
        new = self._store(plaintext, old.name, old.purpose, record=old._owner())
        old.write(
            {"state": "overlapping", "expires_at": fields.Datetime.now() + overlap}
        )
        self.env["sync.audit"]._log(
            "secret.rotated",
            new,
            before={"fingerprint": old.fingerprint},
            after={"fingerprint": new.fingerprint},
        )
        return new

    def _revoke(self, reason=None):
        """End the secrets' life and wipe them."""
        for secret in self.sudo().filtered(lambda secret: secret.state != "revoked"):
            secret.write({"state": "revoked", "ciphertext": False})
            secret.env["sync.audit"]._log(
                "secret.revoked",
                secret,
                before={"fingerprint": secret.fingerprint},
                reason=reason,
            )

    # -- actions of the security officer -----------------------------------------------

    def action_revoke(self):
        self.check_access("write")
        self._revoke()

    @api.model
    def action_reencrypt(self):
        """Encrypt every secret with the first configured key, so that the other keys
        can be dropped.
        """
        self.check_access("write")
        vault = self._vault()
        # sudo: the ciphertext is out of reach for everybody
        for secret in (
            self.sudo().search([("state", "!=", "revoked")]).filtered("ciphertext")
        ):
            try:
                secret.ciphertext = vault.rotate(secret.ciphertext)
            except UnreadableError:
                raise UserError(secret._unreadable_message()) from None
        self.env["sync.audit"]._log("secret.reencrypted")

    @api.autovacuum
    def _wipe_expired(self):
        self.search(
            [("state", "!=", "revoked"), ("expires_at", "<=", fields.Datetime.now())]
        )._revoke(self.env._("Expired"))

    # -- inside ------------------------------------------------------------------------

    def _encrypt(self, plaintext):
        vault = self._vault()
        # sudo: the ciphertext is out of reach for everybody
        self.sudo().write(
            {
                "ciphertext": vault.encrypt(plaintext),
                "fingerprint": vault.fingerprint(plaintext),
            }
        )

    def _is_usable(self):
        return bool(
            self.state != "revoked"
            and self.ciphertext
            and (not self.expires_at or self.expires_at > fields.Datetime.now())
        )

    def _owner(self):
        return (
            self.env[self.res_model].browse(self.res_id)
            if self.res_model and self.res_id
            else None
        )

    def _siblings(self):
        if not self.res_id:
            return self.browse()
        return self.search(
            [
                ("res_model", "=", self.res_model),
                ("res_id", "=", self.res_id),
                ("purpose", "=", self.purpose),
            ]
        )

    def _unreadable_message(self):
        return self.env._(
            "The secret %(name)s cannot be read: it was encrypted with a key that is "
            "not configured any more. "
            "Put that key back beside the current one, or store the secret anew.",
            name=self.sudo().name,
        )

    @api.model
    def _vault(self):
        try:
            return Vault(self._configured_keys())
        except MissingKeyError:
            raise UserError(
                self.env._(
                    "No encryption key is configured. Set the environment variable "
                    "%(variable)s, or %(option)s in the "
                    "section [%(section)s] of odoo.conf, then restart Odoo.",
                    variable=KEY_VARIABLE,
                    option=KEY_OPTION,
                    section=SECTION,
                )
            ) from None
        except InvalidKeyError:
            raise UserError(
                self.env._(
                    "The configured encryption key is malformed: it must be 32 bytes "
                    "in url-safe base64."
                )
            ) from None

    @api.model
    def _configured_keys(self):
        return split_keys(option(KEY_OPTION, KEY_VARIABLE))
