# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Values that travel between the matching engine and the Odoo models.

Everything here is immutable and JSON-able through :func:`dataclasses.asdict`.
Weights are in bits (log2 of a likelihood ratio): +10 means "a thousand times likelier
among duplicates than among strangers". Probabilities are calibrated, in [0, 1].
"""

from dataclasses import dataclass, field
from enum import Enum


class Role(str, Enum):
    """What a column of a rule means to the engine; one column has one role."""

    NAME = "name"
    IS_COMPANY = "is_company"
    PARENT = "parent"
    EMAIL = "email"
    PHONE = "phone"
    VAT = "vat"
    STREET = "street"
    STREET2 = "street2"
    ZIP = "zip"
    CITY = "city"
    STATE = "state"
    COUNTRY = "country"
    CODE = "code"  # barcode, internal reference, registry number: equal or not
    TEXT = "text"  # any other descriptive text
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """One Odoo field of a rule and the role that it plays."""

    field: str
    role: Role


@dataclass(frozen=True)
class RuleSpec:
    """What the engine needs to know of a ``sync.duplicate.rule``.

    :ivar columns: compared columns; their order is the order of the evidence
    :ivar suggest: probability from which a pair is shown to a steward
    :ivar weights: learned weights as stored on the rule (JSON), or ``None`` for the
        shipped priors
    """

    model: str
    columns: tuple[Column, ...]
    suggest: float = 0.5
    weights: dict | None = None


@dataclass(frozen=True)
class Evidence:
    """Why a pair scored as it did: one line of the weight waterfall.

    :ivar field: the comparison: ``name``, ``email``, ``phone``, ``vat``, ``address``,
        a field name for codes and texts, or ``prior`` for the starting odds
    :ivar level: machine word for how well it agrees (``equal``, ``typo``, ``similar``,
        ``contained``, ``differs``, ``other_person`` ...); the interface translates it
    :ivar weight: bits added to the pair's weight, negative if it speaks against
    :ivar left: value of the first record as compared, readable
    :ivar right: value of the second record as compared, readable
    :ivar left_original: value of the first record as somebody typed it
    :ivar right_original: value of the second record as somebody typed it
    """

    field: str
    level: str
    weight: float
    left: str = ""
    right: str = ""
    left_original: str = ""
    right_original: str = ""


@dataclass(frozen=True)
class Candidate:
    """A stored record that may be the same as the one asked about."""

    record_id: int
    probability: float
    weight: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class PairScore:
    """A scored pair of stored records, ``left_id < right_id``."""

    left_id: int
    right_id: int
    probability: float
    weight: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Group:
    """Records that are proposed to be one and the same.

    :ivar record_ids: sorted ids of two members or more
    :ivar probability: mean probability of the pairs that hold the group together
    :ivar pairs: the scored pairs inside the group, best first
    :ivar cut: pairs with a member outside (or of another part of a chain that was
        split) that were *not* followed because the whole group contradicted them;
        the reason is in their evidence
    """

    record_ids: tuple[int, ...]
    probability: float
    pairs: tuple[PairScore, ...] = ()
    cut: tuple[PairScore, ...] = field(default=())
