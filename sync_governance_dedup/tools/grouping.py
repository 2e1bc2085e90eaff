# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How newly found groups meet the groups that already wait for a steward."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .types import Group


@dataclass(frozen=True)
class Plan:
    """What to do with the stored groups.

    :ivar new: found groups that touch no stored one
    :ivar extended: ``(stored group id, record ids, found group or None)``
    :ivar dissolved: ids of stored groups that have no two members left
    """

    new: tuple[Group, ...]
    extended: tuple[tuple[int, frozenset[int], Group | None], ...]
    dissolved: tuple[int, ...]


def plan_groups(
    found: Iterable[Group],
    stored: Mapping[int, set[int]],
    checked: Collection[int],
    denied: Collection[tuple[int, int]] = (),
) -> Plan:
    """Match found groups with stored ones.

    A found group joins the oldest stored group that it overlaps, and brings along
    the members of every stored group it touches, except those that were checked anew
    and found elsewhere (or nowhere), and those that a steward denied.

    :param stored: ``{group id: record ids}`` of open groups
    :param checked: records that were compared anew;
        where they were before does not count
    :param denied: pairs ``(left, right)`` with
        ``left < right`` called "not a duplicate"
    """
    found = list(found)
    claimed = {record for group in found for record in group.record_ids}
    rest = {
        group_id: set(records) - claimed - set(checked)
        for group_id, records in stored.items()
    }
    held = defaultdict(set)
    for group_id, records in stored.items():
        for record in records:
            held[record].add(group_id)
    new, extended, used = [], [], set()
    for group in found:
        overlapped = set().union(*(held.get(one, ()) for one in group.record_ids))
        touched = sorted(overlapped - used)
        if not touched:
            new.append(group)
            continue
        used.update(touched)
        members = set(group.record_ids)
        for group_id in touched:
            members |= {
                one
                for one in rest[group_id]
                if not _denied(one, group.record_ids, denied)
            }
        extended.append((touched[0], frozenset(members), group))
    dissolved = used - {kept for kept, _members, _group in extended}
    for group_id in sorted(set(stored) - used):
        if len(rest[group_id]) < 2:
            dissolved.add(group_id)
        elif rest[group_id] != stored[group_id]:
            extended.append((group_id, frozenset(rest[group_id]), None))
    return Plan(tuple(new), tuple(extended), tuple(sorted(dissolved)))


def _denied(
    record: int, others: Iterable[int], denied: Collection[tuple[int, int]]
) -> bool:
    return any((min(record, other), max(record, other)) in denied for other in others)
