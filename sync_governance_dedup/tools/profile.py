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
VERSION = 3

#: Slots that every profile has, whatever the rule compares (empty where it does not).
FIXED_SLOTS = (
    "name", "legal", "is_company", "parent", "email", "phone", "vat",
    "street", "number", "zip", "city", "state", "country",
)  # fmt: skip

SEPARATOR = (
    "\x1f"  # cannot occur in a canonical value: those hold no control characters
)

#: Roles that the fixed slots are made of.
_SOURCES = (
    Role.NAME, Role.IS_COMPANY, Role.PARENT, Role.EMAIL, Role.PHONE, Role.VAT,
    Role.STREET, Role.ZIP, Role.CITY, Role.STATE, Role.COUNTRY,
)  # fmt: skip

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

    @cached_property
    def _sources(self) -> tuple[str | None, ...]:
        """Fields of the fixed slots, in the order of :data:`_SOURCES`."""
        return tuple(self.fields.get(role) for role in _SOURCES)

    def profile(self, row: Mapping[str, object]) -> tuple[str, ...]:
        """Normalise a record.

        :param row: raw values by field name; many2one fields as they are to be compared
            (country as ISO code, state as text, parent as id)
        """

        (
            name, company, parent, email, phone, vat, street, postcode, city, state,
            country,
        ) = map(row.get, self._sources)  # fmt: skip
        country = str(country or "").upper()[:64]
        telling, legal = normalise.name(name)
        if company is False and normalise.is_firm(name, legal):
            company = True  # forms come with "person" ticked
        street, number = normalise.street(street)
        return (
            telling,
            legal,
            "" if company is None else str(int(bool(company))),
            str(parent or ""),
            normalise.email(email),
            normalise.phone(phone, country),
            normalise.vat(vat, country),
            street,
            number,
            normalise.postcode(postcode, country),
            normalise.city(city),
            normalise.text(state),
            normalise.code(country),
            *(_EXTRA_ROLES[role](row.get(field)) for field, role in self.extras),
        )


def pack(profile: tuple[str, ...]) -> str:
    """One string of a profile, for storage."""
    return SEPARATOR.join(profile)


def unpack(packed: str) -> tuple[str, ...]:
    return tuple(packed.split(SEPARATOR))
