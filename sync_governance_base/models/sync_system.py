from dataclasses import replace
from threading import current_thread
from urllib.parse import urlsplit

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.http import request

from ..tools.source import ODOO_CODE, RPC_PATHS, Channel, Source, channel_of_path

SOURCE_KEY = "sync_source"


class SyncSystem(models.Model):
    """A system that exchanges data with Odoo, or Odoo itself."""

    _name = "sync.system"
    _description = "System"
    _inherit = ["mail.thread", "mail.activity.mixin", "sync.company.guard"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(
        required=True,
        copy=False,
        tracking=True,
        help="Short name used in addresses and messages: small letters, digits and _.",
    )
    kind = fields.Selection(
        [
            ("odoo", "Odoo"),
            ("wms", "Warehouse"),
            ("crm", "CRM"),
            ("pim", "Product information"),
            ("shop", "Shop"),
            ("carrier", "Carrier"),
            ("logistics", "Logistics provider"),
            ("finance", "Finance"),
            ("marketplace", "Marketplace"),
            ("supplier", "Supplier"),
            ("other", "Other"),
        ],
        required=True,
        default="other",
    )
    environment = fields.Selection(
        [("sandbox", "Sandbox"), ("live", "Live")],
        required=True,
        default="sandbox",
        tracking=True,
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("testing", "Testing"),
            ("live", "Live"),
            ("paused", "Paused"),
            ("retired", "Retired"),
        ],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    active = fields.Boolean(default=True)
    owner_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        tracking=True,
        help="Answers for this system in the business.",
    )
    company_id = fields.Many2one("res.company")
    record_url_template = fields.Char(
        string="Record Address",
        help="Address of a record in that system;"
        " {external_id} stands for its id there.",
    )
    note = fields.Html()
    service_account_ids = fields.One2many("sync.service.account", "system_id")
    service_account_count = fields.Integer(compute="_compute_counts")
    crosswalk_count = fields.Integer(string="External Ids", compute="_compute_counts")
    conflict_count = fields.Integer(string="Open Conflicts", compute="_compute_counts")
    owned_field_count = fields.Integer(string="Owned Fields", compute="_compute_counts")

    _code_unique = models.Constraint("UNIQUE(code)", "Another system has this code.")
    _code_format = models.Constraint(
        "CHECK(code ~ '^[a-z][a-z0-9_]{1,30}$')",
        "A system's code starts with a small letter;"
        " small letters, digits and _ follow.",
    )

    def _compute_counts(self):
        counters = {
            "service_account_count": ("sync.service.account", "system_id", []),
            "crosswalk_count": ("sync.crosswalk", "system_id", []),
            "conflict_count": ("sync.conflict", "system_id", [("state", "=", "open")]),
            "owned_field_count": (
                "sync.policy.field",
                "owner_system_id",
                [("policy_id.state", "=", "active")],
            ),
        }
        for name, (model, key, domain) in counters.items():
            groups = self.env[model]._read_group(
                [(key, "in", self.ids), *domain], [key], ["__count"]
            )
            counts = {system.id: count for system, count in groups}
            for system in self:
                system[name] = counts.get(system.id, 0)

    @api.constrains("record_url_template")
    def _check_record_url_template(self):
        for system in self:
            template = system.record_url_template
            if not template:
                continue
            if (
                not template.startswith(("https://", "http://"))
                or "{external_id}" not in template
            ):
                raise ValidationError(
                    self.env._(
                        "The record address of %(system)s must be a web address that"
                        " contains {external_id}.",
                        system=system.name,
                    )
                )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if {"code", "state", "active"} & vals.keys():
            self.env["sync.write.hook"]._sync_refresh_hooks()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_odoo(self):
        if any(system.code == ODOO_CODE for system in self):
            raise ValidationError(
                self.env._("Odoo itself is always one of the systems.")
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_test(self):
        """Start exchanging in test mode."""
        self.state = "testing"

    def action_go_live(self):
        """Exchange for real."""
        self.write({"state": "live", "environment": "live"})

    def action_pause(self):
        """Stop exchanging for a while; nothing is lost."""
        self.state = "paused"

    def action_retire(self):
        """Stop exchanging for good; a system that owns fields cannot go."""
        for system in self:
            if system.owned_field_count:
                raise ValidationError(
                    self.env._(
                        "%(system)s still owns %(count)s fields."
                        " Give them another owner"
                        " in a new version of their policies first.",
                        system=system.name,
                        count=system.owned_field_count,
                    )
                )
        self.state = "retired"

    def _record_url(self, external_id: str) -> str | bool:
        """Address of a record in that system, False when none is known."""
        self.ensure_one()
        if not self.record_url_template:
            return False
        return self.record_url_template.replace("{external_id}", external_id)

    # ------------------------------------------------------------------
    # Source of a write
    # ------------------------------------------------------------------

    def _as_source(self, request_ref=None, channel=Channel.INBOUND) -> Source:
        """This system as a source of writes, for ``sync_source`` in the context."""
        self.ensure_one()
        return Source(
            channel=channel,
            system_code=self.code,
            system_id=self.id,
            user_id=self.env.uid,
            request_ref=request_ref,
        )

    @api.model
    def _enter_flow(self, records):
        """The records, for a business process of Odoo's own (confirm, validate, post).

        What the process writes in consequence is nobody's edit: policies treat it like
        writes with access rights off (``su_mode``). Only for methods that take no value
        from their caller; what people type stays theirs.
        """
        source = replace(self._current_source(), superuser=True)
        return records.with_context(**{SOURCE_KEY: source})

    @api.model
    def _leave_flow(self, result, records):
        """A process's result, as its caller knows it: records and actions leave the
        flow's context behind.

        :param records: the records as the caller had them
        """
        if isinstance(result, models.BaseModel):
            return result.with_env(records.env)
        context = result.get("context") if isinstance(result, dict) else None
        if isinstance(context, dict) and isinstance(context.get(SOURCE_KEY), Source):
            context = {key: context[key] for key in context if key != SOURCE_KEY}
            return {**result, "context": context}
        return result

    @api.model
    def _current_source(self) -> Source:
        """Who is writing now: the context's source, a service account, or a person."""
        source = self.env.context.get(SOURCE_KEY)
        if isinstance(source, Source):
            return source
        env = self.env
        system_id, code = env["sync.service.account"]._system_of_user(env.uid)
        return Source(
            channel=self._current_channel(),
            system_code=code,
            system_id=system_id,
            user_id=env.uid,
            superuser=env.su,
        )

    @api.model
    def _current_channel(self) -> Channel:
        """The way in of the present call.

        Keys of the context that any caller could send are believed only where they
        carry what no caller can (recordsets), or where there is no caller (crons).
        """
        context = self.env.context
        if any(
            isinstance(key, models.BaseModel)
            for key in context.get("__action_done") or ()
        ):
            return Channel.AUTOMATION
        if path := self._request_path():
            return channel_of_path(path, importing=bool(context.get("import_file")))
        if context.get("cron_id"):
            return Channel.CRON
        if context.get("job_uuid"):
            return Channel.JOB
        return Channel.IMPORT if context.get("import_file") else Channel.INTERNAL

    @api.model
    def _request_path(self) -> str | None:
        """Path of the HTTP request being served, None outside of requests.

        The dispatcher of XML-RPC hides the request,
        but leaves its address on the thread.
        """
        if request:
            return request.httprequest.path
        path = urlsplit(getattr(current_thread(), "url", "")).path
        return path if path.startswith(RPC_PATHS) else None

    @api.model
    @tools.ormcache()
    def _odoo_id(self) -> int:
        """Id of the system that stands for Odoo and the people in it."""
        return self.search([("code", "=", ODOO_CODE)], limit=1).id
