# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools import blocking, keys
from odoo.addons.sync_governance_dedup.tools.matcher import Matcher
from odoo.addons.sync_governance_dedup.tools.profile import Layout, pack, unpack
from odoo.addons.sync_governance_dedup.tools.types import Column, Role, RuleSpec
from odoo.addons.sync_governance_dedup.tools.weights import Weights, train

FIELDS = (
    "name", "is_company", "parent", "email", "phone", "vat", "street", "street2", "zip",
    "city", "country",
)  # fmt: skip
LAYOUT = Layout(RuleSpec("res.partner", tuple(Column(f, Role(f)) for f in FIELDS)))

HOFFMANN = {
    "name": "Hoffmann & Söhne GmbH", "is_company": True, "phone": "+49 30 901820",
    "street": "Hauptstraße 5", "zip": "10115", "city": "Berlin", "country": "DE",
}  # fmt: skip
ANN = {
    "name": "Ann Miller", "is_company": False, "phone": "+1 212 555 0100",
    "street": "12 Park Avenue", "zip": "10016", "city": "New York", "country": "US",
}  # fmt: skip


def score(*rows):
    matcher = Matcher.of(
        LAYOUT, [(n, LAYOUT.profile(row)) for n, row in enumerate(rows, 1)]
    )
    return matcher.pair(matcher.score([0], [1]), 0)


def test_the_same_company_typed_by_two_clerks():
    pair = score(
        HOFFMANN,
        {
            "name": "Hofmann und Soehne", "phone": "030/901820",
            "street": "Hauptstr. 5",
            "zip": "10115", "city": "Berlin", "country": "DE",
        },
    )  # fmt: skip
    assert pair.probability >= 0.9
    levels = {line.field: line.level for line in pair.evidence}
    assert (levels["name"], levels["phone"], levels["address"]) == (
        "typo",
        "equal",
        "equal",
    )


@pytest.mark.parametrize(
    "left, right",
    [
        (ANN, dict(ANN, name="Robert Miller")),  # a household
        (HOFFMANN, dict(HOFFMANN, street="Ring 9", zip="80331", city="München",
                        phone="089 4711 22")),  # a branch
        (HOFFMANN, dict(HOFFMANN, name="Petra Krause",
        is_company=False)),  # a colleague
    ],
)  # fmt: skip
def test_the_traps_are_not_duplicates(left, right):
    assert score(left, right).probability < 0.5


words = st.sampled_from(
    "anna ann miller müller schmidt acme gmbh 12 7 berlin o é 李".split()
)
text = st.lists(words, max_size=4).map(" ".join)
row = st.fixed_dictionaries(
    {
        "name": text, "street": text, "city": text, "street2": text,
        "is_company": st.sampled_from([None, True, False]),
        "email": st.sampled_from(["", "a@b.de", "anna@acme.de", "junk"]),
        "phone": st.sampled_from(["", "030 901820", "030 901821", "text"]),
        "vat": st.sampled_from(["", "DE136695976", "136695976", "x"]),
        "zip": st.sampled_from(["", "10115", "10116"]),
        "country": st.sampled_from(["", "DE", "US"]),
    }
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(row, row)
def test_scores_are_symmetric_bounded_and_explained(left, right):
    one, two = score(left, right), score(right, left)
    assert one.probability == pytest.approx(two.probability, abs=1e-5)
    assert 0 <= one.probability <= 1
    assert sum(line.weight for line in one.evidence) == pytest.approx(
        one.weight, abs=0.1
    )


@settings(max_examples=60, deadline=None)
@given(row)
def test_profiles_survive_storage_and_share_all_keys_with_themselves(values):
    profile = LAYOUT.profile(values)
    assert unpack(pack(profile)) == profile
    assert keys.keys(profile) == sorted(set(keys.keys(profile)))


def test_a_key_that_thousands_share_is_not_followed():
    rows = np.arange(5000, dtype=np.int32)
    shared = np.full(5000, 7, dtype=np.int32)
    [(_part, left, right)] = blocking.candidate_pairs(rows, shared, 5000)
    assert len(left) == len(right) == 0


def test_parts_of_a_scan_find_what_one_pass_finds():
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(300, dtype=np.int32), 3)
    some = rng.integers(0, 200, 900).astype(np.int32)
    [(_part, *whole)] = blocking.candidate_pairs(rows, some, 300)
    parts = list(blocking.candidate_pairs(rows, some, 300, 0, 4))
    assert (
        np.concatenate([left for _n, left, _r in parts]).tolist() == whole[0].tolist()
    )
    assert (
        np.concatenate([right for _n, _l, right in parts]).tolist() == whole[1].tolist()
    )


def test_chains_are_cut_and_denied_pairs_stay_apart():
    from odoo.addons.sync_governance_dedup.tools.cluster import cluster

    chain = [(1, 2, 0.9), (2, 3, 0.9), (3, 4, 0.9)]
    groups, cut = cluster(chain, 0.5)
    assert groups == [[1, 2], [3, 4]] and cut == [(2, 3)]
    groups, _cut = cluster([(1, 2, 0.9), (1, 3, 0.9), (2, 3, 0.9)], 0.5, [(2, 3)])
    assert not any({2, 3} <= set(group) for group in groups)


def test_decisions_of_people_move_the_weights():
    profiles = [(n, LAYOUT.profile(dict(ANN, phone=""))) for n in (1, 2)]
    matcher = Matcher.of(LAYOUT, profiles)
    levels, bits = matcher.compare([0] * 200, [1] * 200)
    after = train(matcher, levels, bits, [False] * 200)
    assert after.table["name"]["equal"][0] < Weights().table["name"]["equal"][0]
    assert Weights.load(after.dump()) == after
    assert {change["level"] for change in Weights().changes(after)} >= {"equal"}
