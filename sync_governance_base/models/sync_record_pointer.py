from textwrap import shorten

from odoo import api, fields, models

VALUE_LENGTH = 40
CHANGES_LENGTH = 120


class SyncRecordPointer(models.AbstractModel):
    """Mixin for what is about one record of any model: ``res_model`` and ``res_id``.

    Names are read with all rights: they tell people what a decision is about, and the
    record itself opens only for those who may read it.
    """

    _name = "sync.record.pointer"
    _description = "About a Record"

    model_label = fields.Char(string="Kind", compute="_compute_model_label")
    record_name = fields.Char(compute="_compute_record_name")

    @api.depends("res_model")
    @api.depends_context("lang")
    def _compute_model_label(self):
        for pointer in self:
            name = pointer.res_model
            # the name of a model is no secret
            model = self.env["ir.model"].sudo()._get(name) if name else None
            pointer.model_label = model.name if model else name

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for model_name, pointers in self.grouped("res_model").items():
            names = {}
            if model_name in self.env:
                ids = {pointer.res_id for pointer in pointers if pointer.res_id}
                records = self.env[model_name].sudo().browse(ids).exists()
                names = {record.id: record.display_name for record in records}
            for pointer in pointers:
                pointer.record_name = names.get(pointer.res_id, False)

    def _spell(self, changes) -> str:
        """Changes in one short line: "Phone 1 → 2; City empty → Paris".

        :param changes: triples of a field's label and two values as people read them
        """
        empty = self.env._("empty")
        spelt = [
            self.env._(
                "%(field)s %(before)s → %(after)s",
                field=label,
                before=shorten(before or empty, VALUE_LENGTH, placeholder="…"),
                after=shorten(after or empty, VALUE_LENGTH, placeholder="…"),
            )
            for label, before, after in changes
        ]
        return shorten("; ".join(spelt), CHANGES_LENGTH, placeholder=" …")

    def _record(self):
        """The record in question, None when it or its model is gone."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists() or None

    def action_open_record(self):
        """Open the record in question."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
