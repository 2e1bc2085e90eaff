# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Members that several resources share, so that they read the same everywhere."""

from typing import Any

from .canonical import Kind, Member

UPDATED_AT = Member(
    "updated_at",
    Kind.MOMENT,
    readonly=True,
    required=True,
    example="2026-01-31T08:15:00Z",
)


def naming(external_id: str, prefix: str) -> tuple[Member, Member]:
    """How a body names its record; ``external_id`` and ``prefix`` serve the example."""
    return (
        Member(
            "external_id",
            Kind.IDENTIFIER,
            required=True,
            fixed=True,
            note="The caller's own id; in an event, the receiver's own id.",
            example=external_id,
        ),
        Member(
            "ref",
            Kind.IDENTIFIER,
            readonly=True,
            required=True,
            note="Canonical reference, the same for every system; accepted where"
            " an id is.",
            example=f"{prefix}_5f0c1d2e3a4b4c5d8e9f0a1b2c3d4e5f",
        ),
    )


def address(at: str, field: str = "", *, readonly: bool = False) -> tuple[Member, ...]:
    """A postal address below the member ``at``, read through ``field``."""
    through = f"{field}." if field else ""
    parts = (
        ("street", Kind.TEXT, "street", 255, "", "Am Hafen 12"),
        ("street2", Kind.TEXT, "street2", 255, "", "Tor 3"),
        ("zip", Kind.TEXT, "zip", 24, "", "20457"),
        ("city", Kind.TEXT, "city", 255, "", "Hamburg"),
        ("state", Kind.SUBDIVISION, "state_id", 255, "ISO 3166-2", "DE-HH"),
        ("country", Kind.COUNTRY, "country_id", 255, "ISO 3166-1 alpha-2", "DE"),
    )
    return tuple(
        Member(
            f"{at}.{name}",
            kind,
            through + odoo,
            readonly=readonly,
            limit=limit,
            note=note,
            example=example,
        )
        for name, kind, odoo, limit, note, example in parts
    )


def shown(path: str, kind: Kind = Kind.TEXT, field: str = "", **rest: Any) -> Member:
    """What Odoo always answers, and nobody sends."""
    return Member(path, kind, field, readonly=True, required=True, **rest)


def reference(
    path: str, field: str, model: str, *, example: str | None = None, **rest: Any
) -> Member:
    """Another record, named by the caller's id; ``example`` is such an id."""
    named = {"external_id": example} if example else None
    return Member(path, Kind.REFERENCE, field, model=model, example=named, **rest)
