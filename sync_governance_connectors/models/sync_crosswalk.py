# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import uuid

from odoo import models

from odoo.addons.sync_governance_base.tools.source import ODOO_CODE


class SyncCrosswalk(models.Model):
    _inherit = "sync.crosswalk"

    def _external_ids(self, system, records):
        """The id by which ``system`` knows each record.

        :return: ``{record id: external id}``; records it does not know are left out
        """
        rows = self._active_rows(system, records)
        # Several ids may name one record: the oldest one stays its name.
        return {row.res_id: row.external_id for row in rows.sorted("id", reverse=True)}

    def _canonical_refs(self, records, prefix):
        """The canonical reference of each record, made when it has none yet.

        :param prefix: three letters of the resource (``cus``)
        :return: ``{record id: "cus_" + 32 hex digits}``
        """
        odoo = self.env.ref("sync_governance_base.system_odoo")
        refs = self._external_ids(odoo, records)
        missing = [record for record in records if record.id not in refs]
        if missing:
            # Any reader may be the first to name
            # a record; the row itself tells nothing.
            rows = self.sudo().create(
                [
                    {
                        "system_id": odoo.id,
                        "res_model": record._name,
                        "res_id": record.id,
                        "external_id": f"{prefix}_{uuid.uuid4().hex}",
                    }
                    for record in missing
                ]
            )
            refs.update({row.res_id: row.external_id for row in rows})
        return refs

    def _ids_behind(self, refs, system):
        """The system's own id of the record behind each canonical reference.

        :param refs: canonical references
        :return: ``{ref: external id}``; what the system does not know is left out
        """
        # Events are told to systems, not to a person with rights.
        rows = self.sudo().search_fetch(
            [
                ("system_id.code", "=", ODOO_CODE),
                ("external_id", "in", list(refs)),
                ("state", "!=", "retired"),
            ],
            ["res_model", "res_id", "external_id"],
        )
        result = {}
        for model, group in rows.grouped("res_model").items():
            records = self.env[model].browse(group.mapped("res_id"))
            own = self._external_ids(system, records)
            result.update({row.external_id: own.get(row.res_id) for row in group})
        return {ref: external_id for ref, external_id in result.items() if external_id}

    def _active_rows(self, system, records):
        # Names are shown to whoever may see the record;
        # crosswalk rights are for stewards.
        return self.sudo().search_fetch(
            [
                ("system_id", "=", system.id),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
                ("state", "=", "active"),
            ],
            ["res_id", "external_id"],
        )
