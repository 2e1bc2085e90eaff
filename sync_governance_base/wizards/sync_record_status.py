from odoo import api, fields, models
from odoo.tools import format_datetime

LATEST = 20


class SyncRecordStatus(models.TransientModel):
    """What governance knows about one record: owners, external ids, open decisions."""

    _name = "sync.record.status"
    _description = "Sync Status of a Record"

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char(readonly=True)
    policy_id = fields.Many2one("sync.policy", readonly=True)
    line_ids = fields.One2many("sync.record.status.line", "status_id", readonly=True)
    crosswalk_ids = fields.Many2many("sync.crosswalk", compute="_compute_related_ids")
    conflict_ids = fields.Many2many("sync.conflict", compute="_compute_related_ids")
    request_ids = fields.Many2many(
        "sync.change.request", compute="_compute_related_ids"
    )
    open_count = fields.Integer(
        compute="_compute_related_ids",
        help="Conflicts and change requests that wait for a decision.",
    )
    can_override = fields.Boolean(compute="_compute_can_override")

    @api.depends("res_model", "res_id")
    @api.depends_context("uid")
    def _compute_can_override(self):
        wizard = self.env["sync.policy.override"]
        for status in self:
            record = self.env[status.res_model].browse(status.res_id)
            status.can_override = wizard._may_override(record) and bool(
                wizard._kept_back(record)
            )

    @api.depends("res_model", "res_id")
    def _compute_related_ids(self):
        for status in self:
            status.crosswalk_ids = status._latest("sync.crosswalk")
            status.conflict_ids = status._latest("sync.conflict")
            status.request_ids = status._latest("sync.change.request")
            status.open_count = sum(
                one.state in ("open", "submitted")
                for one in (*status.conflict_ids, *status.request_ids)
            )

    def _latest(self, model_name):
        """The latest records of a model that are about this one.

        For modules that show more of their own here: the model has ``res_model`` and
        ``res_id``.
        """
        self.ensure_one()
        domain = [("res_model", "=", self.res_model), ("res_id", "=", self.res_id)]
        return self.env[model_name].search(domain, limit=LATEST)

    @api.model
    def _open(self, record):
        """The action that shows a record's status, for the modules' smart buttons."""
        record.ensure_one()
        record.check_access("read")
        policies = self.env["sync.policy"]
        rules = next((rules for rules, _records in policies._rules_of(record)), None)
        status = self.create(
            {
                "res_model": record._name,
                "res_id": record.id,
                "record_name": record.display_name,
                "policy_id": rules.policy_id if rules else False,
                "line_ids": [
                    fields.Command.create(values)
                    for values in self._line_values(record, rules)
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sync: %(record)s", record=record.display_name),
            "res_model": self._name,
            "res_id": status.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_override(self):
        """Ask a steward for the values to write against the policy, and the reason."""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        return self.env["sync.policy.override"]._open(record)

    @api.model
    def _line_values(self, record, rules):
        """One line for each governed field that the user may read."""
        tool = self.env["sync.field.value"]
        crosswalks = self.env["sync.crosswalk"].sudo()._of_records(record)
        for name, rule in (rules.fields if rules else {}).items():
            field = record._fields[name]
            if not record._has_field_access(field, "read"):
                continue
            yield {
                "field_label": field._description_string(self.env),
                "value_display": tool._display(
                    record._name, name, tool._read(record, name)
                ),
                "owner_system_id": rule.owners[0].system_id if rule.owners else False,
                "enforcement": rule.enforcement.value,
                "last_changes": self._last_changes(crosswalks, name),
            }

    @api.model
    def _last_changes(self, crosswalks, name) -> str:
        """When each system last wrote a field, the latest first."""
        stamped = [
            (stamp, row.system_id.name)
            for row in crosswalks
            if (stamp := row._stamp(name))
        ]
        return "; ".join(
            f"{system}, {format_datetime(self.env, stamp, dt_format='short')}"
            for stamp, system in sorted(stamped, reverse=True)
        )
