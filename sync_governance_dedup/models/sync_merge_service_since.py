# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL, html2plaintext

from ..merge import RowRestorer
from ..merge.later import SATELLITES

#: Records that are named in one line.
MOST_NAMED = 3


class SyncMergeService(models.AbstractModel):
    """What happened since a merge, in words, as far as the user may read it."""

    _inherit = "sync.merge.service"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _changes_since(self, journal):
        """:return: values of ``sync.merge.undo.change``, one a column and value"""
        # sudo: images of rows are kept from everybody; what is told of them is asked
        # as the user below
        restorer = RowRestorer(self.env, journal.sudo().changes or {"changed": []})
        self.env.flush_all()
        gone = {
            (journal.model_name, record_id): name
            for record_id, name in self._parties(journal)
        }
        return [
            self._told_change(found, gone)
            for found in restorer.changed_since()
            if not self._is_derived(found)
        ]

    @api.model
    def _gone_since(self, journal):
        """:return: sentence on rows that the merge changed and nobody can restore"""
        restorer = RowRestorer(self.env, journal.sudo().changes or {"changed": []})
        return ", ".join(
            f"{len(ids)} {self._table_label(table)}"
            for table, ids in sorted(restorer.gone_since().items())
        )

    @api.model
    def _told_change(self, found, gone):
        """:param gone: ``{(model, id): name}`` of records that are merged away"""
        model = self._model_of(found.table)
        who, when = self._last_writer(found.table, found.ids)
        told = {
            "table": found.table,
            "column": found.column,
            "row_ids": list(found.ids),
            "now": found.now,
            "record_names": self._names(model, found.ids, found.table),
            "changed_by": who,
            "changed_at": when,
        }
        field = self._field_of(found)
        if not field:
            return {**told, "field_label": found.column}
        return {
            **told,
            "field_label": field._description_string(self.env),
            "before_text": self._column_text(field, found.ids, found.before, gone),
            "left_text": self._column_text(field, found.ids, found.left, gone),
            "now_text": self._column_text(field, found.ids, found.now, gone),
        }

    @api.model
    def _table_label(self, table):
        model = self._model_of(table)
        return self.env[model]._description if model else table

    @api.model
    def _readable(self, model, ids):
        records = self.env[model].browse(ids).exists()
        return (
            records._filtered_access("read")
            if records.has_access("read")
            else records.browse()
        )

    @api.model
    def _names(self, model, ids, table):
        """Names of records that the user may read, and how many others there are."""
        readable = self._readable(model, ids) if model else self.env["base"]
        named = readable[:MOST_NAMED]
        others = len(ids) - len(named)
        words = [name for name in named.mapped("display_name") if name]
        if others:
            words.append(f"{others} {self._table_label(table)}")
        return ", ".join(words)

    @api.model
    def _last_writer(self, table, ids):
        """:return: (name of who wrote the rows last, when) as the rows say"""
        model = self._model_of(table)
        if not model or not self.env[model]._log_access:
            return "", False
        [(uid, when)] = self.env.execute_query(
            SQL(
                "SELECT write_uid, write_date FROM %s WHERE id = ANY(%s)"
                " ORDER BY write_date DESC NULLS LAST LIMIT 1",
                SQL.identifier(table),
                list(ids),
            )
        )
        # sudo: names of colleagues
        return self.env["res.users"].sudo().browse(uid).name or "", when

    @api.model
    def _column_text(self, field, ids, value, gone):
        """What a column holds, as people read it; nothing if the user may not."""
        if not self._readable(field.model_name, ids):
            return ""
        if field.type == "many2one" and (field.comodel_name, value) in gone:
            return gone[field.comodel_name, value]
        if isinstance(value, dict) and field.company_dependent:
            value = value.get(str(self.env.company.id))
        elif isinstance(value, dict) and field.translate:
            value = value.get(self.env.lang) or value.get("en_US")
        elif field.type == "datetime" and value:
            value = fields.Datetime.to_datetime(value.replace("T", " ")[:19])
        elif field.type == "html" and value:
            value = html2plaintext(value)
        return self.env["sync.field.value"]._display(
            field.model_name, field.name, value
        )

    @api.model
    def _additions_since(self, journal):
        """:return: values of ``sync.merge.undo.addition``, one a case"""
        return [self._told_case(case) for case in self._later_cases(journal)]

    @api.model
    def _told_case(self, case):
        record = self.env[case.model].browse(case.row_id)
        others = Counter(
            self.env[model]._description
            for table in {table for table, _column in case.columns}
            if (model := self._model_of(table)) not in SATELLITES
            for row_id in case.ids(table)
            if (model, row_id) != (case.model, case.row_id)
        )
        made = record.sudo()
        return {
            "key": case.key,
            "kind": record._description,
            "record_name": self._names(case.model, [case.row_id], record._table),
            "with_text": ", ".join(
                f"{count} {label}" for label, count in sorted(others.items())
            ),
            "created_by": made.create_uid.name,
            "created_at": made.create_date,
            "is_sealed": bool(self._sealed_case(case)),
        }

    @api.model
    def _parties(self, journal):
        """:return: ``[(record id, name)]``, the survivor first"""
        Model = self.env[journal.model_name]
        # sudo: names that the journal tells anyway, one by one
        deleted = [
            row
            for entry in journal.sudo().changes["deleted"]
            if entry["table"] == Model._table
            for row in entry["rows"]
        ]
        names = {row["id"]: row.get(Model._rec_name) for row in deleted}
        field = Model._fields[Model._rec_name]
        return [(journal.survivor_id, journal.survivor_name)] + [
            (
                row_id,
                self._column_text(
                    field, [journal.survivor_id], names.get(row_id), gone={}
                ),
            )
            for row_id in journal.retired_ids
        ]
