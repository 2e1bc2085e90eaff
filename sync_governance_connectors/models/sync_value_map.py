# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models

from ..tools.transform import Unmapped
from .sync_request_hook import MESSAGES


class SyncValueMap(models.Model):
    """A partner's word for what Odoo calls otherwise: a unit, a carrier, terms.

    A value that nobody knows is collected here without a translation; once a steward
    gives one, the messages that were stuck on it run again.
    """

    _name = "sync.value.map"
    _description = "Value Map"
    _order = "system_id, kind, partner_value"
    _rec_name = "partner_value"

    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    kind = fields.Char(
        required=True, help="What is translated, such as uom, carrier or payment terms."
    )
    partner_value = fields.Char(required=True)
    canonical_value = fields.Char(string="Ours", help="Empty: waits for a steward.")
    is_mapped = fields.Boolean(compute="_compute_is_mapped", store=True)

    _value_unique = models.Constraint(
        "UNIQUE(system_id, kind, partner_value)", "This value is in the map already."
    )

    @api.depends("canonical_value")
    def _compute_is_mapped(self):
        for value in self:
            value.is_mapped = bool(value.canonical_value)

    @api.depends("kind", "partner_value")
    def _compute_display_name(self):
        for value in self:
            value.display_name = f"{value.kind}: {value.partner_value}"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("canonical_value"):
            self._run_stuck_messages()
        return result

    @api.model
    def _translate(self, system, kind, value):
        """Our word for a partner's value.

        :raise Unmapped: nobody has said it yet
        """
        known = [("partner_value", "=", value), ("is_mapped", "=", True)]
        return self._known(system, kind, value, known).canonical_value

    @api.model
    def _translate_back(self, system, kind, value):
        """A partner's word for ours; the first that was noted, if it has several.

        :raise Unmapped: nobody has said it yet
        """
        known = [("canonical_value", "=", value)]
        return self._known(system, kind, value, known).partner_value

    @api.model
    def _known(self, system, kind, value, domain):
        # Messages are translated for systems, whoever has to work on them.
        domain = [("system_id", "=", system.id), ("kind", "=", kind), *domain]
        known = self.sudo().search(domain, order="id", limit=1)
        if not known:
            raise Unmapped(kind, value)
        return known

    @api.model
    def _collect(self, system, unmapped):
        """Notes values that nobody knows, once each.
        :param unmapped: ``{(kind, value)}``
        """
        values = self.sudo()
        for kind, value in set(unmapped):
            domain = [("system_id", "=", system.id), ("kind", "=", kind)]
            if not values.search_count(
                [*domain, ("partner_value", "=", value)], limit=1
            ):
                values.create(
                    {"system_id": system.id, "kind": kind, "partner_value": value}
                )

    def _run_stuck_messages(self):
        # The log is closed to everybody; running
        # it again follows from the steward's word.
        stuck = (
            self.env["sync.request"]
            .sudo()
            .search(
                [
                    ("kind", "in", MESSAGES),
                    ("state", "=", "quarantined"),
                    ("error_code", "=", "unmapped_value"),
                    ("system_id", "in", self.system_id.ids),
                ]
            )
        )
        stuck._enqueue_hook()
