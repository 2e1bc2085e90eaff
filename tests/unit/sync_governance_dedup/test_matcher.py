# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools import blocking, keys
from odoo.addons.sync_governance_dedup.tools.matcher import Matcher, Pairs, clusters
from odoo.addons.sync_governance_dedup.tools.profile import Layout, pack, unpack
from odoo.addons.sync_governance_dedup.tools.types import Column, Role, RuleSpec
from odoo.addons.sync_governance_dedup.tools.weights import (
    MOST_MOVED,
    Weights,
    estimate,
    train,
)

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
    profiles = {n: LAYOUT.profile(row) for n, row in enumerate(rows, 1)}
    matcher = Matcher.of(LAYOUT, profiles.items())
    [pair] = matcher.pairs(matcher.score([0], [1]))
    originals = dict(enumerate(rows, 1))
    return matcher.explainer(profiles, originals).pair(*pair)


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


def test_a_firm_is_one_although_the_form_says_person():
    """A new partner's form has "person" ticked, and few change it."""
    pair = score(HOFFMANN, dict(HOFFMANN, is_company=False))
    levels = {line.field: line.level for line in pair.evidence}
    assert levels["is_company"] == "companies"


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
    odds = 2.0 ** min(max(one.weight, -60), 60)
    assert one.probability == pytest.approx(odds / (1 + odds), abs=0.01)
    for line in one.evidence:
        if line.field != "prior":
            assert line.level


@settings(max_examples=60, deadline=None)
@given(row)
def test_profiles_survive_storage_and_share_all_keys_with_themselves(values):
    profile = LAYOUT.profile(values)
    assert unpack(pack(profile)) == profile
    found = keys.keys(LAYOUT, profile)
    assert found == sorted(set(found))


def pairs_of(rows, shared, size, low=0, high=None):
    blocks = blocking.Blocks(blocking.entries(np.array(shared), np.array(rows)))
    left, right = blocks.pairs(low, size if high is None else high)
    return list(zip(left.tolist(), right.tolist(), strict=True))


STRONG, WEAK = 7, 8  # the lowest bit tells


@pytest.mark.parametrize("key", [STRONG, WEAK])
def test_a_key_that_thousands_share_is_not_followed(key):
    assert pairs_of(range(5000), [key] * 5000, 5000) == []


def test_a_key_that_says_little_counts_alone_only_if_few_share_it():
    few, many = keys.LONE, keys.LONE + 1
    assert len(pairs_of(range(few), [WEAK] * few, few)) == few * (few - 1) / 2
    assert pairs_of(range(many), [WEAK] * many, many) == []
    assert len(pairs_of(range(many), [STRONG] * many, many)) == many * few / 2
    # two rows that share another such key are compared
    rows = [*range(many), *range(many, 2 * many - 2), 0, 1]
    shared = [WEAK] * many + [WEAK + 2] * many
    assert pairs_of(rows, shared, 2 * many) == [(0, 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 29), st.integers(-9, 9)), max_size=200, unique=True
    )
)
def test_candidates_are_what_the_rule_says(held):
    """Beside a slow and plain way to say the same."""
    blocks = {}
    for row, key in held:
        blocks.setdefault(key, set()).add(row)
    expected = set()
    for one in range(30):
        for other in range(one + 1, 30):
            shared = [
                (key, len(rows))
                for key, rows in blocks.items()
                if {one, other} <= rows and len(rows) <= keys.CAP
            ]
            alone = any(key & 1 or size <= keys.LONE for key, size in shared)
            if alone or len(shared) > 1:
                expected.add((one, other))
    rows, shared = zip(*held, strict=True) if held else ((), ())
    rows, shared = np.array(rows, dtype=int), np.array(shared, dtype=int)
    assert pairs_of(rows, shared, 30) == sorted(expected)
    parts = [pairs_of(rows, shared, 30, n, n + 10) for n in (0, 10, 20)]
    assert sum(parts, []) == sorted(expected)


def test_chains_are_cut_and_denied_pairs_stay_apart():
    from odoo.addons.sync_governance_dedup.tools.cluster import cluster

    chain = [(1, 2, 0.8), (2, 3, 0.8), (3, 4, 0.8)]
    groups, cut = cluster(chain, 0.5)
    assert groups == [[1, 2], [3, 4]] and cut == [(2, 3)]
    # two sure links hold three together, but not four
    groups, cut = cluster([(left, right, 0.97) for left, right, _p in chain], 0.5)
    assert groups == [[1, 2, 3]] and cut == [(3, 4)]
    groups, _cut = cluster([(1, 2, 0.9), (1, 3, 0.9), (2, 3, 0.9)], 0.5, [(2, 3)])
    assert not any({2, 3} <= set(group) for group in groups)


RECORDS = st.integers(1, 12)


@given(
    st.dictionaries(
        st.tuples(RECORDS, RECORDS).filter(lambda pair: pair[0] < pair[1]),
        st.sampled_from((0.05, 0.3, 0.5, 0.6, 0.9, 0.99)),
    ),
    st.sets(st.tuples(RECORDS, RECORDS)),
)
def test_chains_are_clustered_one_by_one_as_all_of_them_together(links, denied):
    from odoo.addons.sync_governance_dedup.tools.cluster import cluster

    pairs = Pairs(
        *np.array([*links], dtype=int).reshape(-1, 2).T,
        np.array([*links.values()], dtype=float),
        np.zeros((len(links), 3), dtype=np.uint8),
    )
    groups, cut = cluster([(*pair, best) for pair, best in links.items()], 0.5, denied)
    found = list(clusters(pairs, 0.5, denied))
    assert sorted(group for group, _inside, _cut in found) == groups
    known = [*links]
    for group, inside, severed in found:
        held = [known[row] for row in inside]
        assert sorted(held) == [pair for pair in sorted(links) if {*pair} <= {*group}]
        assert [links[pair] for pair in held] == sorted(
            (links[pair] for pair in held), reverse=True
        )
        assert {known[row] for row in severed} == {
            pair for pair in cut if {*pair} & {*group}
        }


