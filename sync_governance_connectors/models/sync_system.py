# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import base64
import secrets
from datetime import timezone

from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.sync_governance_base.tools.source import Channel

from ..tools import verify_inbound
from ..tools.call import Call
from ..tools.caller import Allowance
from ..tools.instruction import PUT
from ..tools.problem import Problem

PURPOSE_INBOUND = "inbound_webhook"
SECRET_BYTES = 32
#: Ways of verification whose secret the other side makes.
MADE_BY_PARTNER = frozenset({"shopify", "stripe"})


class SyncSystem(models.Model):
    _name = "sync.system"
    _inherit = ["sync.system", "sync.secret.owner"]

    reach = fields.Selection(
        [
            ("own", "Records it has an id for"),
            ("company", "All records of its company"),
        ],
        required=True,
        default="own",
        tracking=True,
        help="What the system may read and name over the API, within its scopes.",
    )
    inbound_strategy = fields.Selection(
        [
            ("standard", "Standard Webhooks"),
            ("shopify", "Shopify"),
            ("github", "GitHub"),
            ("stripe", "Stripe"),
            ("shared_secret", "Secret in a header"),
            ("basic", "User and password"),
        ],
        string="Webhook Verification",
        required=True,
        default="standard",
        tracking=True,
        help="How the system proves that a webhook comes from it.",
    )
    inbound_secret_set = fields.Boolean(
        string="Webhook Secret Set", compute="_compute_inbound_secret_set"
    )
    inbound_secret = fields.Char(
        string="Partner's Secret",
        compute="_compute_inbound_secret",
        inverse="_inverse_inbound_secret",
        store=False,
        copy=False,
        exportable=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="Where the other side makes it. Write-only: encrypted at once and never"
        " shown again. The one before stays valid for a day.",
    )
    inbound_plan_id = fields.Many2one(
        "sync.plan",
        string="Webhook Plan",
        ondelete="restrict",
        tracking=True,
        help="How much the system may send by webhooks. Empty: the plan Webhooks.",
    )
    inbound_url = fields.Char(string="Webhook Address", compute="_compute_inbound_url")

    old_version_count = fields.Integer(
        string="Old Versions", compute="_compute_old_version_count"
    )

    def _compute_old_version_count(self):
        groups = self.env["sync.contract.caller"]._read_group(
            [("system_id", "in", self.ids), ("version_id.state", "!=", "active")],
            ["system_id"],
            ["__count"],
        )
        counts = {system.id: count for system, count in groups}
        for system in self:
            system.old_version_count = counts.get(system.id, 0)

    def action_open_contract_versions(self):
        """The versions of contracts that the system's calls follow."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_contract_caller_action"
        )
        return {**action, "domain": [("system_id", "in", self.ids)], "context": {}}

    def _compute_inbound_url(self):
        for system in self:
            system.inbound_url = f"{self.get_base_url()}/sync/v1/hooks/{system.code}"

    def _compute_inbound_secret_set(self):
        for system in self:
            system.inbound_secret_set = bool(system._secrets(PURPOSE_INBOUND))

    def _compute_inbound_secret(self):
        self.inbound_secret = False

    def _inverse_inbound_secret(self):
        for system in self.filtered("inbound_secret"):
            system._set_inbound_secret(system.inbound_secret)

    def _receiving(self, code):
        """The system with that code, if it takes part in the exchange; else empty."""
        return self.search([("code", "=", code), ("state", "in", ("testing", "live"))])

    def _carrier_names(self):
        """What deliveries call the system as their carrier: by its own name, or by what
        its value map of the kind ``carrier`` translates to.
        """
        # sudo: words are translated for systems, whoever has to work on them
        words = (
            self.env["sync.value.map"]
            .sudo()
            .search(
                [
                    ("system_id", "=", self.id),
                    ("kind", "=", "carrier"),
                    ("is_mapped", "=", True),
                ]
            )
        )
        return [self.name, *words.mapped("canonical_value")]

    # -- acting for a system ---------------------------------------------------------

    def _call(self, request_ref, channel=Channel.INBOUND):
        """A call of the system's that came in another way than over the API."""
        system = self.sudo()
        return Call(
            system=system,
            credential=self.env["sync.credential"],
            source=system._as_source(request_ref=request_ref, channel=channel),
            request_ref=request_ref,
            now=fields.Datetime.now().replace(tzinfo=timezone.utc),
        )

    def _acting_env(self, call):
        """As the gate enters: as the system's own user, in its company.

        :raise UserError: it has none; a job's own user would have all rights
        """
        account = call.system.service_account_ids[:1]
        if not account.user_id:
            raise UserError(
                self.env._(
                    "%s has no service account to act as: create one first.",
                    call.system.name,
                )
            )
        company = call.system.company_id or account.company_id or self.env.company
        return self.env(
            user=account.user_id.id,
            context={
                "lang": "en_US",
                "tz": "UTC",
                "allowed_company_ids": company.ids,
                "sync_source": call.source,
            },
        )

    def _carry_out(self, instruction, request_ref, channel=Channel.INBOUND):
        """Do what a message of the system asks for, in a savepoint.

        :param instruction: ``tools.instruction.Instruction``
        :return: ``ResourceResult``
        :raise Problem: with the reason; nothing was changed
        """
        self.ensure_one()
        call = self._call(request_ref, channel)
        try:
            with (
                self.env["sync.gate"]._business(request_ref),
                self.env.cr.savepoint(),
            ):
                resources = self._acting_env(call)["sync.resource"]
                return resources._get(instruction.resource)._take(instruction, call)
        except Problem as problem:
            problem.aftermath()
            raise

    def _check_overtaken(self, instruction, problem):
        """Of the same record that comes by two ways at once, one way is a little later:
        it cannot see the other's yet, and is to begin anew.

        :raise RetryableJobError: this is the later one
        """
        if problem.code != "exists" or instruction.operation != PUT:
            return
        model = self.env["sync.resource"]._get(instruction.resource)._resource_model
        # sync.crosswalk is kept by the machinery: a steward may run messages again
        if (
            self.env["sync.crosswalk"]
            .sudo()
            ._resolve(self, model, instruction.external_id)
        ):
            return
        with self.env["sync.gate"]._short_transaction() as short:
            ids = short["sync.crosswalk"].sudo()
            overtaken = bool(
                ids._resolve(self.with_env(short), model, instruction.external_id)
            )
        if overtaken:
            raise RetryableJobError(
                f"{instruction.external_id} came by another way.",
                seconds=1,
                ignore_retry=True,
            )

    # -- webhooks of the system ------------------------------------------------------

    def _hook_allowance(self):
        """How much the system may send; of no system, how much anybody may.

        :return: ``caller.Allowance``
        """
        plan = self.inbound_plan_id or self.env["sync.plan"]._of_hooks()
        return Allowance.of_plan("hooks", self.id or 0, plan._columns())

    def _set_inbound_secret(self, plaintext=None):
        """Sets or rotates the secret that verifies the system's webhooks.

        The one before stays valid for the usual
        overlap, so that the partner can follow.

        :param plaintext: the secret that the partner gave, or None to make one
        :return: the secret, to be shown once
        """
        self.ensure_one()
        plaintext = plaintext or self._new_inbound_secret()
        name = self.env._("Webhooks from %s", self.name)
        self._renew_secret(plaintext, name, PURPOSE_INBOUND)
        return plaintext

    def _new_inbound_secret(self):
        if self.inbound_strategy == "standard":
            return (
                "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
            )
        if self.inbound_strategy == "basic":
            return f"{self.code}:{secrets.token_urlsafe(SECRET_BYTES)}"
        return secrets.token_urlsafe(SECRET_BYTES)

    def _verify_inbound(self, headers, body, now):
        """Proves that a webhook comes from this system.

        :param dict headers: names in lower case
        :param bytes body: as received
        :param float now: unix seconds
        :return: ``verify_inbound.Verified``
        :raise verify_inbound.Rejected: it does not
            prove it; no system can prove nothing
        """
        verify = verify_inbound.STRATEGIES[self.inbound_strategy or "standard"]
        plaintexts = [secret._reveal() for secret in self._secrets(PURPOSE_INBOUND)]
        return verify(verify_inbound.Inbound(headers, body, now), plaintexts)

    def action_set_inbound_secret(self):
        """Makes a new webhook secret and shows it, once."""
        self.ensure_one()
        if not self.env.user.has_group(
            "sync_governance_base.group_sync_integration_manager"
        ):
            raise UserError(
                self.env._("Only integration managers set webhook secrets.")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Webhook Secret"),
            "res_model": "sync.secret.reveal",
            "views": [[False, "form"]],
            "target": "new",
            # By the context and an unstored field: the secret reaches no table.
            "context": {"default_secret": self._set_inbound_secret()},
        }
