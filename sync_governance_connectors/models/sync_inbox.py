# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models
from odoo.tools import SQL

from odoo.addons.sync_governance_base.models.sync_inbox import InboxWork

MANAGER = "sync_governance_base.group_sync_integration_manager"


class SyncInbox(models.Model):
    """Words of partners that nobody knows, messages that cannot be applied, and steps
    of an onboarding that somebody wants to leave out."""

    _inherit = "sync.inbox"

    _depends = {
        "sync.value.map": ["company_id", "create_date", "is_mapped", "system_id"],
        "sync.request": [
            "company_id",
            "create_date",
            "error_code",
            "state",
            "system_id",
        ],
        "sync.onboarding.item": [
            "asked_at",
            "asked_by_id",
            "company_id",
            "state",
            "system_id",
        ],
    }

    @api.model
    def _sync_inbox_queries(self):
        # What waits for a word is that word's work: the messages run by themselves.
        return {
            **super()._sync_inbox_queries(),
            "sync.value.map": SQL(
                """
                SELECT id, NULL::int, system_id, company_id, NULL::int,
                       NULL::float, create_date
                  FROM sync_value_map WHERE is_mapped IS NOT TRUE
                """
            ),
            "sync.request": SQL(
                """
                SELECT id, NULL::int, system_id, company_id, NULL::int,
                       NULL::float, create_date
                  FROM sync_request
                 WHERE state = 'quarantined'
                   AND error_code IS DISTINCT FROM 'unmapped_value'
                """
            ),
            # A waiver is shown to those who may agree to it.
            "sync.onboarding.item": SQL(
                """
                SELECT id, NULL::int, system_id, company_id, NULL::int,
                       NULL::float, asked_at
                  FROM sync_onboarding_item
                 WHERE state = 'open' AND asked_by_id <> %s AND %s
                """,
                self.env.uid,
                self.env.user.has_group(MANAGER),
            ),
        }

    @api.model
    def _sync_inbox_work(self):
        return {
            **super()._sync_inbox_work(),
            "sync.request": InboxWork("quarantine_reason"),
            "sync.onboarding.item": InboxWork(
                "waiver", "action_agree", "action_reopen", MANAGER, "onboarding_id"
            ),
        }
