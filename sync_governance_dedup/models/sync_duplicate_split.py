# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from itertools import islice, product

from odoo import models

#: Pairs that are looked at for the one that speaks loudest against a group.
MOST_PAIRS = 12
#: Contradictions that are named in a sentence.
MOST_NAMED = 2


class SyncDuplicateGroup(models.Model):
    """Why a likely record is not in the group: a chain of likely pairs was split
    because its ends contradict each other."""

    _inherit = "sync.duplicate.group"

    def _split_sentences(self):
        """One sentence a record that was kept apart, as far as the user may read it."""
        self.ensure_one()
        # sudo: a ledger of plain ids; which records they are is asked as the user
        links = {
            (row.left_id, row.right_id): row.probability
            for row in self.sudo().evidence_ids
            if row.is_cut
        }
        if not links:
            return []
        members = self._readable_records(self.member_ids.mapped("record_id"))
        found = {}
        for pair, probability in sorted(links.items(), key=lambda link: -link[1]):
            for near, other in (pair, pair[::-1]):
                if near in members.ids and other not in members.ids:
                    found.setdefault(other, (near, probability))
        others = self._readable_records(list(found))
        return [
            self._split_sentence(members, other, *found[other.id]) for other in others
        ]

    def _readable_records(self, record_ids):
        records = self.env[self.model_name].browse(record_ids).exists()
        return records._filtered_access("read")

    def _split_sentence(self, members, other, near_id, probability):
        near = members.browse(near_id)
        far, mate, against = self._loudest_contradiction(members, other, near)
        words = {
            "other": other.display_name,
            "near": near.display_name,
            "score": f"{probability:.0%}",
            "far": far.display_name,
            "mate": mate.display_name,
            "why": ", ".join(against) or self.env._("nothing in common"),
        }
        if mate == other:
            return self.env._(
                "“%(other)s” looks like “%(near)s” (%(score)s), but not like “%(far)s”"
                " (%(why)s): it was kept apart.",
                **words,
            )
        return self.env._(
            "“%(other)s” looks like “%(near)s” (%(score)s), but its twin “%(mate)s” is"
            " not like “%(far)s” (%(why)s): they were kept apart.",
            **words,
        )

    def _loudest_contradiction(self, members, other, near):
        """(member, record kept apart or one of its own group, what speaks against their
        being one) of the least likely pair that joining would have put into a group."""
        mates = other | self._readable_records(self._waiting_with(other))
        pairs = (
            (far, mate)
            for mate, far in product(mates, members)
            if (far, mate) != (near, other)
        )
        # sudo: the user may read both records of each pair
        engine, rule = self.env["sync.duplicate.engine"].sudo(), self.rule_id.sudo()
        scored = [
            (engine._score_pair(rule, *sorted((far.id, mate.id))), far, mate)
            for far, mate in islice(pairs, MOST_PAIRS)
        ]
        score, far, mate = min(scored, key=lambda found: found[0].weight)
        lines = sorted(score.evidence, key=lambda line: line.weight)
        return far, mate, self._named_contradictions(lines)

    def _named_contradictions(self, lines):
        Workbench = self.env["sync.duplicate.workbench"]
        labels = self.env[self.model_name].fields_get(attributes=["string"])
        levels = Workbench._levels()
        return [
            f"{Workbench._evidence_label(line.field, labels)}:"
            f" {levels.get(line.level, line.level)}"
            for line in lines
            if line.weight < 0 and line.field != "prior" and line.level in levels
        ][:MOST_NAMED]

    def _waiting_with(self, record):
        """Ids of the records that wait in one group with a record, itself left out."""
        # sudo: plain ids, of which the readable ones are kept
        member = (
            self.env["sync.duplicate.member"]
            .sudo()
            .search(
                [
                    ("rule_id", "=", self.rule_id.id),
                    ("record_id", "=", record.id),
                    ("is_open", "=", True),
                ]
            )
        )
        return [
            one
            for one in member.group_id.member_ids.mapped("record_id")
            if one != record.id
        ]
