# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..tools.survivorship import (
    Claim,
    Contender,
    choose_survivor,
    choose_value,
    differing,
)

#: Field types whose value a merge can take from one record or the other.
MERGEABLE_TYPES = (
    "boolean",
    "char",
    "date",
    "datetime",
    "float",
    "html",
    "integer",
    "many2one",
    "monetary",
    "selection",
    "text",
)

#: Fields that belong to a record and not to what it describes.
TECHNICAL_FIELDS = frozenset(
    {"active", "color", "commercial_partner_id", "complete_name"}
)


class SyncDuplicateSurvivorship(models.AbstractModel):
    """Proposes which record of a group survives, and which value of each field:
    what ``tools/survivorship.py`` decides, of what the records and their systems say.

    Extension point: :meth:`_fields_together`.
    """

    _name = "sync.duplicate.survivorship"
    _description = "Survivorship"

    @api.model
    def _field_names(self, records):
        """Fields that the user may read and that survive from one
        record or the other; what a merge adds up (ranks) does not."""
        summed = self.env["base.partner.merge.automatic.wizard"]._get_summable_fields()
        return [
            name
            for name, field in records._fields.items()
            if field.type in MERGEABLE_TYPES
            and field.store
            and not field.readonly
            and name not in models.MAGIC_COLUMNS
            and name not in TECHNICAL_FIELDS
            and name not in summed
            and records._has_field_access(field, "read")
        ]

    @api.model
    def _proposal(self, records):
        """:return: ``{"survivor_id", "values": {field: record id},
        "reasons": {field: reason}}``; values only where the records differ"""
        names = self._field_names(records)
        links = self.env["sync.merge.service"]._external_ids(records)
        filled = {
            record.id: sum(bool(record[name]) for name in names) for record in records
        }
        ranks = self._owner_ranks(records, names, links)
        differ = [
            name
            for name in names
            if differing(self._comparable(record, name) for record in records)
        ]
        ages = {
            name: self.env["sync.crosswalk"]._ages(records, name) for name in differ
        }
        values, reasons = {}, {}
        for block in self._blocks(records._name, differ):
            choice = choose_value(
                self._claim(record, block, ranks, ages, filled) for record in records
            )
            for name in block:
                values[name], reasons[name] = choice.record_id, choice.reason.value
        return {
            "survivor_id": self._survivor(records, links, filled),
            "values": values,
            "reasons": reasons,
        }

    @api.model
    def _blocks(self, model_name, names):
        """Fields that only make sense together: a street of one record
        and a postcode of another are an address where nobody lives.

        :return: list of tuples that hold each of ``names`` once
        """
        together = self._fields_together(model_name)
        blocks = [
            block
            for fields_ in together
            if (block := tuple(n for n in names if n in fields_))
        ]
        inside = {name for block in blocks for name in block}
        return blocks + [(name,) for name in names if name not in inside]

    @api.model
    def _fields_together(self, model_name):
        """:return: list of sets of field names that survive from the same record"""
        if model_name != "res.partner":
            return []
        return [set(self.env["res.partner"]._address_fields())]

    @api.model
    def _claim(self, record, block, ranks, ages, filled):
        """What a record offers for fields that survive together."""
        owned = [ranks[name][record.id] for name in block if record.id in ranks[name]]
        written = [self._written(record, ages[name]) for name in block]
        known = [moment for moment in written if moment is not None]
        values = tuple(self._comparable(record, name) for name in block)
        return Claim(
            record_id=record.id,
            empty=not any(values),
            owner_rank=min(owned, default=None),
            written=max(known, default=None),
            changed=record.write_date.timestamp(),
            filled=filled[record.id],
            value=values if len(values) > 1 else values[0],
        )

    @api.model
    def _written(self, record, ages):
        """:param ages: ``{record id: {system code: hours}}``
            since systems wrote the field
        :return: when the value was written last, seconds since the epoch;
            ``None`` of a value that no system wrote
        """
        hours = ages.get(record.id)
        if not hours:
            return None
        return fields.Datetime.now().timestamp() - 3600 * min(hours.values())

    @api.model
    def _comparable(self, record, name):
        value = record[name]
        return value.id if isinstance(value, models.BaseModel) else value

    @api.model
    def _owner_ranks(self, records, names, links):
        """:return: ``{field: {record id: rank}}``: rank of the
        best owner of the field that the record is linked to"""
        source = self.env["sync.system"]._current_source()
        decisions = (
            self.env["sync.policy"]
            .sudo()
            ._decide(records._name, names, source, self.env.company)
        )
        return {
            name: {
                record_id: rank
                for record_id, systems in links.items()
                for rank in [self._rank(decisions[name].owner_codes, systems)]
                if rank is not None
            }
            for name in names
        }

    @api.model
    def _rank(self, owner_codes, systems):
        return next(
            (rank for rank, code in enumerate(owner_codes) if code in systems), None
        )

    @api.model
    def _survivor(self, records, links, filled):
        values = self.env["sync.duplicate.stake"]._values(records._name, records.ids)
        return choose_survivor(
            Contender(
                record_id=record.id,
                pinned=self._is_pinned(record),
                active="active" not in record._fields or record.active,
                links=sum(len(ids) for ids in links[record.id].values()),
                value=values.get(record.id, 0.0),
                filled=filled[record.id],
            )
            for record in records
        )

    @api.model
    def _is_pinned(self, record):
        """A record that cannot go: somebody logs
        in with it, or sealed entries name it."""
        if record._name != "res.partner":
            return False
        service = self.env["sync.merge.service"]
        partner = record.sudo().with_context(active_test=False)
        return bool(
            partner.user_ids
            or service._blocked_by_sealed_entries(partner, self.env["res.partner"])
        )
