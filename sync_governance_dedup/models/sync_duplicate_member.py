# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class SyncDuplicateMember(models.Model):
    """A record of a duplicate group. Rows are
    written by :meth:`SyncDuplicateGroup._suggest`."""

    _name = "sync.duplicate.member"
    _description = "Member of a Duplicate Group"
    _order = "group_id, record_id"
    _rec_name = "record_name"

    group_id = fields.Many2one(
        "sync.duplicate.group",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    rule_id = fields.Many2one(
        "sync.duplicate.rule", required=True, ondelete="cascade", readonly=True
    )
    model_name = fields.Char(required=True, readonly=True)
    record_id = fields.Many2oneReference(
        model_field="model_name", required=True, readonly=True
    )
    record_name = fields.Char(compute="_compute_record_name", compute_sudo=False)
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        help="Company of the record when the group was made;"
        " decides who sees the group.",
    )
    fingerprint = fields.Char(readonly=True)
    is_open = fields.Boolean(readonly=True, help="The group waits for a decision.")
    is_survivor = fields.Boolean(readonly=True)

    #: A record waits in one group of a rule, whatever races the jobs run.
    _open_uniq = models.UniqueIndex("(rule_id, record_id) WHERE is_open")
    _record_idx = models.Index("(model_name, record_id)")

    @api.depends("model_name", "record_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_name(self):
        for model_name, members in self.grouped("model_name").items():
            names = members._readable_names(model_name)
            for member in members:
                member.record_name = names.get(member.record_id, False)

    def _readable_names(self, model_name):
        if model_name not in self.env:
            return {}
        records = self.env[model_name].browse(self.mapped("record_id")).exists()
        readable = records._filtered_access("read")
        return {record.id: record.display_name for record in readable}

    def _record(self):
        """:return: the living record, or an empty recordset of its model."""
        self.ensure_one()
        if self.model_name not in self.env:
            return self.env["sync.duplicate.member"]
        return self.env[self.model_name].browse(self.record_id).exists()

    def action_open_record(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model_name,
            "res_id": self.record_id,
            "view_mode": "form",
        }
