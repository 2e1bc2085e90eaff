import re
import shlex
import ssl
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..dispatcher.authorization import Authorization, ClientCredentials, OAuth2
from ..dispatcher.http_client import TlsSettings

PURPOSE_PASSWORD = "receiver authentication"
PURPOSE_CERTIFICATE = "client certificate"
# People hear of a certificate's end this long before, and louder in its last week.
EXPIRY_NOTICE = timedelta(days=30)
EXPIRY_URGENT = timedelta(days=7)
# Fields that say with whom secrets are shared, as far as a model has them.
ADDRESS_FIELDS = ("url", "address", "auth_token_url")
PEER_FIELDS = (*ADDRESS_FIELDS, "host_key")
# RFC 9110 tokens; hop-by-hop headers and ours are none of a key's business.
HEADER_NAME_RE = re.compile(r"(?i)(?!host$|content-|webhook-|ce-)[a-z0-9_-]{1,64}")


def _not_valid_after(certificate):
    """Naive UTC, as Odoo stores it; older versions of the library know no other."""
    aware = getattr(certificate, "not_valid_after_utc", None)
    return aware.replace(tzinfo=None) if aware else certificate.not_valid_after


def _origin(address):
    try:
        url = urlsplit(address or "")
        return url.scheme, url.hostname, url.port
    except ValueError:  # no address at all: a folder's path
        return address


