# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models
from odoo.fields import Domain

from ..tools.canonical import Kind, Member
from ..tools.problem import Problem
from ..tools.vocabulary import UPDATED_AT, address, naming, shown
from .sync_resource_table import Names

MEMBERS = (
    *naming("C-1001", "cus"),
    Member("name", field="name", required=True, example="Nordwind Handel GmbH"),
    Member("is_company", Kind.BOOLEAN, "is_company", example=True),
    Member("email", field="email", example="einkauf@nordwind.example"),
    Member("phone", field="phone", limit=64, example="+49 40 1234567"),
    Member("vat", field="vat", limit=32, note="VAT number with its country prefix."),
    Member("language", Kind.LANGUAGE, "lang", note="BCP 47", example="en-US"),
    *address("address"),
    Member(
        "credit_limit",
        Kind.AMOUNT,
        "credit_limit",
        note="In the company's currency.",
        example="5000.00",
    ),
    shown("currency", Kind.CURRENCY, example="EUR"),
    Member(
        "payment_terms",
        Kind.LABEL,
        "property_payment_term_id",
        model="account.payment.term",
        note="Name of the payment terms.",
        example="30 Days",
    ),
    shown("active", Kind.BOOLEAN, "active", example=True),
    UPDATED_AT,
    Member(
        "not_a_duplicate",
        fixed=True,
        writeonly=True,
        note="Why this is another customer although Odoo knows a similar one: creates"
        " it where it would be refused as a probable duplicate. The reason is kept.",
    ),
)

_NAMED_SCHEMA = {
    "type": "object",
    "required": ["ref", "external_ids"],
    "properties": {
        "ref": {"type": "string", "description": "Canonical reference."},
        "external_id": {"type": ["string", "null"], "description": "One of your ids."},
        "external_ids": {
            "type": ["array", "object"],
            "items": {"type": "string"},
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "All your ids; to a subscriber that is"
            " no system, the ids of each system by its code.",
        },
    },
}
MERGED_SCHEMA = {
    "type": "object",
    "required": ["merge", "survivor", "retired"],
    "properties": {
        "merge": {"type": "string", "description": "Reference of the merge."},
        "survivor": _NAMED_SCHEMA,
        "retired": {"type": "array", "items": _NAMED_SCHEMA, "minItems": 1},
    },
}
MERGED_EXAMPLE = {
    "merge": "mrg_0f3a",
    "survivor": {"ref": "cus_7d2c", "external_id": "C-1", "external_ids": ["C-1"]},
    "retired": [{"ref": "cus_91be", "external_id": "C-2", "external_ids": ["C-2"]}],
}


class SyncResourceCustomer(models.AbstractModel):
    _name = "sync.resource.customer"
    _inherit = "sync.resource.table"
    _description = "API resource: customers"

    _resource_name = "customers"
    _resource_model = "res.partner"
    _domain_code = "customer"
    _resource_operations = frozenset(
        {"create", "read", "replace", "patch", "list", "bulk"}
    )
    _ref_prefix = "cus"

    def _members(self):
        return MEMBERS

    def _event_schema(self, event_type):
        if event_type.name == "customer.merged":
            return MERGED_SCHEMA
        return super()._event_schema(event_type)

    def _event_example(self, event_type):
        if event_type.name == "customer.merged":
            return MERGED_EXAMPLE
        return super()._event_example(event_type)

    def _create_batch(self, bodies, call):
        if len(bodies) > 1 and self._door_mode() == "refuse":
            # one by one, so that each meets those before it
            return [self._create(body, call) for body in bodies]
        return super()._create_batch(bodies, call)

    def _door_mode(self):
        return self.env["sync.duplicate.rule"]._door(self._resource_model).mode

    def _admit(self, bodies, wanted, call):
        """Where the duplicate rule says so, a probable duplicate is refused.

        Elsewhere nothing is asked here: what was created is compared after the commit,
        which also catches twins that are created at the same moment.
        """
        if self._door_mode() != "refuse":
            return
        for body, values in zip(bodies, wanted, strict=True):
            # sudo: the technical user reads no customers; what it is told is confined
            door = self.env["sync.duplicate.door"].sudo()
            candidates = door._matches(self._resource_model, values)
            reason = (body.get("not_a_duplicate") or "").strip()
            if candidates and reason:
                self._note_at_door(candidates[0], "created", reason)
            elif candidates:
                raise self._probable_duplicate(candidates, call)

    def _note_at_door(self, candidate, outcome, reason=None):
        self.env["sync.duplicate.prevention"]._record(
            self._resource_model,
            candidate.record_id,
            candidate.probability,
            outcome,
            reason,
        )

    def _probable_duplicate(self, candidates, call):
        return Problem(
            409,
            "probable_duplicate",
            self.env._(
                "Odoo probably knows this customer. Change the one that it names, or"
                " tell in not_a_duplicate why this is another one."
            ),
            aftermath=lambda: self._note_at_door(candidates[0], "refused"),
            candidates=self._named_candidates(candidates, call),
        )

    def _named_candidates(self, candidates, call):
        """Those that the caller could read anyway: of others it learns nothing, neither
        an id nor which of its values agree.

        :return: ``[{"external_id", "ref", "probability", "agrees"}]``
        """
        found = Domain("id", "in", [one.record_id for one in candidates])
        customers = self._business_model().search(found & self._list_domain(call))
        names = Names(self.env, call.system)
        return [
            {
                **names.of(customers.browse(one.record_id)),
                "probability": round(one.probability, 4),
                "agrees": [
                    line.field for line in self.env["sync.duplicate.door"]._reasons(one)
                ],
            }
            for one in candidates
            if one.record_id in customers.ids
        ]

    def _insert(self, values_list, call):
        # A customer that a company's system sends is that company's, as its system is.
        company = call.system.company_id
        return super()._insert(
            [{"company_id": company.id, **values} for values in values_list], call
        )

    def _served_domain(self):
        # Delivery and invoice addresses are parts of their customer, not customers.
        return super()._served_domain() & Domain("parent_id", "=", False)
