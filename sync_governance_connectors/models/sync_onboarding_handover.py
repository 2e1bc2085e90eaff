# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models

#: How each way of verification is computed, for whoever has to write it.
RECIPES = {
    "standard": (
        "webhook-id, webhook-timestamp, webhook-signature",
        "v1,base64(HMAC-SHA256(secret, id + '.' + timestamp + '.' + body))",
    ),
    "shopify": ("X-Shopify-Hmac-Sha256", "base64(HMAC-SHA256(secret, body))"),
    "github": ("X-Hub-Signature-256", "sha256=hex(HMAC-SHA256(secret, body))"),
    "stripe": (
        "Stripe-Signature",
        "t=timestamp,v1=hex(HMAC-SHA256(secret, timestamp + '.' + body))",
    ),
    "shared_secret": ("X-Sync-Secret", "the secret itself"),
    "basic": ("Authorization", "Basic base64(user + ':' + password)"),
}


class SyncOnboarding(models.Model):
    """What the partner's developers get to read. Never a secret in it."""

    _inherit = "sync.onboarding"  # pylint: disable=consider-merging-classes-inherited; by topic

    def action_hand_over(self):
        """The sheet, as PDF where it can be made, else as a page to be printed."""
        self.ensure_one()
        report = self.env.ref("sync_governance_connectors.sync_onboarding_report")
        if report.get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            return {
                "type": "ir.actions.act_url",
                "url": f"/report/html/{report.report_name}/{self.id}",
            }
        return report.report_action(self)

    def _sheet(self):
        """Everything that the sheet shows. :return: dict of plain values"""
        self.ensure_one()
        base = f"{self.get_base_url()}/sync/v1"
        scopes = self.template_id.scope_ids
        return {
            "base": base,
            "endpoints": self._sheet_endpoints(base, scopes),
            "scopes": scopes.mapped("display_name"),
            "examples": self._sheet_examples(base, scopes),
            "hook_url": self.system_id.inbound_url,
            "recipe": RECIPES[self.system_id.inbound_strategy],
            "events": sorted(
                set(
                    self.env["sync.subscription"]
                    .search([("system_id", "=", self.system_id.id)])
                    .mapped("patterns")
                )
            ),
            "items": self.item_ids.filtered(lambda item: item.stage_id.before_live),
        }

    def _sheet_resources(self, scopes):
        """``(resource, operations granted)`` that the scopes open."""
        granted = {}
        for scope in scopes:
            granted.setdefault(scope.domain_id.code, set()).add(scope.operation)
        for name, model_name in sorted(
            self.env["sync.resource"]._model_names().items()
        ):
            resource = self.env[model_name]
            if resource._domain_code in granted:
                yield name, resource, granted[resource._domain_code]

    def _sheet_endpoints(self, base, scopes):
        """``(method, address, purpose)`` of the calls that the scopes open."""
        rows = []
        for name, resource, granted in self._sheet_resources(scopes):
            address = f"{base}/{name}"
            if "read" in granted:
                rows.append(("GET", f"{address}?updated_since=", self.env._("List")))
            if "write" in granted and "create" in resource._resource_operations:
                rows.append(("POST", address, self.env._("Create")))
                rows.append(
                    (
                        "PUT",
                        f"{address}/{{external_id}}",
                        self.env._("Create or replace"),
                    )
                )
            if "transition" in granted:
                rows += [
                    ("POST", f"{address}/{{external_id}}/{transition}", summary)
                    for transition, summary in resource._resource_transitions().items()
                ]
        return rows

    def _sheet_examples(self, base, scopes):
        """``(title, curl command)``: a body that is valid by the contract for each
        resource that may be written."""
        examples = []
        for name, _resource, granted in self._sheet_resources(scopes):
            contract = self.env["sync.contract"].search(
                [("code", "=", f"{name}.write")], limit=1
            )
            if "write" not in granted or not contract.active_version_id:
                continue
            body = self.env["sync.sample"]._make(
                self.system_id, contract.active_version_id
            )
            examples.append((contract.name, _curl(f"{base}/{name}", body)))
        return examples


def _curl(address, body):
    """A command to be copied; the key comes from the caller's own environment."""
    quoted = body.replace("'", "'\\''")
    return (
        f"curl -X POST {address} \\\n"
        '  -H "Authorization: Bearer $SYNC_KEY" \\\n'
        '  -H "Idempotency-Key: $(uuidgen)" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{quoted}'"
    )
