from collections.abc import Set
from typing import Any

from odoo import api, fields, models

from .sync_crosswalk_incoming import ApplyResult


class SyncCrosswalk(models.Model):
    """Takes over records that a system has just made, any number at once."""

    _inherit = "sync.crosswalk"

    @api.model
    def _adopt(
        self,
        system,
        records,
        external_ids: list[str],
        values_list: list[dict[str, Any]],
        source,
        held: Set[str] = frozenset(),
    ) -> list[ApplyResult]:
        """Note the ids of records that were just created from what a system sent.

        Does for all together what ``_link`` and ``_apply_incoming`` do for one: the
        ids are written in one statement, with the values that the two agree on from
        now on. What was held back becomes a conflict of its record.

        :param external_ids: one for each record
        :param values_list: the values sent for each record, held ones included
        :param held: names of the fields that the policy kept out of the records
        :return: one result for each record
        :raise ValidationError: if an id names another record
        """
        created = [
            {name: value for name, value in values.items() if name not in held}
            for values in values_list
        ]
        rows = self._add_agreed(system, records, external_ids, created)
        results = []
        for row, values, applied in zip(rows, values_list, created, strict=True):
            refused, conflict = {}, self.env["sync.conflict"]
            if len(applied) < len(values):
                rest = {name: values[name] for name in values.keys() & held}
                outcome = row.with_env(self.env)._apply_incoming(rest, source)
                refused, conflict = outcome.refused, outcome.conflict
            results.append(ApplyResult(applied, [], refused, conflict))
        return results

    @api.model
    def _add_agreed(self, system, records, external_ids, values_list):
        """Rows of new records, with the values they were made from."""
        tool, now = self.env["sync.field.value"], fields.Datetime.now()
        stamp = fields.Datetime.to_string(now)
        agreed_list = [
            {name: tool._written(record, name, value) for name, value in values.items()}
            for record, values in zip(records, values_list, strict=True)
        ]
        # external ids are kept by the machinery, not by people
        rows = self.sudo()._insert_rows(
            [
                {
                    **self._row_values(system, record, external_id, now),
                    "base_json": agreed,
                    "stamps_json": dict.fromkeys(agreed, stamp),
                    "last_seen": now,
                }
                for record, external_id, agreed in zip(
                    records, external_ids, agreed_list, strict=True
                )
            ],
            skip_existing=True,
        )
        if len(rows) == len(records):
            return rows
        # an id was in use before: taken up again, or refused
        rows = self.sudo().browse()
        for record, external_id, agreed in zip(
            records, external_ids, agreed_list, strict=True
        ):
            row = self.sudo()._link(system, record, external_id)
            row._agree(agreed, agreed)
            rows += row
        return rows

    @api.model
    def _row_values(self, system, record, external_id, now):
        """Column values of a new id of a record."""
        company = record.sudo().company_id if "company_id" in record._fields else None
        return {
            "system_id": system.id,
            "res_model": record._name,
            "res_id": record.id,
            "external_id": external_id,
            "state": "active",
            "valid_from": now,
            "company_id": company.id if company else None,
        }
