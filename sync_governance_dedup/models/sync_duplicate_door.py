# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.exceptions import AccessError


class SyncDuplicateDoor(models.AbstractModel):
    """What everybody asks who lets a new record in: the form, imports, the API.

    What the rule's policy says of likely duplicates is in
    :meth:`SyncDuplicateRule._door`.
    """

    _name = "sync.duplicate.door"
    _description = "Duplicates at the Door"

    @api.model
    def _matches(self, model_name, values, limit=3):
        """Stored records that a new one with these values probably is.

        :param values: values as for ``create``, with ``id`` those of a known record
        :return: list of :class:`~..tools.types.Candidate`, the likeliest first,
            only of records that the user may read
        """
        Rule = self.env["sync.duplicate.rule"]
        door = Rule._door(model_name)
        if door.mode == "off":
            return []
        Model = self.env[model_name]
        # What the user may not read is neither compared nor named.
        names = {"id"} | {
            name
            for name in Rule._watched()[model_name][1]
            if Model._has_field_access(Model._fields[name], "read")
        }
        known = {name: value for name, value in values.items() if name in names}
        return [
            candidate
            for candidate in Rule._find_candidates(model_name, known, limit)
            if candidate.probability >= door.threshold
        ]

    @api.model
    def _reasons(self, candidate):
        """:return: the lines of evidence that speak for a candidate, best first"""
        lines = [
            line
            for line in candidate.evidence
            if line.field != "prior" and line.weight >= 1
        ]
        return sorted(lines, key=lambda line: -line.weight)

    @api.model
    @api.readonly
    def get_matches(self, model_name, values, limit=3):
        """Stored records that what somebody types probably is.

        :param values: what was typed so far, many2one fields as ids; with ``id``,
            of a record that is being changed
        :return: ``[{"id", "name", "probability", "why"}]``,
            the likeliest first, only records that the user may read
        """
        if not self.env.user._is_internal():
            raise AccessError(self.env._("Only who works here is told of duplicates."))
        self.env[model_name].check_access("read")
        candidates = self._matches(model_name, values, limit)
        if values.get("id"):
            candidates = self._undecided(model_name, values["id"], candidates)
        return self._described(model_name, candidates)

    @api.model
    def _undecided(self, model_name, record_id, candidates):
        """Those of whom nobody said yet that they are others."""
        # sudo: what a steward decided holds for everybody who looks
        denied = (
            self.env["sync.duplicate.verdict"]
            .sudo()
            ._denied_pairs(model_name, [record_id])
        )
        return [
            candidate
            for candidate in candidates
            if tuple(sorted((record_id, candidate.record_id))) not in denied
        ]

    @api.model
    def _described(self, model_name, candidates):
        records = self.env[model_name].browse([one.record_id for one in candidates])
        return [
            {
                "id": record.id,
                "name": record.display_name,
                "probability": candidate.probability,
                "why": self._why(records, candidate),
            }
            for record, candidate in zip(records, candidates, strict=True)
        ]

    @api.model
    def _why(self, records, candidate):
        """:return: the strongest reasons in words"""
        workbench = self.env["sync.duplicate.workbench"]
        levels, labels = workbench._levels(), records.fields_get(attributes=["string"])
        return ", ".join(
            f"{workbench._evidence_label(line.field, labels)}: "
            f"{levels.get(line.level, line.level)}"
            for line in self._reasons(candidate)[:3]
        )
