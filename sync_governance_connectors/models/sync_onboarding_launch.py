# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import UserError


class SyncOnboarding(models.Model):
    """Launching a partner: all it needs, from its template, at rest and for trials."""

    _inherit = "sync.onboarding"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _launch(
        self, template, name, code, company, target="live", contact=None, url=None
    ):
        """Create the partner's system with its parts, rights, drafts and checklist.

        :param url: address for events to the partner, in the place of the pattern's
        :return: ``(onboarding, test key)``; the key is never to be had again, and
            empty where the template grants no scope
        """
        self.check_access("create")
        system = template.system_id.copy(
            {
                "name": name,
                "code": code,
                "company_id": company.id,
                "owner_id": self.env.uid,
                "active": True,
                "state": "testing",
                "environment": "sandbox",
            }
        )
        parts = template._copy_parts(system)
        self._address(parts.values(), url)
        self.env["sync.service.account"]._create_for(
            system, self.env._("Exchange with %s", name)
        )
        onboarding = self.create(
            {
                "name": name,
                "template_id": template.id,
                "system_id": system.id,
                "company_id": company.id,
                "target": target,
                "contact_id": contact.id if contact else False,
                "policy_ids": [
                    fields.Command.set(self._draft_policies(template, system).ids)
                ],
                "item_ids": [
                    fields.Command.create(values)
                    for values in self._checklist(template, target)
                ],
            }
        )
        key = onboarding._issue_key(sandbox=True) if template.scope_ids else ""
        onboarding._refresh()
        return onboarding, key

    def _address(self, parts, url):
        """Lead the subscriptions to the partner's own address."""
        for part in parts:
            if url and part._name == "sync.subscription":
                part.url = url

    def _draft_policies(self, template, system):
        """Drafts in which the partner owns what partners of its kind own; behind those
        who own a field already.
        """
        policies = self.env["sync.policy"]
        for domain_template in template.domain_template_ids:
            model_name = domain_template.model_name
            present = domain_template._fields_present()
            if not present:
                continue
            domain = self.env["sync.domain"]._of_model(model_name)
            draft = policies._draft_for(model_name, system.company_id, domain)
            for field in present:
                ranking = draft._ranking(field)
                draft._rank(field, (*ranking, system.id))
            policies |= draft
        return policies

    def _checklist(self, template, target):
        """Values of the items; who never goes live needs none for it."""
        before = self.env["sync.onboarding.stage"].search([("before_live", "=", True)])
        return [
            values
            for values in template._checklist()
            if target == "live" or values["stage_id"] in before.ids
        ]

    def _issue_key(self, sandbox):
        """A key with the template's scopes. :return: the key, shown once"""
        self.ensure_one()
        account = self.system_id.service_account_ids[:1]
        if not account:
            raise UserError(self.env._("%s has no service account.", self.name))
        label = self.env._("test") if sandbox else self.env._("live")
        _credential, key = self.env["sync.credential"]._issue(
            account,
            self.template_id.scope_ids.mapped("display_name"),
            name=f"{self.name} ({label})",
            plan=self.template_id.plan_id,
            sandbox=sandbox,
        )
        self.invalidate_recordset(["credential_ids"])
        self._refresh()
        return key

    def action_issue_key(self):
        """A key of the phase the partner is in: for trials, or live."""
        self.ensure_one()
        self.check_access("write")
        key = self._issue_key(sandbox=not self.live_at)
        return self.env["sync.credential.key"]._show(key, self)
