import re
import secrets
import shlex
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ..dispatcher.http_client import HttpClient
from ..dispatcher.http_sender import (
    HttpSender,
    HttpTarget,
    is_secret_header,
    valid_keys,
)
from ..dispatcher.lane import LaneConfig
from ..tools import addresses, breaker
from ..tools.backoff import DEFAULT_SCHEDULE, Schedule, ScheduleError
from ..tools.matching import FilterError, matches, parse_filter, parse_patterns
from ..tools.outcome import Verdict
from ..tools.signature import SigningKey, generate_secret, signature_headers
from .sync_delivery import OPEN

ALLOWED_NETWORKS = "sync_governance.allowed_networks"
PURPOSE_SIGNING = "webhook signing"
# People hear of an automatic disabling this long before.
NOTICE_H = 24
HEADER_RE = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e\t]*)")
# Ours, or those that say how the bytes of a request are to be read.
RESERVED_PREFIXES = ("webhook-", "ce-", "content-", "transfer-", "proxy-")
RESERVED_HEADERS = frozenset(
    {"host", "connection", "keep-alive", "expect", "te", "trailer", "upgrade"}
)


@dataclass(frozen=True)
class Route:
    """What the fan-out needs to know of a subscription."""

    id: int
    patterns: tuple
    system_id: int | None
    company_id: int | None
    conditions: tuple


