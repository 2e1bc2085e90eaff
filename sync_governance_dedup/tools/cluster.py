# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From scored pairs to groups that do not chain.

A is like B and B is like C does not make A and C one. Pairs are followed from the most
probable one down; two groups join only if their members *on average* speak for each
other, so one good link cannot pull in a stranger. A denied pair ("not a duplicate")
never ends in one group.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

#: Mean probability over all pairs between two groups from which they are one. Pairs
#: that were never scored share no key: they count as strangers. Just below one half,
#: so that two sure links hold three records, two of which were never compared.
AGREEMENT = 0.45


def chains(left: Iterable[int], right: Iterable[int]) -> dict[int, int]:
    """Smallest record of the chain of pairs that each record is in. Groups never leave
    their chain, so that each one is clustered on its own."""
    next_of: dict[int, int] = {}

    def first(record):
        while (following := next_of.setdefault(record, record)) != record:
            next_of[record] = next_of[following]
            record = following
        return record

    for one, other in zip(left, right, strict=True):
        low, high = sorted((first(one), first(other)))
        next_of[high] = low
    return {record: first(record) for record in next_of}


def cluster(
    pairs: Sequence[tuple[int, int, float]],
    suggest: float,
    denied: Iterable[tuple[int, int]] = (),
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Group records.

    :param pairs: (record, record, probability), also those below
        ``suggest``: they tell that two members doubt each other
    :param suggest: probability from which a pair may start or extend a group
    :param denied: pairs that must not end in one group
    :return: (sorted groups of two and more, pairs from ``suggest`` on that were cut)
    """
    group_of: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    support: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    foes: dict[int, set[int]] = defaultdict(set)
    for left, right, probability in pairs:
        for record in (left, right):
            group_of.setdefault(record, record)
            members.setdefault(record, [record])
        support[left][right] += probability
        support[right][left] += probability
    for left, right in denied:
        if left in members and right in members:
            foes[left].add(right)
            foes[right].add(left)

    cut = []
    for left, right, probability in sorted(
        pairs, key=lambda pair: (-pair[2], pair[:2])
    ):
        if probability < suggest:
            break
        one, two = group_of[left], group_of[right]
        if one == two:
            continue
        between = len(members[one]) * len(members[two])
        if two in foes[one] or support[one][two] < AGREEMENT * between:
            cut.append((left, right))
            continue
        if len(members[one]) < len(members[two]):
            one, two = two, one
        _join(one, two, group_of, members, support, foes)
    groups = [sorted(group) for group in members.values() if len(group) > 1]
    cut = [(a, b) for a, b in cut if group_of[a] != group_of[b]]
    return sorted(groups), cut


def _join(one, two, group_of, members, support, foes):
    """Move the second group into the first one."""
    for record in members[two]:
        group_of[record] = one
    members[one] += members.pop(two)
    for other, probability in support.pop(two).items():
        if other != one:
            support[one][other] += probability
            support[other][one] += probability
        support[other].pop(two, None)
    for other in foes.pop(two, ()):
        foes[other].discard(two)
        foes[other].add(one)
        foes[one].add(other)
