from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools.grouping import plan_groups
from odoo.addons.sync_governance_dedup.tools.types import Group


def found(*record_ids):
    return Group(tuple(sorted(record_ids)), 0.9)


def test_new_group():
    plan = plan_groups([found(1, 2)], {}, ())
    assert [group.record_ids for group in plan.new] == [(1, 2)]
    assert not plan.extended and not plan.dissolved


def test_joins_the_oldest_and_brings_the_others_along():
    group = found(2, 3)
    plan = plan_groups([group], {7: {1, 2}, 9: {3, 4}}, ())
    assert plan.extended == ((7, frozenset({1, 2, 3, 4}), group),)
    assert plan.dissolved == (9,)


def test_a_checked_record_found_nowhere_leaves():
    assert plan_groups([], {7: {1, 2}}, {2}).dissolved == (7,)
    assert plan_groups([], {7: {1, 2, 3}}, {2}).extended == (
        (7, frozenset({1, 3}), None),
    )


def test_denied_record_is_not_brought_along():
    plan = plan_groups([found(2, 3)], {7: {1, 2}}, (), {(1, 3)})
    assert plan.extended[0][1] == {2, 3}


def test_torn_apart():
    one, other = found(1, 2), found(3, 4)
    plan = plan_groups([one, other], {7: {1, 2, 3}}, {1, 2, 3, 4})
    assert plan.extended == ((7, frozenset({1, 2}), one),)
    assert plan.new == (other,)


IDS = st.integers(1, 12)


@st.composite
def partitions(draw):
    """Disjoint groups of two records or more."""
    labels = draw(st.dictionaries(IDS, st.integers(0, 4)))
    groups = {}
    for record, label in labels.items():
        groups.setdefault(label, set()).add(record)
    return [group for group in groups.values() if len(group) > 1]


@given(partitions(), partitions(), st.sets(IDS))
def test_every_record_waits_once(stored, new, checked):
    stored = dict(enumerate(stored, 1))
    plan = plan_groups([found(*group) for group in new], stored, checked)
    final = {kept: set(members) for kept, members, _group in plan.extended}
    final.update(
        {-place: set(group.record_ids) for place, group in enumerate(plan.new, 1)}
    )
    untouched = set(stored) - set(final) - set(plan.dissolved)
    final.update({group_id: stored[group_id] for group_id in untouched})
    members = [record for group in final.values() for record in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 for group in final.values())
    assert {record for group in new for record in group} <= set(members)
