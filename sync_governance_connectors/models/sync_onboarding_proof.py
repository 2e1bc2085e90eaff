# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from typing import Any, NamedTuple

from odoo import models
from odoo.fields import Domain


class Evidence(NamedTuple):
    """What was found.

    :param reason: a sentence: what proves it, or what is missing
    :param record: what proves it, to be opened
    """

    holds: bool
    reason: str
    record: Any = None


class SyncOnboardingProof(models.AbstractModel):
    """The closed set of proofs: what the system can see of a partner's readiness.

    One method for each proof, named after it. To add one: a word in
    ``sync.onboarding.check`` and a method here.
    """

    _name = "sync.onboarding.proof"
    _description = "Proofs of a partner's readiness"

    def _of(self, item):
        """:return: ``Evidence`` for an item that is not a person's to say"""
        # sudo: what is there does not depend on who looks; titles alone are shown
        item = item.sudo()
        prove = getattr(self.sudo(), f"_prove_{item.check}")
        return prove(item.onboarding_id, item.argument or "")

    def _newest(self, model_name, onboarding, *conditions):
        domain = Domain([("system_id", "=", onboarding.system_id.id), *conditions])
        return self.env[model_name].search(domain, order="id desc", limit=1)

    # -- people and rights -----------------------------------------------------------

    def _prove_contact(self, onboarding, argument):
        contact = onboarding.contact_id
        if not contact:
            return Evidence(False, self.env._("Nobody is named as contact yet."))
        if not contact.email:
            return Evidence(
                False, self.env._("%s has no e-mail address.", contact.name)
            )
        return Evidence(True, f"{contact.name}, {contact.email}", contact)

    def _prove_account_rights(self, onboarding, argument):
        accounts = onboarding.system_id.service_account_ids
        if not accounts:
            return Evidence(False, self.env._("There is no service account."))
        # The last one is how a user without mailbox is told things.
        usual = self.env.ref("base.group_user")
        usual |= self.env.ref("mail.group_mail_notification_type_inbox")
        for account in accounts:
            user = account.user_id
            extra = user.group_ids - usual - usual.all_implied_ids
            if extra:
                return Evidence(
                    False,
                    self.env._(
                        "%(user)s is in %(groups)s: take it out of these groups.",
                        user=user.name,
                        groups=", ".join(extra.mapped("display_name")),
                    ),
                    account,
                )
        names = ", ".join(accounts.mapped("name"))
        return Evidence(True, self.env._("%s: no further group", names), accounts[:1])

    # -- keys and secrets ------------------------------------------------------------

    def _prove_credential_test(self, onboarding, argument):
        return self._active_key(onboarding, sandbox=True)

    def _prove_credential_live(self, onboarding, argument):
        return self._active_key(onboarding, sandbox=False)

    def _active_key(self, onboarding, sandbox):
        keys = onboarding.credential_ids.filtered(lambda one: one.sandbox is sandbox)
        if active := keys.filtered(lambda one: one.state == "active")[:1]:
            return Evidence(True, active.name, active)
        if pending := keys.filtered(lambda one: one.state == "pending")[:1]:
            text = self.env._("A security officer has to activate %s.", pending.name)
            return Evidence(False, text, pending)
        return Evidence(False, self.env._("No key was issued."))

    def _prove_credential_used(self, onboarding, argument):
        call = self._newest(
            "sync.request", onboarding, ("credential_id.sandbox", "=", True)
        )
        if call:
            return Evidence(True, self._told(call), call)
        return Evidence(False, self.env._("The test key was not used yet."))

    def _prove_secret_set(self, onboarding, argument):
        system = onboarding.system_id
        if system.inbound_secret_set:
            return Evidence(True, self.env._("Set"), system)
        text = self.env._("The system has no secret: its webhooks are refused.")
        return Evidence(False, text, system)

    # -- messages --------------------------------------------------------------------

    def _prove_hook_received(self, onboarding, argument):
        hook = self._newest(
            "sync.request",
            onboarding,
            ("kind", "=", "hook"),
            ("state", "!=", "refused"),
        )
        if hook:
            return Evidence(True, self._told(hook), hook)
        refused = self._newest("sync.request", onboarding, ("kind", "=", "hook"))
        if refused:
            text = self.env._("The last one was refused: %s", refused.quarantine_reason)
            return Evidence(False, text, refused)
        return Evidence(False, self.env._("No webhook has arrived."))

    def _prove_request(self, onboarding, argument):
        """A call with test data, sound by both layers."""
        resource, _dot, operation = argument.partition(".")
        conditions = [("sandbox", "=", True), ("state", "=", "applied")]
        if resource:
            conditions.append(("resource", "=", resource))
        if operation:
            conditions.append(("operation", "=", operation))
        call = self._newest("sync.request", onboarding, *conditions)
        if not call:
            return Evidence(
                False, self.env._("No test call to %s was applied.", argument or "/")
            )
        findings = self.env["sync.sample"]._of_request(call)
        if findings:
            return Evidence(False, findings[0].sentence, call)
        return Evidence(True, self._told(call), call)

    def _prove_live_request(self, onboarding, argument):
        call = self._newest(
            "sync.request",
            onboarding,
            ("sandbox", "=", False),
            ("state", "=", "applied"),
        )
        if call:
            return Evidence(True, self._told(call), call)
        return Evidence(False, self.env._("No live call was applied yet."))

    def _prove_delivery(self, onboarding, argument):
        subscriptions = self.env["sync.subscription"].search(
            [("system_id", "=", onboarding.system_id.id)]
        )
        pattern = (argument or "*").replace("_", r"\_").replace("*", "%")
        delivery = self.env["sync.delivery"].search(
            [
                ("subscription_id", "in", subscriptions.ids),
                ("state", "=", "delivered"),
                ("event_id.name", "=like", pattern),
            ],
            order="id desc",
            limit=1,
        )
        if delivery:
            event = delivery.event_id
            return Evidence(True, f"{event.name} {event.ref}", delivery)
        return Evidence(
            False, self.env._("No event %s was delivered.", argument or "*")
        )

    def _told(self, call):
        """A call in a line."""
        what = call.event_type or ".".join(
            filter(None, (call.resource, call.operation))
        )
        named = call.external_id or call.event_id or ""
        return " ".join(filter(None, (what, named, call.ref)))

    # -- formats and exchange --------------------------------------------------------

    def _mappings(self, onboarding, argument):
        domain = [("system_id", "=", onboarding.system_id.id)]
        if argument:
            domain.append(("event_type", "=", argument))
        return self.env["sync.mapping"].search(domain)

    def _prove_mapping_active(self, onboarding, argument):
        mappings = self._mappings(onboarding, argument)
        if not mappings:
            return Evidence(False, self.env._("There is no mapping."))
        events = {one.event_type for one in mappings}
        active = mappings.filtered(lambda one: one.state == "active")
        resting = events - set(active.mapped("event_type"))
        if resting:
            text = self.env._("Not active: %s", ", ".join(sorted(resting)))
            return Evidence(False, text, mappings[:1])
        return Evidence(True, ", ".join(sorted(events)), active[:1])

    def _prove_mapping_covered(self, onboarding, argument):
        mappings = self._mappings(onboarding, argument)
        for mapping in mappings.filtered(lambda one: one.state != "superseded"):
            if mapping.uncovered:
                return Evidence(
                    False,
                    self.env._(
                        "%(event)s does not fill %(members)s.",
                        event=mapping.event_type,
                        members=mapping.uncovered,
                    ),
                    mapping,
                )
        if not mappings:
            return Evidence(False, self.env._("There is no mapping."))
        text = self.env._("All required members are filled.")
        return Evidence(True, text, mappings[:1])

    def _prove_values_mapped(self, onboarding, argument):
        domain = [("system_id", "=", onboarding.system_id.id)]
        waiting = self.env["sync.value.map"].search(
            [*domain, ("is_mapped", "=", False)], limit=1
        )
        if waiting:
            text = self.env._("%s waits for a translation.", waiting.display_name)
            return Evidence(False, text, waiting)
        return Evidence(True, self.env._("Nothing waits."))

    def _prove_remote_reached(self, onboarding, argument):
        """All of them."""
        remotes = self.env["sync.remote"].search(
            [("system_id", "=", onboarding.system_id.id)]
        )
        for remote in remotes:
            if not remote.last_success:
                fault = remote.last_error or self.env._("No connection was tried yet.")
                return Evidence(False, f"{remote.name}: {fault}", remote)
        if not remotes:
            return Evidence(False, self.env._("There is no remote."))
        return Evidence(True, ", ".join(remotes.mapped("name")), remotes[:1])

    def _prove_feed_run(self, onboarding, argument):
        """Rows came through, and the latest run of each feed has no fault."""
        domain = Domain("feed_id.system_id", "=", onboarding.system_id.id)
        if argument:
            domain &= Domain("feed_id.event_type", "=", argument)
        runs = self.env["sync.feed.run"].search(
            domain & Domain("state", "in", ("done", "failed")), order="id desc"
        )
        for latest in runs.grouped("feed_id").values():
            run = latest[:1]
            if fault := self._fault_of(run):
                return Evidence(False, f"{run.display_name}: {fault}", run)
        if proof := runs.filtered("row_count")[:1]:
            text = self.env._("%(count)s rows", count=proof.row_count)
            return Evidence(True, f"{proof.display_name}: {text}", proof)
        return Evidence(False, self.env._("No feed has exchanged a row yet."), runs[:1])

    def _fault_of(self, run):
        """What is wrong with a run that has ended, or nothing."""
        if run.state == "failed":
            return run.error
        if unread := run.document_ids.filtered("error")[:1]:
            return f"{unread.name}: {unread.error}"
        if stuck := run.feed_id.quarantined_count:
            return self.env._("%(count)s rows wait in quarantine.", count=stuck)
        return ""

    def _prove_reconciled(self, onboarding, argument):
        reconciliations = self.env["sync.reconciliation"].search(
            [("system_id", "=", onboarding.system_id.id)]
        )
        for reconciliation in reconciliations:
            run = reconciliation.last_run_id
            if run.state != "done":
                text = self.env._("%s was not compared yet.", reconciliation.name)
                return Evidence(False, text, reconciliation)
            if not run.their_count:
                text = self.env._("%s: the snapshot was empty.", reconciliation.name)
                return Evidence(False, text, run)
            if reconciliation.open_count:
                text = self.env._(
                    "%(name)s: %(count)s differences are open.",
                    name=reconciliation.name,
                    count=reconciliation.open_count,
                )
                return Evidence(False, text, reconciliation)
        if not reconciliations:
            return Evidence(False, self.env._("There is no reconciliation."))
        return Evidence(True, self.env._("No open difference"), reconciliations[:1])

    # -- ownership -------------------------------------------------------------------

    def _prove_policy_active(self, onboarding, argument):
        policies = onboarding.policy_ids
        resting = policies.filtered(
            lambda one: one.state not in ("active", "superseded")
        )
        if resting:
            text = self.env._("Not in force: %s", resting[0].display_name)
            return Evidence(False, text, resting[:1])
        if not policies:
            return Evidence(False, self.env._("No policy was drafted."))
        return Evidence(True, ", ".join(policies.mapped("display_name")), policies[:1])
