# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.copying import array_text
from ..tools.keys import hashed

#: Values that fewer records hold are not stored: what is not found is rare.
LEAST = 4
#: Stored under this term: number of records of the base.
SIZE_TERM = 0


class SyncDuplicateTerm(models.Model):
    """How often a value or a word of a name occurs in a rule's base: a rare surname
    that agrees proves more than a common one. Counted anew by every scan."""

    _name = "sync.duplicate.term"
    _description = "Duplicate Term Frequency"
    _log_access = False

    rule_id = fields.Many2one("sync.duplicate.rule", required=True, ondelete="cascade")
    term = fields.Integer(required=True, help="Hash of the kind and the value.")
    count = fields.Integer(required=True)

    _term_uniq = models.UniqueIndex("(rule_id, term)")

    @api.model
    def _judge(self, rule, table):
        """Let a table of a few records judge rarity by the whole base."""
        terms = {
            (kind, value): hashed("term", kind, value)
            for kind, column in table.counted()
            for value in column.values
        }
        known = dict(
            self.env.execute_query(
                SQL(
                    "SELECT term, count FROM sync_duplicate_term"
                    " WHERE rule_id = %s AND term = ANY(%s::int4[])",
                    rule.id,
                    array_text([SIZE_TERM, *terms.values()]),
                )
            )
        )
        table.use_frequencies(
            known.get(SIZE_TERM, 0),
            lambda kind, values: [known.get(terms[kind, value], 0) for value in values],
        )

    @api.model
    def _store(self, rule, table):
        """Replace the frequencies of a rule by those of its whole base."""
        counts = {SIZE_TERM: table.size}
        for kind, column in table.counted():
            for number in (column.counts >= LEAST).nonzero()[0].tolist():
                term = hashed("term", kind, column.values[number])
                counts[term] = max(counts.get(term, 0), int(column.counts[number]))
        self.env.cr.execute(
            SQL("DELETE FROM sync_duplicate_term WHERE rule_id = %s", rule.id)
        )
        self.env.cr.execute(
            SQL(
                "INSERT INTO sync_duplicate_term (rule_id, term, count)"
                " SELECT %s, * FROM unnest(%s::int4[], %s::int4[])",
                rule.id,
                array_text(counts),
                array_text(counts.values()),
            )
        )
