# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import re

from odoo import api, models
from odoo.exceptions import ValidationError

#: what a lookup may look at, and by which fields
KEYS = {
    "product": ("product.product", ("barcode", "default_code")),
    "customer": ("res.partner", ("ref", "vat", "email")),
    "order": ("sale.order", ("name", "client_order_ref")),
    "invoice": ("account.move", ("name", "ref")),
    "shipment": ("stock.picking", ("name", "sync_tracking_number")),
}
_ARGUMENT = re.compile(r"(\w+)(?:(:)(\w+)|(@)([\w-]+))")


class SyncMappingLookup(models.AbstractModel):
    """Finds the record that a partner's message names by a key, and says how the
    partner's own system calls it.

    ``product:barcode`` is a field's value; ``product@pim`` is the id by which another
    system of the same company knows the record. Records and fields are a closed list.
    """

    _name = "sync.mapping.lookup"
    _description = "Role: lookup of a mapping"

    @api.model
    def _check(self, argument):
        """:raises ValidationError: the argument is not on the closed list"""
        what, separator, key = self._parse(argument)
        if what in KEYS and (separator == "@" or key in KEYS[what][1]):
            return
        known = [f"{name}:{key}" for name, (_m, keys) in KEYS.items() for key in keys]
        raise ValidationError(
            self.env._(
                "Look up one of %(known)s, or another system's id, such as"
                " product@pim.",
                known=", ".join(known),
            )
        )

    @api.model
    def _parse(self, argument):
        match = _ARGUMENT.fullmatch(argument or "")
        return tuple(filter(None, match.groups())) if match else ("", "", "")

    @api.model
    def _name_of(self, system, argument, value):
        """The system's id of the record behind a key.

        :raise ValueError: there is none, several, or the system has no name for it
        """
        what, separator, key = self._parse(argument)
        model_name = KEYS[what][0]
        term = (key, "=", value)
        if separator == "@":
            term = ("id", "=", self._known_as(system, key, model_name, value))
        # sudo: messages are mapped for systems; the company confines what is found
        found = (
            self.env[model_name]
            .sudo()
            .search([term, self._of_company(system)], limit=2)
        )
        if len(found) == 1:
            return self._named(system, found)
        why = self.env._("several have it") if found else self.env._("none has it")
        raise ValueError(f"{argument} {value}: {why}")

    def _of_company(self, system):
        return ("company_id", "in", [False, system.company_id.id])

    def _known_as(self, system, code, model_name, name):
        """Id of the record that another system of the company calls ``name``."""
        # sudo: as above
        other = self.env["sync.system"].sudo()
        other = other.search([("code", "=", code), self._of_company(system)], limit=1)
        if not other:
            return False
        return (
            self.env["sync.crosswalk"].sudo()._resolve(other, model_name, name).res_id
        )

    def _named(self, system, record):
        """A system that may see the whole company is also understood when it names
        a record by our own reference."""
        crosswalk = self.env["sync.crosswalk"].sudo()
        own = crosswalk._external_ids(system, record).get(record.id)
        if own:
            return own
        if system.reach == "company":
            resource = self.env["sync.resource.table"]._of_model(record._name)
            return crosswalk._canonical_refs(record, resource._ref_prefix)[record.id]
        raise ValueError(
            self.env._(
                "%(system)s has no id for %(record)s yet",
                system=system.name,
                record=record.display_name,
            )
        )
