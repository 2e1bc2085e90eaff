from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.policy import Enforcement, FieldRule, Owner
from .sync_policy import ENFORCEMENTS


class SyncPolicyField(models.Model):
    """Who owns one field of the policy's model."""

    _name = "sync.policy.field"
    _description = "Governed Field"
    _order = "policy_id, field_id"
    _rec_name = "field_id"

    policy_id = fields.Many2one(
        "sync.policy", required=True, ondelete="cascade", index=True
    )
    model_id = fields.Many2one(related="policy_id.model_id")
    state = fields.Selection(related="policy_id.state", string="Policy State")
    field_id = fields.Many2one(
        "ir.model.fields",
        required=True,
        ondelete="cascade",
        domain="[('model_id', '=', model_id), ('name', 'not in', ['id', 'create_uid',"
        " 'create_date', 'write_uid', 'write_date', 'display_name'])]",
    )
    field_name = fields.Char(
        related="field_id.name", store=True, string="Technical Name"
    )
    owner_system_id = fields.Many2one(
        "sync.system",
        string="Owner",
        ondelete="restrict",
        index=True,
        help="The system of record: its value counts."
        " Empty: nobody owns the field yet.",
    )
    freshness_hours = fields.Float(
        string="Fresh for (h)",
        help="When the owner's last value is older than this, the next owner may write."
        " 0: its value never gives way.",
    )
    owner_ids = fields.One2many(
        "sync.policy.owner", "line_id", string="Further Owners", copy=True
    )
    enforcement = fields.Selection(
        ENFORCEMENTS, help="Empty: as the policy says.", string="Other Enforcement"
    )
    resolver = fields.Selection(
        [
            ("rank", "Best owner"),
            ("newest", "Newest value"),
            ("max", "Greatest value"),
            ("min", "Smallest value"),
            ("union", "All values together"),
            ("manual", "A steward decides"),
        ],
        required=True,
        default="rank",
        help="Which value wins when both sides changed it.",
    )
    empty_wins = fields.Boolean(
        help="An empty value from the owner clears the field; otherwise it is ignored"
        " when both sides changed it."
    )

    _field_unique = models.Constraint(
        "UNIQUE(policy_id, field_id)", "A policy names each field once."
    )

    @api.constrains("field_id", "policy_id")
    def _check_field_id(self):
        for line in self:
            if line.field_id.model_id != line.policy_id.model_id:
                raise ValidationError(
                    self.env._(
                        "%(field)s is not a field of %(model)s.",
                        field=line.field_id.display_name,
                        model=line.policy_id.model_id.name,
                    )
                )

    @api.constrains("owner_system_id", "owner_ids")
    def _check_owners(self):
        for line in self:
            if line.owner_system_id in line.owner_ids.system_id:
                raise ValidationError(
                    self.env._(
                        "%(system)s is named twice among the owners of %(field)s.",
                        system=line.owner_system_id.name,
                        field=line.field_id.field_description,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.policy_id._note_edit()
        return lines

    def write(self, vals):
        policies = self.policy_id
        result = super().write(vals)
        # a line may have been moved to another policy
        (policies | self.policy_id)._note_edit()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_in_draft(self):
        self.policy_id._note_edit()

    def _ranked_systems(self):
        """The owners, best first."""
        self.ensure_one()
        return self.owner_system_id | self.owner_ids.system_id

    def _rank(self, system_ids):
        """Rank the owners anew, best first; each keeps the freshness it has."""
        self.ensure_one()
        freshness = {self.owner_system_id.id: self.freshness_hours}
        freshness |= {one.system_id.id: one.freshness_hours for one in self.owner_ids}
        first, *others = system_ids or (False,)
        self.write(
            {
                "owner_system_id": first,
                "freshness_hours": freshness.get(first, 0.0),
                "owner_ids": [
                    fields.Command.clear(),
                    *(
                        fields.Command.create(
                            {
                                "system_id": system_id,
                                "sequence": rank,
                                "freshness_hours": freshness.get(system_id, 0.0),
                            }
                        )
                        for rank, system_id in enumerate(others, start=2)
                    ),
                ],
            }
        )

    def _describe(self) -> str:
        """The line in words, for the difference between two versions."""
        self.ensure_one()
        owners = " > ".join(self._ranked_systems().mapped("name")) or self.env._(
            "no owner"
        )
        if not self.enforcement:
            return owners
        labels = dict(self._fields["enforcement"]._description_selection(self.env))
        return f"{owners}, {labels[self.enforcement]}"

    def _to_rule(self) -> FieldRule:
        """This line as the decision needs it."""
        self.ensure_one()
        ranks = [(self.owner_system_id, self.freshness_hours)]
        ranks += [(owner.system_id, owner.freshness_hours) for owner in self.owner_ids]
        return FieldRule(
            field=self.field_name,
            owners=tuple(
                Owner(system.code, system.id, freshness)
                for system, freshness in ranks
                if system
            ),
            enforcement=Enforcement(self.enforcement or self.policy_id.enforcement),
            resolver=self.resolver,
            empty_wins=self.empty_wins,
        )

    def action_open_owners(self):
        """Open the line alone, where further owners can be ranked."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.field_id.field_description,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
