# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which value, and which record, survives a merge.

Per field: the owner's value wins, then the fresher one where it is known when a value
was written, then what most records say, then the better written one, then that of the
record that changed last, then that of the more complete record. A person may overrule
every choice; the reason stays visible beside it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

#: Longer values are not better, they hold something else.
LONGEST = 120


class Reason(str, Enum):
    """Why a value was proposed."""

    ONLY = "only"  # no other record has a value
    OWNER = "owner"  # it comes from the system that owns the field
    FRESH = "fresh"  # it was written last
    MOST = "most"  # more records have this value than any other one
    QUALITY = "quality"  # it is written more fully, in mixed case, with its accents
    CHANGED = "changed"  # the record changed last
    COMPLETE = "complete"  # changed at the same time, but the record knows more
    EMPTY = "empty"  # nobody has a value


@dataclass(frozen=True)
class Claim:
    """What one record offers for one field, or for fields that belong together.

    :ivar empty: the record has no value for the field
    :ivar owner_rank: 0 for the record linked to the system that owns the field,
        1 for the next in rank, ``None`` if the record is linked to none of them
    :ivar written: when the value was written, seconds since the epoch, if that is known
    :ivar changed: when the record changed last; the value is not younger
    :ivar filled: number of fields that the record has a value for
    :ivar value: what is offered: a text, another hashable value, or a tuple of them
    :ivar empty_wins: the owner's empty value is a value
    """

    record_id: int
    empty: bool
    owner_rank: int | None
    written: float | None
    changed: float
    filled: int
    value: object = None
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
        return Choice(_best(ranked).record_id, Reason.OWNER)
    filled = [claim for claim in claims if not claim.empty]
    if not filled:
        return Choice(claims[0].record_id, Reason.EMPTY)
    if len(filled) == 1:
        return Choice(filled[0].record_id, Reason.ONLY)
    return _best(filled)


def _best(claims: list[Claim]) -> Choice:
    fresh = _freshest(claims)
    if fresh:
        return Choice(fresh.record_id, Reason.FRESH)
    votes = Counter(claim.value for claim in claims)
    grounds = {
        claim.record_id: (
            votes[claim.value],
            quality(claim.value),
            claim.changed,
            claim.filled,
        )
        for claim in claims
    }
    winner = max(claims, key=lambda one: (grounds[one.record_id], -one.record_id))
    others = [
        grounds[claim.record_id] for claim in claims if claim.value != winner.value
    ]
    reasons = (Reason.MOST, Reason.QUALITY, Reason.CHANGED, Reason.COMPLETE)
    for place, reason in enumerate(reasons):
        if all(
            other[: place + 1] < grounds[winner.record_id][: place + 1]
            for other in others
        ):
            return Choice(winner.record_id, reason)
    return Choice(winner.record_id, Reason.COMPLETE)


def _freshest(claims: list[Claim]) -> Claim | None:
    """The value that is known to be younger than each of the others."""
    known = [claim for claim in claims if claim.written is not None]
    if not known:
        return None
    first = max(known, key=lambda claim: claim.written)
    others = [
        claim.changed if claim.written is None else claim.written
        for claim in claims
        if claim is not first
    ]
    return first if all(other < first.written for other in others) else None


def quality(value: object) -> tuple[int, ...]:
    """How well a value is written; compared like a tuple, the greater the better.

    Counted in this order: parts that are filled, mixed case instead of capitals only,
    an international prefix, words, letters beyond ASCII (accents that were not dropped,
    a script that was not transliterated), length.
    """
    if isinstance(value, tuple):
        parts = [quality(part) for part in value if part]
        return tuple(map(sum, zip(*parts, strict=True))) if parts else (0,) * 6
    if not isinstance(value, str):
        return (1, 0, 0, 0, 0, 0)
    text = value.strip()[:LONGEST]
    return (
        1,
        int(not (text.isupper() or text.islower())),
        int(text.startswith("+")),
        len(set(text.split())),
        sum(char.isalpha() and not char.isascii() for char in text),
        len(text),
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
