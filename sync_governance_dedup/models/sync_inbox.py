# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.tools import SQL

from odoo.addons.sync_governance_base.models.sync_inbox import InboxWork


class SyncInbox(models.Model):
    _inherit = "sync.inbox"

    _depends = {
        "sync.duplicate.group": [
            "model_name",
            "state",
            "steward_id",
            "suggested_at",
            "system_id",
            "value_at_stake",
        ],
        "sync.duplicate.member": ["company_id", "group_id"],
    }

    @api.model
    def _sync_inbox_queries(self):
        queries = super()._sync_inbox_queries()
        # The company of the members, so that the inbox's rule hides what the rule
        # of the groups hides; groups across companies cannot be merged and wait
        # in their own list.
        queries["sync.duplicate.group"] = SQL(
            """
            SELECT known.id,
                   (SELECT min(rel.sync_domain_id) FROM %s AS rel
                      JOIN ir_model AS model ON model.id = rel.ir_model_id
                     WHERE model.model = known.model_name),
                   known.system_id,
                   (SELECT min(member.company_id) FROM sync_duplicate_member AS member
                     WHERE member.group_id = known.id),
                   known.steward_id, known.value_at_stake::float, known.suggested_at
              FROM sync_duplicate_group AS known
             WHERE known.state IN ('suggested', 'in_review')
               AND (SELECT count(DISTINCT member.company_id)
                      FROM sync_duplicate_member AS member
                     WHERE member.group_id = known.id) <= 1
            """,
            SQL.identifier(self.env["sync.domain"]._fields["model_ids"].relation),
        )
        return queries

    @api.model
    def _sync_inbox_work(self):
        work = InboxWork(accept="action_merge_proposed", reject="action_not_duplicate")
        return {**super()._sync_inbox_work(), "sync.duplicate.group": work}
