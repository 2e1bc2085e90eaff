# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which value, and which record, survives a merge.

Per field: the owner's value wins, then the fresher one, then the one of the more
complete record. A person may overrule every choice; the reason stays visible beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Reason(str, Enum):
    """Why a value was proposed."""

    ONLY = "only"  # no other record has a value
    OWNER = "owner"  # it comes from the system that owns the field
    FRESH = "fresh"  # it was written last
    COMPLETE = "complete"  # written at the same time, but the record knows more
    EMPTY = "empty"  # nobody has a value


@dataclass(frozen=True)
class Claim:
    """What one record offers for one field.

    :ivar empty: the record has no value for the field
    :ivar owner_rank: 0 for the record linked to the system that owns the field,
        1 for the next in rank, ``None`` if the record is linked to none of them
    :ivar written: seconds since the epoch of the last change
    :ivar filled: number of fields that the record has a value for
    :ivar empty_wins: the owner's empty value is a value
    """

    record_id: int
    empty: bool
    owner_rank: int | None
    written: float
    filled: int
    empty_wins: bool = False


@dataclass(frozen=True)
class Choice:
    record_id: int
    reason: Reason


@dataclass(frozen=True)
class Contender:
    """A record that could survive.

    :ivar pinned: it cannot be retired (it has a user, or entries sealed by a hash)
    :ivar links: number of living external ids
    :ivar value: money that hangs on it
    """

    record_id: int
    pinned: bool
    active: bool
    links: int
    value: float
    filled: int


def choose_value(claims: Iterable[Claim]) -> Choice:
    """:return: the claim that wins; the order of ``claims`` does not matter."""
    claims = sorted(claims, key=lambda claim: claim.record_id)
    owners = [
        claim
        for claim in claims
        if claim.owner_rank is not None and (claim.empty_wins or not claim.empty)
    ]
    if owners:
        best_rank = min(claim.owner_rank for claim in owners)
        ranked = [claim for claim in owners if claim.owner_rank == best_rank]
        return Choice(_freshest(ranked).record_id, Reason.OWNER)
    filled = [claim for claim in claims if not claim.empty]
    if not filled:
        return Choice(claims[0].record_id, Reason.EMPTY)
    if len(filled) == 1:
        return Choice(filled[0].record_id, Reason.ONLY)
    winner = _freshest(filled)
    tied = sum(claim.written == winner.written for claim in filled) > 1
    return Choice(winner.record_id, Reason.COMPLETE if tied else Reason.FRESH)


def _freshest(claims: list[Claim]) -> Claim:
    return max(
        claims, key=lambda claim: (claim.written, claim.filled, -claim.record_id)
    )


def choose_survivor(contenders: Iterable[Contender]) -> int:
    """:return: id of the record that the others are merged into: what cannot be retired
    first, then what most depends on, then the oldest."""
    return max(
        contenders,
        key=lambda one: (
            one.pinned,
            one.active,
            one.links,
            one.value,
            one.filled,
            -one.record_id,
        ),
    ).record_id


def differing(values: Iterable[object]) -> bool:
    """:return: whether a steward must look: two records have
    different, filled values or one lacks what another has."""
    seen = {repr(value) for value in values}
    return len(seen) > 1
