# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A record in the form in which it is compared: its *profile*.

A profile is a tuple of canonical strings in the order of :attr:`Layout.slots`.
It is what the key table stores, so that nothing is normalised twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from . import normalise
from .types import Role, RuleSpec

#: Raised when normalisation or keys change: what is stored is then made anew.
VERSION = 2

#: Slots that every profile has, whatever the rule compares (empty where it does not).
FIXED_SLOTS = (
    "name", "legal", "is_company", "parent", "email", "phone", "vat",
    "street", "number", "zip", "city", "state", "country",
)  # fmt: skip

SEPARATOR = (
    "\x1f"  # cannot occur in a canonical value: those hold no control characters
)

_EXTRA_ROLES = {
    Role.STREET2: normalise.text,
    Role.TEXT: normalise.text,
    Role.CODE: normalise.code,
    Role.DATE: normalise.date,
}


@dataclass(frozen=True)
class Layout:
    """How a rule's columns map to the slots of a profile."""

    spec: RuleSpec

    @cached_property
    def fields(self) -> dict[Role, str]:
        """First field of each role; a second column of a role is an extra text."""
        found: dict[Role, str] = {}
        for column in self.spec.columns:
            found.setdefault(column.role, column.field)
        return found

    @cached_property
    def extras(self) -> tuple[tuple[str, Role], ...]:
        """(field, role) of the columns that are compared on their own."""
        return tuple(
            (column.field, column.role if column.role in _EXTRA_ROLES else Role.TEXT)
            for column in self.spec.columns
            if column.role in _EXTRA_ROLES or self.fields[column.role] != column.field
        )

    @cached_property
    def slots(self) -> tuple[str, ...]:
        return FIXED_SLOTS + tuple(field for field, _role in self.extras)

    def profile(self, row: Mapping[str, object]) -> tuple[str, ...]:
        """Normalise a record.

        :param row: raw values by field name; many2one fields as they are to be compared
            (country as ISO code, state as text, parent as id)
        """

        def value(role: Role):
            field = self.fields.get(role)
            return row.get(field) if field else None

        country = str(value(Role.COUNTRY) or "").upper()[:64]
        telling, legal = normalise.name(value(Role.NAME))
        street, number = normalise.street(value(Role.STREET))
        company = value(Role.IS_COMPANY)
        return (
            telling,
            legal,
            "" if company is None else str(int(bool(company))),
            str(value(Role.PARENT) or ""),
            normalise.email(value(Role.EMAIL)),
            normalise.phone(value(Role.PHONE), country),
            normalise.vat(value(Role.VAT), country),
            street,
            number,
            normalise.postcode(value(Role.ZIP), country),
            normalise.city(value(Role.CITY)),
            normalise.text(value(Role.STATE)),
            normalise.code(country),
            *(_EXTRA_ROLES[role](row.get(field)) for field, role in self.extras),
        )


def pack(profile: tuple[str, ...]) -> str:
    """One string of a profile, for storage."""
    return SEPARATOR.join(profile)


def unpack(packed: str) -> tuple[str, ...]:
    return tuple(packed.split(SEPARATOR))
