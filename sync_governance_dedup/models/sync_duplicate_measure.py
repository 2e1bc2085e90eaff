# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.tools import SQL


class SyncDuplicateMeasure(models.Model):
    """What became of duplicates, one row a fact: found, decided, merged, undone,
    prevented. Read by graph and pivot, grouped by day, system, rule and person.

    A group of records of two companies is nobody's to measure, as few may see it.
    ``precision`` is the share of groups decided by a person that were duplicates;
    its empty rows do not count in an average.
    """

    _name = "sync.duplicate.measure"
    _description = "Duplicate Measure"
    _auto = False
    _order = "day desc, id desc"
    _rec_name = "fact"

    _depends = {
        "sync.duplicate.group": [
            "decided_at",
            "decided_by_id",
            "decision_seconds",
            "is_automatic",
            "model_name",
            "rule_id",
            "state",
            "suggested_at",
            "system_id",
        ],
        "sync.duplicate.member": ["company_id", "group_id"],
        "sync.duplicate.prevention": [
            "company_id",
            "create_date",
            "model_name",
            "outcome",
            "system_id",
            "user_id",
        ],
        "sync.merge.journal": ["group_id", "reverted_at", "reverted_by_id"],
    }

    fact = fields.Selection(
        selection=[
            ("found", "Found"),
            ("merged", "Merged"),
            ("different", "Not a Duplicate"),
            ("undone", "Undone"),
            ("prevented", "Prevented"),
            ("anyway", "Created Anyway"),
        ],
        readonly=True,
    )
    day = fields.Datetime(string="When", readonly=True)
    model_name = fields.Char(readonly=True)
    rule_id = fields.Many2one("sync.duplicate.rule", readonly=True)
    system_id = fields.Many2one("sync.system", string="Source System", readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    decision_seconds = fields.Float(
        string="Decision Time (s)", readonly=True, aggregator="avg"
    )
    precision = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Share of groups decided by stewards that were duplicates.",
    )

    @property
    def _table_query(self):
        facts = SQL(" UNION ALL ").join(self._facts())
        return SQL("SELECT row_number() OVER () AS id, fact.* FROM (%s) AS fact", facts)

    def _facts(self):
        """:return: list of queries with the columns of the model, ``id`` left out"""
        return [
            self._of_groups(SQL("'found'"), SQL("suggested_at"), SQL("TRUE")),
            self._of_groups(
                SQL("'merged'"),
                SQL("decided_at"),
                SQL("known.state IN ('merged', 'unmerged')"),
                verdict=SQL("1.0"),
            ),
            self._of_groups(
                SQL("'different'"),
                SQL("decided_at"),
                SQL("known.state = 'not_duplicate'"),
                verdict=SQL("0.0"),
            ),
            SQL(
                """
                SELECT 'undone', journal.reverted_at, journal.model_name,
                       journal.rule_id, known.system_id, journal.reverted_by_id,
                       owner.id, NULL::float, NULL::float
                  FROM sync_merge_journal AS journal
             LEFT JOIN sync_duplicate_group AS known ON known.id = journal.group_id
             LEFT JOIN LATERAL (
                       SELECT min(rel.res_company_id) AS id
                         FROM sync_merge_journal_company_rel AS rel
                        WHERE rel.sync_merge_journal_id = journal.id) AS owner ON TRUE
                 WHERE journal.state = 'reverted'
                """
            ),
            SQL(
                """
                SELECT CASE outcome WHEN 'created' THEN 'anyway' ELSE 'prevented' END,
                       create_date, model_name, NULL::int, system_id, user_id,
                       company_id, NULL::float, NULL::float
                  FROM sync_duplicate_prevention
                """
            ),
        ]

    def _of_groups(self, fact, moment, condition, verdict=None):
        by_person = SQL(
            "CASE WHEN NOT known.is_automatic THEN %s END", verdict or SQL("NULL")
        )
        return SQL(
            """
            SELECT %s::text AS fact, known.%s AS day, known.model_name, known.rule_id,
                   known.system_id, %s AS user_id, owner.id AS company_id,
                   %s::float AS decision_seconds, %s::float AS precision
              FROM sync_duplicate_group AS known
        CROSS JOIN LATERAL (
                   SELECT min(member.company_id) AS id,
                          count(DISTINCT member.company_id) AS companies
                     FROM sync_duplicate_member AS member
                    WHERE member.group_id = known.id) AS owner
             WHERE owner.companies <= 1 AND known.%s IS NOT NULL AND %s
            """,
            fact,
            moment,
            SQL("known.decided_by_id") if verdict else SQL("NULL::int"),
            SQL("NULLIF(known.decision_seconds, 0)") if verdict else SQL("NULL"),
            by_person,
            moment,
            condition,
        )
