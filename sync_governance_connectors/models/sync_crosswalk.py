# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import uuid

from odoo import api, fields, models
from odoo.tools import SQL


class SyncCrosswalk(models.Model):
    _inherit = "sync.crosswalk"

    @api.model_create_multi
    def create(self, vals_list):
        """Ids that are noted one by one: by a person, or by a message that introduces
        a record. Those of new records are told together."""
        rows = super().create(vals_list)
        self.env["sync.request"]._wake(rows.system_id, rows.mapped("external_id"))
        return rows

    def _external_ids(self, system, records):
        """The id by which ``system`` knows each record.

        :return: ``{record id: external id}``; records it does not know are left out
        """
        return self._ids_of(records, [system.id])[system.id]

    def _canonical_refs(self, records, prefix, new=False):
        """The canonical reference of each record, made when it has none yet.

        :param prefix: three letters of the resource (``cus``)
        :param new: the records were just made, so that none can have one
        :return: ``{record id: "cus_" + 32 hex digits}``
        """
        odoo_id = self._odoo_id()
        refs = {} if new else self._ids_of(records, [odoo_id])[odoo_id]
        return refs | self._make_refs(records, prefix, refs)

    def _names(self, records, prefix, system=None):
        """``(canonical references, the system's own ids)`` by record id, in one query.

        :param system: None for no ids of a system's own
        """
        odoo_id = self._odoo_id()
        system_id = system.id if system else odoo_id
        found = self._ids_of(records, [odoo_id, system_id])
        refs = found[odoo_id]
        refs |= self._make_refs(records, prefix, refs)
        return refs, found[system_id] if system else {}

    def _odoo_id(self):
        return self.env["ir.model.data"]._xmlid_to_res_id(
            "sync_governance_base.system_odoo"
        )

    def _ids_of(self, records, system_ids):
        """The active id of each record in each of the systems.

        :return: ``{system id: {record id: external id}}``
        """
        found = {system_id: {} for system_id in system_ids}
        if not records:
            return found
        self.flush_model(["system_id", "res_model", "res_id", "external_id", "state"])
        # Names are shown to whoever may see the record; crosswalk rights are for
        # stewards. Several ids may name one record: the oldest one stays its name.
        rows = self.env.execute_query(
            SQL(
                """SELECT system_id, res_id, external_id FROM sync_crosswalk
                    WHERE res_model = %s AND res_id = ANY(%s) AND system_id = ANY(%s)
                      AND state = 'active'
                    ORDER BY id DESC""",
                records._name,
                list(records.ids),
                list(found),
            )
        )
        for system_id, record_id, external_id in rows:
            found[system_id][record_id] = external_id
        return found

    def _make_refs(self, records, prefix, known):
        """Canonical references of the records that have none."""
        missing = [record_id for record_id in records.ids if record_id not in known]
        refs = {record_id: f"{prefix}_{uuid.uuid4().hex}" for record_id in missing}
        # Any reader may be the first to name a record; the row itself tells nothing.
        self.sudo()._insert_rows(
            [
                {
                    "system_id": self._odoo_id(),
                    "res_model": records._name,
                    "res_id": record_id,
                    "external_id": ref,
                    "state": "active",
                    "valid_from": fields.Datetime.now(),
                }
                for record_id, ref in refs.items()
            ]
        )
        return refs

    def _ids_behind(self, refs, system):
        """The system's own id of the record behind each canonical reference.

        :param refs: canonical references
        :return: ``{ref: external id}``; what the system does not know is left out
        """
        if not refs:
            return {}
        self.flush_model(["system_id", "res_model", "res_id", "external_id", "state"])
        # Events are told to systems, not to a person with rights. The models are those
        # that have such references: with them the unique index finds each at once.
        rows = self.env.execute_query(
            SQL(
                """SELECT named.external_id, own.external_id
                     FROM sync_crosswalk named
                     JOIN sync_crosswalk own USING (res_model, res_id)
                    WHERE named.system_id = %s AND named.res_model = ANY(%s)
                      AND named.external_id = ANY(%s) AND named.state <> 'retired'
                      AND own.system_id = %s AND own.state = 'active'
                    ORDER BY own.id DESC""",
                self._odoo_id(),
                list(self.env["sync.resource.table"]._served_models()),
                list(refs),
                system.id,
            )
        )
        return dict(rows)

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
