# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.tools import SQL


class SyncDuplicateRate(models.Model):
    """How many of the records that a system knows were found to be duplicates:
    one row a system and model.

    A record counts once it was in a group that nobody called different, whether it
    still waits or was merged.
    """

    _name = "sync.duplicate.rate"
    _description = "Duplicate Rate of a System"
    _auto = False
    _order = "rate desc, id"
    _rec_name = "system_id"

    _depends = {
        "sync.crosswalk": ["res_id", "res_model", "state", "system_id"],
        "sync.duplicate.group": ["state"],
        "sync.duplicate.member": ["group_id", "model_name", "record_id"],
        "sync.system": ["company_id", "kind"],
    }

    system_id = fields.Many2one("sync.system", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    model_name = fields.Char(readonly=True)
    known_count = fields.Integer(string="Known Records", readonly=True)
    duplicate_count = fields.Integer(string="Duplicates Among Them", readonly=True)
    rate = fields.Float(
        string="Duplicate Rate",
        readonly=True,
        aggregator="avg",
        help="Share of the external ids of the system that name a duplicate.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT min(link.id) AS id, link.system_id, system.company_id,
                   link.res_model AS model_name,
                   count(*)::int AS known_count,
                   count(*) FILTER (WHERE found.record_id IS NOT NULL
                       OR link.state = 'superseded')::int AS duplicate_count,
                   (count(*) FILTER (WHERE found.record_id IS NOT NULL
                       OR link.state = 'superseded'))::float / count(*) AS rate
              FROM sync_crosswalk AS link
              JOIN sync_system AS system ON system.id = link.system_id
         LEFT JOIN (SELECT DISTINCT member.model_name, member.record_id
                      FROM sync_duplicate_member AS member
                      JOIN sync_duplicate_group AS known
                        ON known.id = member.group_id
                     WHERE known.state NOT IN ('not_duplicate', 'unmerged')
                   ) AS found
                ON found.model_name = link.res_model AND found.record_id = link.res_id
             WHERE link.state IN ('active', 'superseded')
               AND system.kind <> 'odoo'
               AND link.res_model IN (SELECT model_name FROM sync_duplicate_rule
                                       WHERE active)
          GROUP BY link.system_id, system.company_id, link.res_model
            """
        )
