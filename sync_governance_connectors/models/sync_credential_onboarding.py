# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models
from odoo.exceptions import ValidationError

from .sync_credential import USABLE


class SyncCredential(models.Model):
    """Trials and live exchange of an onboarded partner have keys of their own."""

    _inherit = "sync.credential"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.constrains("state", "sandbox", "account_id")
    def _check_phase(self):
        """No live key opens before the partner is live, no test key after."""
        usable = self.filtered(lambda one: one.state in USABLE)
        for onboarding in self.env["sync.onboarding"].search(
            [("system_id", "in", usable.system_id.ids)]
        ):
            live = bool(onboarding.live_at)
            for key in usable & onboarding.credential_ids:
                if key.sandbox == live:
                    raise ValidationError(
                        self.env._(
                            "%(partner)s is live: keys for trials stay closed.",
                            partner=onboarding.name,
                        )
                        if live
                        else self.env._(
                            "%(partner)s is not live yet: its key has to be one for"
                            " trials (sandbox).",
                            partner=onboarding.name,
                        )
                    )