class SyncSubscription(models.Model):
    """Who wants which events, where and how."""

    _name = "sync.subscription"
    _description = "Subscription"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "sync.authentication.mixin",
        "sync.company.guard",
    ]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("active", "Active"),
            ("paused", "Paused"),
            ("disabled", "Disabled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    pause_mode = fields.Selection(
        [("keep", "Keep events for later"), ("skip", "Skip events")],
        default="keep",
        required=True,
        tracking=True,
        help="What happens to events while the subscription is paused.",
    )
    environment = fields.Selection(
        [("test", "Test"), ("live", "Live")],
        default="live",
        required=True,
        tracking=True,
        help="A test subscription gets events like any other, with the header "
        "'webhook-environment: test'. Its failures alarm nobody.",
    )
    disabled_reason = fields.Char(readonly=True, copy=False, tracking=True)
    system_id = fields.Many2one(
        "sync.system",
        tracking=True,
        ondelete="restrict",
        help="The receiving system. It never gets the echo of its own changes.",
    )
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        help="Only events of this company, and those of no company. Empty: the "
        "company of the system; without one, events of all companies.",
    )
    transport = fields.Selection(
        selection="_transports", default="http", required=True, tracking=True
    )
    url = fields.Char(string="URL", tracking=True)
    format = fields.Selection(
        [
            ("standard", "Standard Webhooks"),
            ("cloudevents_structured", "CloudEvents, structured"),
            ("cloudevents_binary", "CloudEvents, binary"),
            ("bare", "The payload alone"),
        ],
        default="standard",
        required=True,
        tracking=True,
    )
    patterns = fields.Char(
        string="Event Types",
        default="*",
        required=True,
        tracking=True,
        help="Comma separated names; * stands for anything: order.*, customer.created.",
    )
    content_filter = fields.Text(
        tracking=True,
        help="JSON list of [path, operator, value] on the payload; all must hold. "
        'Example: [["customer.country", "=", "FR"]]',
    )
    fields_used = fields.Char(
        help="Comma separated paths of the payload that the receiver reads. A change "
        "of the contract then says whom it touches. Empty: all of them.",
    )
    custom_headers = fields.Text(
        groups="sync_governance_base.group_sync_integration_manager",
        copy=False,
        help="One 'Name: value' a line, sent along with each request.",
    )
    ordered = fields.Boolean(
        string="In Order",
        tracking=True,
        help="The events of a record arrive one after the other; one that fails holds "
        "back the record's later ones. Other records go on.",
    )
    timeout_s = fields.Float(
        string="Timeout (s)",
        default=15.0,
        tracking=True,
        help="For the whole exchange.",
    )
    retry_schedule = fields.Char(
        default=DEFAULT_SCHEDULE,
        required=True,
        tracking=True,
        help="Seconds before each attempt, the first included. Jitter of a fifth is "
        "added.",
    )
    max_concurrency = fields.Integer(
        default=8, tracking=True, help="Requests under way at the same time."
    )
    rate = fields.Float(string="Rate Limit (per s)", tracking=True, help="0: no limit.")
    breaker_failures = fields.Integer(
        string="Failures in a Row", default=5, help="Open the circuit."
    )
    breaker_window = fields.Integer(
        string="Window", default=20, help="Number of last attempts that are looked at."
    )
    breaker_ratio = fields.Float(
        string="Failure Ratio",
        default=0.5,
        help="Share of failures in the window that opens the circuit.",
    )
    breaker_open_s = fields.Integer(
        string="Pause (s)",
        default=60,
        help="Before the first probe; doubled at every failed one, up to 15 minutes.",
    )
    disable_after_h = fields.Integer(
        string="Disable After (h)",
        default=120,
        help="Hours of unbroken failure. People are told a day before. 0: never.",
    )
    has_secret = fields.Boolean(compute="_compute_has_secret")
    is_rotating = fields.Boolean(compute="_compute_has_secret")
    breaker_ids = fields.One2many("sync.breaker", "subscription_id", readonly=True)
    breaker_status = fields.Selection(related="breaker_ids.status", string="Circuit")
    backlog = fields.Integer(compute="_compute_counts")
    dead_count = fields.Integer(string="Dead Letters", compute="_compute_counts")
    held_count = fields.Integer(
        string="Held",
        compute="_compute_counts",
        help="Messages that a policy keeps until somebody asks for them.",
    )
    success_rate = fields.Float(
        string="Success 24 h (%)", compute="_compute_metrics", aggregator=None
    )
    p95_ms = fields.Float(
        string="p95 (ms)", compute="_compute_metrics", aggregator=None
    )
    sent_24h = fields.Integer(string="Attempts 24 h", compute="_compute_metrics")
    sparkline = fields.Json(compute="_compute_metrics")

    _concurrency_positive = models.Constraint(
        "CHECK (max_concurrency BETWEEN 1 AND 64)",
        "Between 1 and 64 requests can be under way at the same time.",
    )
    _timeout_sane = models.Constraint(
        "CHECK (timeout_s BETWEEN 1 AND 60)", "A timeout is 1 to 60 seconds."
    )
    _rate_not_negative = models.Constraint(
        "CHECK (rate >= 0)", "A rate limit cannot be negative."
    )

    @api.model
    def _transports(self):
        """Ways to send: each ``kind`` has a method ``_dispatch_transport_<kind>``."""
        return [("http", "HTTP")]

    # -- computed --------------------------------------------------------------------

    @api.depends("secret_changed_at")
    def _compute_has_secret(self):
        for subscription in self:
            states = set(subscription._secrets(PURPOSE_SIGNING).mapped("state"))
            subscription.has_secret = bool(states)
            subscription.is_rotating = "overlapping" in states

    def _compute_counts(self):
        groups = self.env["sync.delivery"]._read_group(
            [
                ("subscription_id", "in", self.ids),
                ("state", "in", (*OPEN, "dead")),
            ],
            ["subscription_id", "state"],
            ["__count"],
        )
        self.backlog = self.dead_count = self.held_count = 0
        for subscription, state, count in groups:
            if state == "dead":
                subscription.dead_count += count
            elif state == "held":
                subscription.held_count += count
            else:
                subscription.backlog += count

    def _compute_metrics(self):
        # sudo: figures without content
        figures = self.env["sync.delivery.metric"].sudo()._last_day(self.ids)
        for subscription in self:
            of_day = figures.get(subscription.id)
            total = of_day and of_day["delivered"] + of_day["failed"]
            subscription.sent_24h = total
            subscription.success_rate = (
                100.0 * of_day["delivered"] / total if total else 0
            )
            subscription.p95_ms = of_day["p95"] if of_day else 0
            subscription.sparkline = of_day["hours"] if of_day else []

    # -- checks ----------------------------------------------------------------------

    @api.model
    def _url_schemes(self):
        """Schemes of the addresses of each transport that has addresses."""
        return {"http": ("http", "https")}

    @api.constrains("url", "transport")
    def _check_url(self):
        for subscription in self:
            schemes = self._url_schemes().get(subscription.transport)
            if schemes:
                subscription._check_address(subscription.url, schemes)

    @api.constrains("company_id", "url", "patterns", "content_filter")
    def _check_all_companies(self):
        """Events of all companies are sent by people who have all companies."""
        user = self.env.user
        if user._is_superuser() or all(record.company_id for record in self):
            return
        # sudo: people see no companies but their own
        if len(user.company_ids) < self.env["res.company"].sudo().search_count([]):
            raise ValidationError(
                self.env._(
                    "Only who has all companies may send the events of all. Choose a "
                    "company."
                )
            )

    @api.constrains("patterns", "content_filter", "retry_schedule", "custom_headers")
    def _check_texts(self):
        for subscription in self:
            try:
                parse_filter(subscription.content_filter)
                Schedule.parse(subscription.retry_schedule)
            except (FilterError, ScheduleError) as error:
                raise ValidationError(str(error)) from error
            try:
                patterns = parse_patterns(subscription.patterns)
            except ValueError as error:
                raise ValidationError(
                    self.env._("%(pattern)s can match no event.", pattern=error)
                ) from error
            if not patterns:
                raise ValidationError(self.env._("Name at least one event type."))
            # sudo: the writer may set headers without being allowed to read them
            subscription.sudo()._header_pairs()

    def _header_pairs(self):
        pairs = []
        for line in filter(
            None, map(str.strip, (self.custom_headers or "").splitlines())
        ):
            match = HEADER_RE.fullmatch(line)
            name = (match[1] if match else line.partition(":")[0]).lower()
            if is_secret_header(name):
                raise ValidationError(
                    self.env._(
                        "%(header)s is a secret: enter it under Authentication, "
                        "where it is encrypted.",
                        header=name,
                    )
                )
            is_ours = name in RESERVED_HEADERS or name.startswith(RESERVED_PREFIXES)
            if not match or is_ours:
                raise ValidationError(
                    self.env._("This header cannot be set: %(header)s", header=name)
                )
            pairs.append((name, match[2].strip()))
        return tuple(pairs)

    def _sent_headers(self):
        """Headers of every request, as pairs."""
        pairs = self._header_pairs()
        if self.environment == "test":
            pairs = (*pairs, ("webhook-environment", "test"))
        return pairs

    # -- CRUD ------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        subscriptions = super().create(vals_list)
        # sudo: the breaker belongs to the dispatcher, people only look at it
        self.env["sync.breaker"].sudo().create(
            [{"subscription_id": subscription.id} for subscription in subscriptions]
        )
        self._forget_routes()
        return subscriptions

    def write(self, vals):
        result = super().write(vals)
        self._forget_routes()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_at_rest(self):
        """Deleting would collide with the results of what is on its way."""
        for subscription in self:
            if subscription.state == "active":
                raise UserError(
                    self.env._(
                        "%(name)s is active: disable it before you delete it.",
                        name=subscription.name,
                    )
                )

    def unlink(self):
        result = super().unlink()
        self._forget_routes()
        return result

    # -- routing ---------------------------------------------------------------------

    def _forget_routes(self):
        """Have every worker read the subscriptions anew; once more after the commit:
        another thread may have read the old ones in between.
        """
        self.env.registry.clear_cache()
        self.env.cr.postcommit.add(self.env.registry.clear_cache)

    @api.model
    @tools.ormcache("event_name")
    def _routes(self, event_name):
        """The subscriptions that want events of a name, as plain values."""
        # sudo: whoever changes a record may know nothing of subscriptions
        subscriptions = self.sudo().search(
            [
                "|",
                ("state", "=", "active"),
                "&",
                ("state", "=", "paused"),
                ("pause_mode", "=", "keep"),
            ]
        )
        routes = (subscription._route() for subscription in subscriptions)
        return tuple(route for route in routes if matches(event_name, route.patterns))

    def _route(self):
        return Route(
            id=self.id,
            patterns=parse_patterns(self.patterns),
            system_id=self.system_id.id or None,
            company_id=self._company().id or None,
            conditions=parse_filter(self.content_filter),
        )

    def _company(self):
        """The company whose events are sent; empty for all companies."""
        return self.company_id or self.system_id.company_id

    def _paths_read(self):
        """Paths of the payload this subscription depends on; empty for everything."""
        paths = {path.strip() for path in (self.fields_used or "").split(",")} - {""}
        if paths:
            conditions = parse_filter(self.content_filter)
            paths |= {".".join(path) for path, _operator, _value in conditions}
        return frozenset(paths)

    @api.model
    def _certificate_domain(self):
        return [
            *super()._certificate_domain(),
            ("state", "in", ("active", "paused")),
            ("environment", "=", "live"),
        ]

    # -- for the dispatcher ----------------------------------------------------------

    def _lane_config(self, revision, deadlines):
        """The settings a dispatcher works with.

        :param deadlines: ``dispatcher.http_sender.Deadlines`` of the running slice
        """
        sender = getattr(self, f"_dispatch_transport_{self.transport}")
        return LaneConfig(
            id=self.id,
            revision=revision,
            ordered=self.ordered,
            concurrency=self.max_concurrency,
            rate=self.rate,
            schedule=Schedule.parse(self.retry_schedule),
            breaker=breaker.Config(
                window=self.breaker_window,
                min_calls=max(2, self.breaker_window // 2),
                ratio=self.breaker_ratio,
                consecutive=self.breaker_failures,
                open_s=self.breaker_open_s,
            ),
            sender=sender(deadlines),
        )

    def _dispatch_transport_http(self, deadlines):
        """A callable that posts one
        ``tools.parcel.Parcel`` and returns its ``Attempt``.

        Called in the dispatcher's main thread; what it returns
        is called in others, so it must hold plain values only.
        """
        from .sync_dispatcher import pools, tokens

        keys = self._signing_keys()
        if not keys:
            raise UserError(self._missing_secret())
        target = HttpTarget(
            url=self.url,
            timeout=self.timeout_s,
            keys=keys,
            headers=self._sent_headers(),
            authorization=self._authorization(tokens),
        )
        client = HttpClient(pools, self._allowed_networks(), self._tls_settings())
        return HttpSender(target, client, deadlines)

    def _curl_command(self, parcel):
        """The request of a parcel as a command line, signed now; secrets that travel
        are left to environment variables. False for transports other than HTTP.
        """
        if self.transport != "http":
            return False
        now = int(time.time())
        keys = valid_keys(self._signing_keys(), now)
        body = parcel.body.encode()
        # sudo: shown to integration managers alone, who may read the headers
        headers = dict(self.sudo()._sent_headers()) | parcel.headers
        if keys:
            headers |= signature_headers(keys, parcel.message.id, now, body)
        lines = [shlex.join(["curl", "--request", "POST", self.url])]
        lines += [
            shlex.join(["--header", f"{name}: {value}"])
            for name, value in headers.items()
        ]
        lines += self._curl_authentication()
        lines.append(shlex.join(["--data-raw", parcel.body]))
        return " \\\n  ".join(lines)

    def _missing_secret(self):
        return self.env._("%(name)s has no signing secret yet.", name=self.name)

    def _signing_keys(self):
        """Pairs of key and unix time until which it signs, None for good."""
        return tuple(
            (
                SigningKey.parse(secret._reveal()),
                secret.expires_at.replace(tzinfo=timezone.utc).timestamp()
                if secret.expires_at
                else None,
            )
            for secret in self._secrets(PURPOSE_SIGNING)
        )

    @api.model
    def _allowed_networks(self):
        text = self.env["ir.config_parameter"].sudo().get_param(ALLOWED_NETWORKS, "")
        return addresses.parse_networks(text)

    def _on_breaker(self, transition, result):
        """Tell people of an outage, once, and of its end."""
        fingerprint = f"webhooks.outage.{self.id}"
        issues = self.env["sync.issue"]
        if transition is breaker.Transition.CLOSED:
            note = self.env._("The endpoint answers again.")
            issues._recover(fingerprint, note)
            issues._recover(f"webhooks.disabling.{self.id}", note)
            return
        self._alarm(
            fingerprint,
            self.env._(
                "%(name)s does not answer: %(error)s",
                name=self.name,
                error=result.error_class,
            ),
            "delivery.outage",
            detail=self._detail(result),
        )

    def _alarm(self, fingerprint, title, kind, **values):
        """Raise an issue about the subscription, unless it is there for tests."""
        if self.environment == "live":
            self.env["sync.issue"]._raise(
                fingerprint,
                title,
                kind,
                **{"severity": "error", **values},
                record=self,
                system=self.system_id,
            )

    @api.model
    def _detail(self, result):
        """What people who look at an issue may know of an attempt."""
        delivery = self.env["sync.delivery"].browse(result.parcel.delivery_id)
        text = result.attempt.error or result.attempt.response_body
        return delivery.event_id._masked_text(text)[:500]

    def _on_misconfigured(self, error):
        """Tell people that nothing can be sent with these settings."""
        self._alarm(
            f"webhooks.settings.{self.id}",
            self.env._("%(name)s cannot be sent to", name=self.name),
            "delivery.settings",
            detail=str(error),
        )

    @api.model
    def _on_results(self, results):
        """Draw conclusions for whole subscriptions from a batch of results."""
        for result in results:
            if result.verdict is Verdict.GONE:
                subscription = self.browse(result.parcel.subscription_id)
                subscription._disable(
                    self.env._("The receiver answered that the address is gone.")
                )
        dead = {}
        for result in results:
            if result.state == "dead":
                key = (result.parcel.subscription_id, result.error_class)
                dead.setdefault(key, []).append(result)
        for (subscription_id, error), letters in dead.items():
            self.browse(subscription_id)._raise_dead(error, letters)

    def _raise_dead(self, error, letters):
        self._alarm(
            f"webhooks.dead.{self.id}.{error}",
            self.env._(
                "%(name)s: messages could not be delivered (%(error)s)",
                name=self.name,
                error=error,
            ),
            "delivery.dead",
            detail=self._detail(letters[-1]),
        )

    def _disable(self, reason):
        """Stop sending until a person decides otherwise."""
        for subscription in self.filtered(lambda record: record.state != "disabled"):
            subscription.write({"state": "disabled", "disabled_reason": reason})
            subscription._alarm(
                f"webhooks.disabled.{subscription.id}",
                self.env._("%(name)s was disabled", name=subscription.name),
                "delivery.disabled",
                detail=reason,
            )

    @api.model
    def _review_outages(self):
        """Disable endpoints that only ever fail, announced a day ahead."""
        now = datetime.now(timezone.utc).timestamp()
        failing = self.search(
            [("state", "=", "active"), ("breaker_ids.first_failure", ">", 0)]
        )
        for subscription in failing.filtered("disable_after_h"):
            hours = (now - subscription.breaker_ids.first_failure) / 3600
            if hours >= subscription.disable_after_h:
                subscription._disable(
                    self.env._(
                        "Nothing arrived for %(hours)s hours.", hours=round(hours)
                    )
                )
            elif hours >= subscription.disable_after_h - NOTICE_H:
                subscription._announce_disabling(subscription.disable_after_h - hours)

    def _announce_disabling(self, hours):
        fingerprint = f"webhooks.disabling.{self.id}"
        known = self.env["sync.issue"].search_count(
            [("fingerprint", "=", fingerprint), ("state", "!=", "resolved")], limit=1
        )
        if not known:
            self._alarm(
                fingerprint,
                self.env._(
                    "%(name)s will be disabled in %(hours)s hours unless it answers",
                    name=self.name,
                    hours=max(1, round(hours)),
                ),
                "delivery.disabling",
                severity="warning",
            )

    # -- people ----------------------------------------------------------------------

    def _check_manager(self):
        group = "sync_governance_base.group_sync_integration_manager"
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(self.env._("Only integration managers may do this."))

    def action_activate(self):
        """Start, or resume, sending."""
        self._check_manager()
        for subscription in self:
            if subscription.transport == "http" and not subscription.has_secret:
                raise UserError(subscription._missing_secret())
            if problem := subscription._missing_authentication():
                raise UserError(problem)
            self.env["sync.issue"]._recover(
                f"webhooks.disabled.{subscription.id}",
                self.env._("Activated again."),
            )
        self.write({"state": "active", "disabled_reason": False})
        self.env["sync.dispatcher"]._wake_after_commit()

    def action_pause(self):
        """Stop sending for now; ``pause_mode`` says what becomes of new events."""
        self._check_manager()
        self.write({"state": "paused"})

    def action_disable(self):
        """Stop sending, and making deliveries."""
        self._check_manager()
        self.write({"state": "disabled", "disabled_reason": self.env._("By hand.")})

    def action_isolate(self):
        """Open the circuit by hand: events are kept, nothing is sent."""
        self._check_manager()
        for row in self.sudo().breaker_ids:
            row._store_state(breaker.isolate(row._state()))

    def action_reset_breaker(self):
        """Close the circuit by hand."""
        self._check_manager()
        for subscription in self:
            subscription.sudo().breaker_ids._store_state(breaker.reset())
            self.env["sync.issue"]._recover(
                f"webhooks.outage.{subscription.id}", self.env._("Reset by hand.")
            )
        self.env["sync.dispatcher"]._wake_after_commit()

    def _rotate_secret(self, version="v1"):
        """Give the subscription a new signing
        secret; the old one signs along for a day.

        :param str version: ``v1`` (HMAC) or ``v1a`` (ed25519)
        :return: the secret, for the only time it is shown
        :raises UserError: while an earlier rotation is still overlapping
        """
        self.ensure_one()
        plaintext = generate_secret(secrets.token_bytes, version)
        self._renew_secret(plaintext, self.name, PURPOSE_SIGNING)
        self._note_secret_change()
        return plaintext

    def action_end_overlap(self):
        """Stop signing with the old secret now, e.g. because it leaked."""
        self._check_manager()
        for subscription in self:
            subscription._secrets(PURPOSE_SIGNING).filtered(
                lambda secret: secret.state == "overlapping"
            )._revoke(self.env._("Overlap ended by hand"))
            subscription._note_secret_change()

    def action_rotate_secret(self):
        """Make a new secret and show it, once."""
        self.ensure_one()
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Signing Secret"),
            "res_model": "sync.secret.reveal",
            "views": [[False, "form"]],
            "target": "new",
            # By the context and an unstored field: the secret reaches no table.
            "context": {"default_secret": self._rotate_secret()},
        }

    def action_test_ping(self):
        """Send a ``sync.ping`` event to this
        subscription alone, whatever it subscribes to.
        """
        self._check_manager()
        for subscription in self:
            if subscription.state != "active":
                raise UserError(
                    self.env._("%(name)s is not active.", name=subscription.name)
                )
            self.env["sync.event"]._ping(subscription)
        return self.action_view_deliveries()

    def action_view_deliveries(self):
        """Open the deliveries of these subscriptions."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_delivery_action"
        )
        return action | {"domain": [("subscription_id", "in", self.ids)], "context": {}}

    def action_view_held(self):
        """Open what is held for these subscriptions until somebody asks for it."""
        action = self.action_view_deliveries()
        return action | {"domain": action["domain"] + [("state", "=", "held")]}

    def action_view_dead(self):
        """Open the dead letters of these subscriptions."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_dead_letter_action"
        )
        domain = [("subscription_id", "in", self.ids), ("state", "=", "dead")]
        return action | {"domain": domain}