class SyncAuthenticationMixin(models.AbstractModel):
    """How we prove to another system who we are.

    Passwords, tokens and private keys leave ``sync.secret`` only for the dispatcher's
    threads.
    """

    _name = "sync.authentication.mixin"
    _inherit = ["sync.secret.owner"]
    _description = "Authentication towards Another System"

    auth_kind = fields.Selection(
        [
            ("none", "None"),
            ("basic", "User and password"),
            ("bearer", "Bearer token"),
            ("header", "Key in a header of its own"),
            ("oauth2", "OAuth 2.0 client credentials"),
        ],
        string="Authentication",
        default="none",
        required=True,
        tracking=True,
        help="How we prove to the receiver who we are, beside the signature.",
    )
    auth_user = fields.Char(string="User or Client ID", tracking=True, copy=False)
    auth_header = fields.Char(
        string="Header", default="X-API-Key", tracking=True, help="Name of the header."
    )
    auth_secret = fields.Char(
        string="Password or Token",
        compute="_compute_written_only",
        inverse="_inverse_auth_secret",
        store=False,
        copy=False,
        exportable=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="Write-only: encrypted at once and never shown again. Takes the place of "
        "the one before.",
    )
    auth_token_url = fields.Char(string="Token URL", tracking=True)
    auth_scope = fields.Char(string="Scope", tracking=True)
    auth_audience = fields.Char(string="Audience", tracking=True)
    auth_in_body = fields.Boolean(
        string="Credentials in Form",
        tracking=True,
        help="The token endpoint wants id and secret as form fields, not by HTTP "
        "Basic.",
    )
    client_certificate = fields.Text(
        compute="_compute_written_only",
        inverse="_inverse_client_certificate",
        store=False,
        copy=False,
        exportable=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="For mutual TLS: certificate, intermediates and unencrypted private key, "
        "as PEM text. Write-only.",
    )
    certificate_subject = fields.Char(readonly=True, copy=False, tracking=True)
    certificate_until = fields.Datetime(
        string="Certificate Valid Until", readonly=True, copy=False, tracking=True
    )
    certificate_state = fields.Selection(
        [
            ("valid", "Valid"),
            ("expiring", "Expires soon"),
            ("expired", "Expired"),
        ],
        string="Certificate",
        compute="_compute_certificate_state",
    )
    trusted_authorities = fields.Text(
        help="PEM certificates of the authorities to trust instead of the system's, "
        "for a receiver with a private one."
    )
    secret_changed_at = fields.Datetime(
        string="Secret Changed", readonly=True, copy=False
    )
    has_auth_secret = fields.Boolean(compute="_compute_has_auth_secret")

    def _compute_written_only(self):
        self.auth_secret = self.client_certificate = False

    @api.depends("secret_changed_at")
    def _compute_has_auth_secret(self):
        for record in self:
            record.has_auth_secret = bool(record._secrets(PURPOSE_PASSWORD))

    @api.depends("certificate_until")
    def _compute_certificate_state(self):
        now = fields.Datetime.now()
        for record in self:
            left = record.certificate_until and record.certificate_until - now
            if not left:
                record.certificate_state = False
            elif left <= timedelta():
                record.certificate_state = "expired"
            else:
                record.certificate_state = (
                    "expiring" if left <= EXPIRY_NOTICE else "valid"
                )

    # -- keeping ---------------------------------------------------------------------

    @api.model
    def _peer_secrets(self):
        """Purposes of the secrets that a peer is shown, by the field to write them."""
        return {
            "auth_secret": PURPOSE_PASSWORD,
            "client_certificate": PURPOSE_CERTIFICATE,
        }

    def write(self, vals):
        peers = (
            {record: record._peer() for record in self}
            if set(PEER_FIELDS) & vals.keys()
            else {}
        )
        result = super().write(vals)
        purposes = [
            purpose
            for name, purpose in self._peer_secrets().items()
            if not vals.get(name)
        ]
        for record, peer in peers.items():
            if record._peer() != peer:
                record._forget_peer_secrets(purposes)
        return result

    def _peer(self):
        """Whom the secrets are meant for: scheme, host and port, and the host's key."""
        return [
            _origin(self[name]) if name in ADDRESS_FIELDS else self[name]
            for name in PEER_FIELDS
            if name in self._fields
        ]

    def _forget_peer_secrets(self, purposes):
        """Another host must not get what was given for the one before."""
        kept = {purpose: self._secrets(purpose) for purpose in purposes}
        if not any(kept.values()):
            return
        reason = self.env._(
            "The address leads to another host: its secrets must be entered anew."
        )
        for secrets in kept.values():
            secrets._revoke(reason)
        if kept.get(PURPOSE_CERTIFICATE):
            # sudo: readonly facts about what is gone
            self.sudo().write(
                {"certificate_subject": False, "certificate_until": False}
            )
            self._review_certificate()
        self._note_secret_change()
        self.message_post(body=reason)

    def _inverse_auth_secret(self):
        for record in self.filtered("auth_secret"):
            record._replace_secret(PURPOSE_PASSWORD, record.auth_secret)
        self.invalidate_recordset(["auth_secret"])

    def _inverse_client_certificate(self):
        for record in self.filtered("client_certificate"):
            pem = record.client_certificate
            chain = record._check_certificate(pem)
            record._replace_secret(PURPOSE_CERTIFICATE, pem)
            # sudo: readonly facts about what was just written
            record.sudo().write(
                {
                    "certificate_subject": chain[0].subject.rfc4514_string(),
                    # A chain is as good as the first of its links to expire.
                    "certificate_until": min(map(_not_valid_after, chain)),
                }
            )
            record._review_certificate()
        self.invalidate_recordset(["client_certificate"])

    def _check_certificate(self, pem):
        """The certificate and its intermediates, if they are fit for use.

        :raises ValidationError: they are not
        """
        try:
            chain = x509.load_pem_x509_certificates(pem.encode())
            load_pem_private_key(pem.encode(), password=None)
            TlsSettings(certificate=pem).context()
        except (ValueError, TypeError, ssl.SSLError):
            # "from None", and no word of the library: it could quote the key
            raise ValidationError(
                self.env._(
                    "This is not a certificate with its own unencrypted private key, "
                    "both as PEM text."
                )
            ) from None
        return chain

    @api.model
    def _cron_certificates(self):
        """Tell people of client certificates that expire, of every model that has them:
        the receiver's refusals, when it comes to that, would not say why.
        """
        names = set(self.pool.descendants([self._name], "_inherit")) - {self._name}
        for name in sorted(names):
            model = self.env[name]
            for record in model.search(model._certificate_domain()):
                record._review_certificate()

    @api.model
    def _certificate_domain(self):
        """Records in use whose certificate ends soon."""
        before = fields.Datetime.now() + EXPIRY_NOTICE
        return [("certificate_until", "<=", before)]

    def _review_certificate(self):
        """Raise an issue if the certificate ends soon, close it if there is a new one.

        It counts once a level: soon, in the last week, expired.
        """
        fingerprint = f"certificate.{self._name}.{self.id}"
        issues = self.env["sync.issue"]
        if not self.filtered_domain(self._certificate_domain()):
            issues._recover(fingerprint, self.env._("A valid certificate is in place."))
            return
        left = self.certificate_until - fields.Datetime.now()
        severity = "error" if left <= EXPIRY_URGENT else "warning"
        # sudo: as for raising
        known = issues.sudo().search(
            [
                ("fingerprint", "=", fingerprint),
                ("state", "!=", "resolved"),
                ("title", "=", title := self._certificate_notice(left)),
            ],
            limit=1,
        )
        if not known:
            issues._raise(
                fingerprint,
                title,
                "certificate.expiry",
                severity=severity,
                record=self,
                system=self.system_id,
                detail=self.certificate_subject,
            )

    def _certificate_notice(self, left):
        """One sentence, the same as long as there is nothing new to tell.

        :param left: time until the certificate's end
        """
        values = {
            "name": self.display_name,
            "day": fields.Date.to_string(self.certificate_until),
        }
        if left <= timedelta():
            return self.env._(
                "%(name)s: the client certificate expired on %(day)s", **values
            )
        if left <= EXPIRY_URGENT:
            return self.env._(
                "%(name)s: the client certificate expires within a week, on %(day)s",
                **values,
            )
        return self.env._(
            "%(name)s: the client certificate expires on %(day)s", **values
        )

    def _replace_secret(self, purpose, plaintext):
        if purpose == PURPOSE_PASSWORD and not plaintext.isprintable():
            raise ValidationError(
                self.env._("A password or token is one line of printable characters.")
            )
        self._secrets(purpose)._revoke(self.env._("Replaced"))
        self.env["sync.secret"]._store(
            plaintext, self.display_name, purpose, record=self
        )
        self._note_secret_change()

    def action_remove_certificate(self):
        """Forget the client certificate: no mutual TLS any more."""
        self.check_access("write")
        for record in self:
            record._secrets(PURPOSE_CERTIFICATE)._revoke(self.env._("Removed"))
            # sudo: readonly facts about what is gone
            record.sudo().write(
                {"certificate_subject": False, "certificate_until": False}
            )
            record._review_certificate()
            record._note_secret_change()

    def _note_secret_change(self):
        """Have running dispatchers read the secrets again."""
        # sudo: a readonly stamp, set by whoever may change secrets
        self.sudo().secret_changed_at = fields.Datetime.now()

    # -- checks ----------------------------------------------------------------------

    @api.constrains("auth_kind", "auth_user", "auth_header", "auth_token_url")
    def _check_authentication(self):
        for record in self:
            if record.auth_kind == "header" and not HEADER_NAME_RE.fullmatch(
                record.auth_header or ""
            ):
                raise ValidationError(self.env._("This is no name of a header."))
            if record.auth_kind in ("basic", "oauth2") and not record.auth_user:
                raise ValidationError(self.env._("Give the user or the client ID."))
            if record.auth_kind == "basic" and ":" in record.auth_user:
                raise ValidationError(self.env._("A user name has no colon in it."))
            if record.auth_kind == "oauth2":
                record._check_address(record.auth_token_url, ("http", "https"))

    @api.model
    def _check_address(self, address, schemes):
        """Refuse what is not a URL of one of the schemes, or holds a password."""
        try:
            url = urlsplit(address or "")
            is_good = url.scheme in schemes and url.hostname and url.port != 0
        except ValueError:
            is_good = False
        if not is_good or "@" in url.netloc:
            raise ValidationError(
                self.env._(
                    "%(url)s is not an address of %(schemes)s without user and "
                    "password.",
                    url=address,
                    schemes=", ".join(schemes),
                )
            )

    @api.constrains("trusted_authorities")
    def _check_authorities(self):
        for record in self.filtered("trusted_authorities"):
            try:
                TlsSettings(authorities=record.trusted_authorities).context()
            except (ValueError, ssl.SSLError) as error:
                raise ValidationError(
                    self.env._("These are no certificates as PEM text.")
                ) from error

    # -- using -----------------------------------------------------------------------

    def _missing_authentication(self):
        """What is still to be entered before anything can be sent, or False."""
        if self.auth_kind != "none" and not self._secrets(PURPOSE_PASSWORD):
            return self.env._("%(name)s has no password or token yet.", name=self.name)
        return False

    def _authorization(self, tokens):
        """The authorization of HTTP requests.

        :param tokens: ``dispatcher.authorization.Tokens`` of this process
        """
        if self.auth_kind == "none":
            return Authorization()
        secret = self._password()
        if self.auth_kind == "basic":
            return Authorization.basic(self.auth_user, secret)
        if self.auth_kind == "bearer":
            return Authorization.bearer(secret)
        if self.auth_kind == "header":
            return Authorization.key(self.auth_header.lower(), secret)
        credentials = ClientCredentials(
            token_url=self.auth_token_url,
            client_id=self.auth_user,
            client_secret=secret,
            scope=self.auth_scope or "",
            audience=self.auth_audience or "",
            in_body=self.auth_in_body,
        )
        return OAuth2(credentials, tokens)

    def _curl_authentication(self):
        """Options of a curl command line, as shell text with variables for secrets."""
        lines = {
            "none": [],
            "basic": [f'--user {shlex.quote(self.auth_user or "")}:"$PASSWORD"'],
            "bearer": ['--header "authorization: Bearer $TOKEN"'],
            "oauth2": ['--header "authorization: Bearer $TOKEN"'],
            "header": [f'--header "{(self.auth_header or "").lower()}: $TOKEN"'],
        }[self.auth_kind]
        if self.certificate_subject:
            lines = [*lines, "--cert client.pem"]
        if self.trusted_authorities:
            lines = [*lines, "--cacert authorities.pem"]
        return lines

    def _password(self):
        """The password or token.

        :raises ValidationError: there is none
        """
        if problem := self._missing_authentication():
            raise ValidationError(problem)
        return self._secrets(PURPOSE_PASSWORD)[0]._reveal()

    def _tls_settings(self):
        """Client certificate and trusted authorities of connections."""
        certificates = self._secrets(PURPOSE_CERTIFICATE)
        return TlsSettings(
            certificate=certificates[0]._reveal() if certificates else "",
            authorities=self.trusted_authorities or "",
        )