def test_evidence_shows_what_was_typed_beside_what_was_compared():
    pair = score(HOFFMANN, dict(HOFFMANN, phone="030/901820"))
    phone = next(line for line in pair.evidence if line.field == "phone")
    assert (phone.left, phone.right) == ("4930901820", "4930901820")
    assert phone.left_original == "+49 30 901820"
    assert phone.right_original == "030/901820"
    address = next(line for line in pair.evidence if line.field == "address")
    assert address.left_original == "Hauptstraße 5 10115 Berlin"


def test_a_mobile_beside_a_landline_says_less_than_another_landline():
    landline, mobile = dict(ANN, phone="030 901820"), dict(ANN, phone="0171 5551234")
    other = dict(ANN, phone="030 774411")
    german = {"country": "DE"}
    levels = []
    for right in (mobile, other):
        pair = score(landline | german, right | german)
        levels += [line.level for line in pair.evidence if line.field == "phone"]
    assert levels == ["other_line", "differs"]


@pytest.mark.parametrize(
    "left, right, known",
    [
        # a contact and its company at the same desk
        (dict(HOFFMANN, email="info@hoffmann.de"),
         dict(HOFFMANN, name="Hoffmann", is_company=False, parent=1,
              email="info@hoffmann.de"), "contact_of"),
        # two contacts of one company, one switchboard, one info@
        (dict(HOFFMANN, name="Petra Krause", is_company=False, parent=9,
              email="info@hoffmann.de"),
         dict(HOFFMANN, name="Uwe Lang", is_company=False, parent=9,
              email="info@hoffmann.de"), "siblings"),
        # subsidiaries that file their taxes together
        (dict(HOFFMANN, name="Hoffmann Logistik GmbH", vat="DE136695976"),
         dict(HOFFMANN, name="Hoffmann Immobilien GmbH", vat="DE136695976",
              street="Ring 9", zip="80331", city="München", phone="089 4711 22"), None),
    ],
)  # fmt: skip
def test_known_cases_are_not_duplicates(left, right, known):
    pair = score(left, right)
    assert pair.probability < 0.5
    if known:
        assert known in [line.level for line in pair.evidence]


def base_of(matches, strangers):
    """Compared pairs of a base in which phones of duplicates always differ."""
    rng = np.random.default_rng(5)

    def word(length):
        return "".join(rng.choice(list("abdeiklmnorstuz"), length))

    def person():
        return {
            "name": f"{word(6)} {word(9)}", "street": f"{word(8)} 7", "zip": "10115",
            "city": "Berlin", "is_company": False, "country": "DE",
            "phone": f"030 {rng.integers(1e6, 9e6)}",
        }  # fmt: skip

    rows = []
    for _number in range(matches):
        one = person()
        rows += [one, dict(one, phone=f"040 {rng.integers(1e6, 9e6)}")]
    rows += [person() for _number in range(2 * strangers)]
    matcher = Matcher.of(LAYOUT, [(n, LAYOUT.profile(r)) for n, r in enumerate(rows)])
    left = np.arange(0, len(rows), 2)
    return matcher, *matcher.compare_all(left, left + 1)


def test_em_learns_from_data_and_stays_near_what_was_shipped():
    matcher, levels, bits = base_of(400, 200)
    after = estimate(matcher, levels, bits)
    assert after == estimate(matcher, levels, bits), "deterministic"
    shipped = Weights().table
    moved = {
        (kind, level): after.table[kind][level][0] - base
        for kind, figures in shipped.items()
        for level, (base, *_rest) in figures.items()
    }
    # another phone is the rule here, so it says less against a duplicate
    assert moved["phone", "differs"] > 0.5
    assert moved["phone", "equal"] < 0
    assert all(abs(bits) <= MOST_MOVED + 0.01 for bits in moved.values())
    assert moved["vat", "equal"] == 0, "nobody has one: nothing was learned"
    assert after.rate == pytest.approx(400 / 1200, rel=0.1)


def test_em_of_a_small_base_keeps_the_shipped_weights():
    matcher, levels, bits = base_of(3, 20)
    after = estimate(matcher, levels, bits)
    for kind, figures in Weights().table.items():
        for level, (base, *_rest) in figures.items():
            assert abs(after.table[kind][level][0] - base) < 0.3


def test_decisions_of_people_move_the_weights():
    profiles = [(n, LAYOUT.profile(dict(ANN, phone=""))) for n in (1, 2)]
    matcher = Matcher.of(LAYOUT, profiles)
    levels, bits = matcher.compare([0] * 200, [1] * 200)
    after = train(matcher, levels, bits, [False] * 200)
    assert after.table["name"]["equal"][0] < Weights().table["name"]["equal"][0]
    assert Weights.load(after.dump()) == after
    assert {change["level"] for change in Weights().changes(after)} >= {"equal"}


def test_a_key_that_all_share_costs_nothing():
    """One info@ address, or one 0000000, on a hundred thousand records."""
    size = 100_000
    rows = np.r_[np.arange(size), 7, 8]
    held = np.r_[np.full(size, 4711), 13, 13]
    assert pairs_of(rows, held, size) == [(7, 8)]
