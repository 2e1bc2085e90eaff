# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Comparisons: how two records agree, field by field, for many pairs at once.

A comparison gives each pair a *level* (how well the values agree) and *bits* (how rare
what they share is: log2 of the base's size over the frequency of the value, so that a
surname of one record in a thousand gives ten bits). What both are worth is not decided
here but in :mod:`weights`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein
from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.process import cpdist

from . import normalise
from .table import WORLD, Table, ValueColumn, WordColumn, expand
from .types import Role

#: First level of every comparison: a value is empty on one side, it proves nothing.
MISSING = 0


@dataclass(frozen=True)
class Comparison:
    """One line of evidence.

    :ivar name: its name in :class:`types.Evidence`
    :ivar kind: which weights it takes; several fields may share a kind
    :ivar levels: names of the levels, ``missing`` first
    :ivar function: (table, left rows, right rows) -> (levels, bits)
    :ivar slots: slots whose values are shown as left and right
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    function: Callable[[Table, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    slots: tuple[str, ...]


# -- shared pieces ---------------------------------------------------------------------


def _similarity(scorer, column, left, right, cutoff=0.0, joined=False):
    """Similarity of values by number; each distinct pair of values is measured once.

    :param joined: without the blanks between their words
    """
    values = column.joined if joined else column.objects
    wide = len(column.objects) + 1
    codes, inverse = np.unique(
        np.minimum(left, right).astype(np.int64) * wide + np.maximum(left, right),
        return_inverse=True,
    )
    scores = cpdist(
        values[codes // wide],
        values[codes % wide],
        scorer=scorer,
        score_cutoff=cutoff,
        workers=1,
    )
    return scores[inverse]


def _both(column: ValueColumn, i, j):
    left, right = column.ids[i], column.ids[j]
    return left, right, (left >= 0) & (right >= 0)


# -- names -----------------------------------------------------------------------------

NAME_LEVELS = (
    "missing", "equal", "typo", "short_form", "contained", "mostly", "other_person",
    "partly", "number_differs", "differs",
)  # fmt: skip
(
    _,
    EQUAL,
    TYPO,
    SHORT_FORM,
    CONTAINED,
    MOSTLY,
    OTHER_PERSON,
    PARTLY,
    NUMBER,
    DIFFERS,
) = range(len(NAME_LEVELS))
#: Share of a word's bits that agreement up to a typing error, nickname or initial
#: keeps.
_SOFT_BITS = np.array([0.0, 0.2, 0.5, 0.75], dtype=np.float32)
_NONE, _INITIAL, _NICKNAME, _MISTYPED = range(4)
#: How much each further record of the same whole name raises the expectation
#: that names agree by chance.
NAMESAKES = 1.0


def compare_names(table: Table, i: np.ndarray, j: np.ndarray):
    """The residual check: what is *not* shared
    must be explained, or it is somebody else."""
    words = table.name_words
    bits = words.bits
    owner_a, at_a = expand(words.start, i)
    owner_b, at_b = expand(words.start, j)
    word_a, word_b = words.words[at_a], words.words[at_b]
    count_a = np.bincount(owner_a, minlength=len(i))
    count_b = np.bincount(owner_b, minlength=len(i))

    # every word of the left name beside every word of the right one
    side_a, side_b = _beside(owner_a, count_a, count_b)
    equal = word_a[side_a] == word_b[side_b]
    used_a = np.zeros(len(word_a), dtype=bool)
    used_b = np.zeros(len(word_b), dtype=bool)
    used_a[side_a[equal]] = True
    used_b[side_b[equal]] = True
    shared = _sum(owner_a, bits[word_a] * used_a, len(i))

    # words left over on both sides: typing errors, nicknames, initials
    open_ = ~(used_a[side_a] | used_b[side_b])
    side_a, side_b = side_a[open_], side_b[open_]
    kind = _soft_kinds(words, word_a[side_a], word_b[side_b])
    soft_a = np.zeros(len(word_a), dtype=np.int8)
    soft_b = np.zeros(len(word_b), dtype=np.int8)
    np.maximum.at(soft_a, side_a, kind)
    np.maximum.at(soft_b, side_b, kind)
    soft = np.minimum(
        _sum(owner_a, bits[word_a] * _SOFT_BITS[soft_a], len(i)),
        _sum(owner_b, bits[word_b] * _SOFT_BITS[soft_b], len(i)),
    )
    rest_a = _sum(owner_a, bits[word_a] * ~(used_a | (soft_a > 0)), len(i))
    rest_b = _sum(owner_b, bits[word_b] * ~(used_b | (soft_b > 0)), len(i))
    weakest = np.full(len(i), 9, dtype=np.int8)
    np.minimum.at(weakest, owner_a[soft_a > 0], soft_a[soft_a > 0])

    level = _name_levels(shared, soft, rest_a, rest_b, weakest)
    _mend_joined_names(table, i, j, level, shared)
    _split_conflicts(
        table, i, j, level, owner_a, word_a, ~used_a, owner_b, word_b, ~used_b
    )
    level[(count_a == 0) | (count_b == 0)] = MISSING
    return level, shared + soft - _namesakes(table["name"], i, j)


def _namesakes(names: ValueColumn, i, j):
    """Bits that a whole name loses because others bear it, too: words do not fall
    together by chance alone ("City Garage", the branches of a chain)."""
    left = names.ids[i]
    holders = np.append(names.counts, 0)[left]
    bits = np.log2(1 + NAMESAKES * np.maximum(holders - 2, 0), dtype=np.float32)
    return np.where((left == names.ids[j]) & (left >= 0), bits, 0)


def _beside(owner_a, count_a, count_b):
    """Positions of all combinations of the words of each pair."""
    repeats = count_b[owner_a]
    side_a = np.repeat(np.arange(len(owner_a)), repeats)
    ends = np.cumsum(repeats)
    within = np.arange(len(side_a)) - np.repeat(ends - repeats, repeats)
    first_b = np.cumsum(count_b) - count_b
    return side_a, first_b[owner_a[side_a]] + within


def _sum(owner, values, size):
    return np.bincount(owner, weights=values, minlength=size).astype(np.float32)


def _soft_kinds(words: WordColumn, left, right) -> np.ndarray:
    """How two different words may still be one: see the ``_NONE`` ... constants."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.int8)
    wide = len(words.values)
    codes, inverse = np.unique(
        np.minimum(left, right).astype(np.int64) * wide + np.maximum(left, right),
        return_inverse=True,
    )
    first, second = codes // wide, codes % wide
    a, b = words.objects[first], words.objects[second]
    distance = cpdist(a, b, scorer=OSA.distance, score_cutoff=2)
    likeness = cpdist(a, b, scorer=JaroWinkler.similarity, score_cutoff=0.8)
    longer = np.maximum(words.lengths[first], words.lengths[second])
    shorter = np.minimum(words.lengths[first], words.lengths[second])
    digits = words.has_digit[first] | words.has_digit[second]
    kind = np.zeros(len(codes), dtype=np.int8)
    mistyped = (distance <= 1) & (shorter >= 3) & (longer >= 4)
    mistyped |= (distance <= 2) & (longer >= 7)
    mistyped |= (likeness >= 0.92) & (shorter >= 5)
    kind[mistyped & ~digits] = _MISTYPED
    rest = np.flatnonzero((kind == _NONE) & ~digits)
    kind[rest[np.isin(codes[rest], words.nicknames)]] = _NICKNAME
    same_start = words.starts[first[rest]] == words.starts[second[rest]]
    for position in rest[same_start & (kind[rest] == _NONE)]:
        x, y = a[position], b[position]
        if x.startswith(y) or y.startswith(x):
            if shorter[position] < 3:
                kind[position] = _INITIAL
            elif 2 * shorter[position] >= longer[position]:
                kind[position] = _NICKNAME
    return kind[inverse]


def _name_levels(shared, soft, rest_a, rest_b, weakest):
    level = np.full(len(shared), DIFFERS, dtype=np.int8)
    agreed = shared + soft
    some = agreed > 0
    clear_a, clear_b = rest_a <= 0, rest_b <= 0
    both = clear_a & clear_b & some
    level[both] = EQUAL
    level[both & (weakest == _MISTYPED)] = TYPO
    level[both & (weakest < _MISTYPED)] = SHORT_FORM
    level[(clear_a ^ clear_b) & some] = CONTAINED
    conflict = ~clear_a & ~clear_b & some
    level[conflict] = PARTLY
    level[conflict & (agreed >= 1.5 * (rest_a + rest_b))] = MOSTLY
    return level


def _mend_joined_names(table, i, j, level, shared):
    """``Eco Tech`` and ``Ecotech``; several typing errors in one name."""
    names = table["name"]
    filled = (names.ids[i] >= 0) & (names.ids[j] >= 0)
    doubtful = np.flatnonzero(filled & (level >= CONTAINED))
    if len(doubtful) == 0:
        return
    left, right = names.ids[i[doubtful]], names.ids[j[doubtful]]
    scorer = Levenshtein.normalized_similarity
    likeness = _similarity(scorer, names, left, right, joined=True)
    close = (likeness >= 0.9) & (
        np.maximum(names.lengths[left], names.lengths[right]) >= 8
    )
    close &= (level[doubtful] != CONTAINED) & (
        names.digits[left] == names.digits[right]
    )
    level[doubtful[close]] = TYPO
    shared[doubtful[close]] = np.maximum(
        shared[doubtful[close]],
        _SOFT_BITS[_MISTYPED] * np.minimum(names.bits[left], names.bits[right])[close],
    )


def _split_conflicts(
    table, i, j, level, owner_a, word_a, open_a, owner_b, word_b, open_b
):
    """Tell other people and other numbers ("Store 12", "KX-100")
    from vaguer differences."""
    company = table["is_company"]
    person = company.number("0")
    persons = (company.ids[i] == person) & (company.ids[j] == person)
    conflict = (level == PARTLY) | (level == MOSTLY)
    level[conflict & persons] = OTHER_PERSON
    digit = table.name_words.has_digit
    if digit.any():
        number_a = np.bincount(
            owner_a, weights=open_a & digit[word_a], minlength=len(i)
        )
        number_b = np.bincount(
            owner_b, weights=open_b & digit[word_b], minlength=len(i)
        )
        level[conflict & (number_a > 0) & (number_b > 0)] = NUMBER


# -- things that identify --------------------------------------------------------------

IDENTITY_LEVELS = ("missing", "equal", "typo", "differs")


def compare_identity(slot: str, shortest: int):
    """Numbers and codes: equal, one slip of the finger apart, or different.

    :param shortest: length from which a slip is told from another value
    """

    def compare(table: Table, i, j):
        column = table[slot]
        left, right, both = _both(column, i, j)
        level = np.zeros(len(i), dtype=np.int8)
        bits = np.zeros(len(i), dtype=np.float32)
        level[both] = 3
        equal = both & (left == right)
        level[equal] = 1
        bits[equal] = column.bits[left[equal]]
        other = np.flatnonzero(both & ~equal)
        if len(other):
            distance = _similarity(OSA.distance, column, left[other], right[other], 2)
            long_ = (
                np.minimum(column.lengths[left[other]], column.lengths[right[other]])
                >= shortest
            )
            slip = other[(distance <= 1) & long_]
            level[slip] = 2
            bits[slip] = 0.75 * np.minimum(
                column.bits[left[slip]], column.bits[right[slip]]
            )
        return level, bits

    return compare


EMAIL_LEVELS = ("missing", "equal", "typo", "mailbox", "domain", "differs")


def compare_emails(table: Table, i, j):
    """Whole address, then the part before the @
    (people change provider), then the domain."""
    column, local, domain = table["email"], table["local"], table["domain"]
    left, right, both = _both(column, i, j)
    level = np.zeros(len(i), dtype=np.int8)
    bits = np.zeros(len(i), dtype=np.float32)
    level[both] = 5
    for value, part in ((4, domain), (3, local)):
        same = both & (part.ids[i] == part.ids[j]) & (part.ids[i] >= 0)
        level[same] = value
        bits[same] = part.bits[part.ids[i[same]]]
    equal = both & (left == right)
    level[equal] = 1
    bits[equal] = column.bits[left[equal]]
    other = np.flatnonzero(both & ~equal & (level != 3))
    if len(other):
        distance = _similarity(OSA.distance, column, left[other], right[other], 2)
        slip = other[distance <= 1]
        level[slip] = 2
        bits[slip] = np.minimum(column.bits[left[slip]], column.bits[right[slip]])
    return level, bits


PHONE_LEVELS = ("missing", "equal", "typo", "other_line", "differs")


def compare_phones(table: Table, i, j):
    """The subscriber's last digits decide: calling codes and trunk prefixes are often
    absent. A mobile beside a landline says little: many have both."""
    level, bits = compare_identity("subscriber", 7)(table, i, j)
    level[level == 3] = 4
    column = table["phone"]
    differ = np.flatnonzero(level == 4)
    values, places = np.unique(
        column.ids[np.r_[i[differ], j[differ]]], return_inverse=True
    )
    mobile = [normalise.is_mobile(column.values[value]) for value in values.tolist()]
    one, other = np.array(mobile, dtype=bool)[places].reshape(2, -1)
    level[differ[one != other]] = 3
    return level, bits


# -- addresses -------------------------------------------------------------------------

ADDRESS_LEVELS = (
    "missing", "equal", "near", "same_street", "same_place", "other_street",
    "same_house_other_place", "other_place",
)  # fmt: skip
(
    _,
    AT_EQUAL,
    AT_NEAR,
    AT_STREET,
    AT_PLACE,
    AT_OTHER_STREET,
    AT_MOVED_NAME,
    AT_ELSEWHERE,
) = range(len(ADDRESS_LEVELS))


def compare_addresses(table: Table, i, j):
    """One hierarchical comparison of street, number, postcode and city.

    Comparing them one by one would count the same fact three times.
    """
    same_zip, zip_known = _locality(table, "zip", i, j)
    same_city, city_known = _locality(table, "city", i, j)
    here = same_zip | same_city
    elsewhere = (zip_known | city_known) & ~here
    street, street_known = _same_streets(table, i, j)
    number = table["number"]
    left, right, both_numbers = _both(number, i, j)
    same_number = both_numbers & (left == right)

    level = np.zeros(len(i), dtype=np.int8)
    level[elsewhere] = AT_ELSEWHERE
    level[here] = AT_PLACE
    level[street_known & ~street & ~elsewhere] = AT_OTHER_STREET
    level[street & ~elsewhere] = AT_STREET
    house = street & same_number
    level[house & ~elsewhere] = AT_NEAR
    exact = table["street"].ids[i] == table["street"].ids[j]
    level[house & ~elsewhere & exact] = AT_EQUAL
    level[house & elsewhere] = AT_MOVED_NAME
    # a street without numbers on either side agrees as a whole
    level[street & exact & (left < 0) & (right < 0) & here] = AT_EQUAL

    place_bits = np.maximum(
        table["zip"].bits[table["zip"].ids[i]] * same_zip,
        table["city"].bits[table["city"].ids[i]] * same_city,
    )
    road_bits = np.where(
        house, _least_bits(table["house"], i, j), _least_bits(table["street"], i, j)
    )
    bits = place_bits * here + road_bits * street
    # a house is known by at most as many bits as there are records, and a few flats
    return level, np.minimum(bits, np.log2(table.size + WORLD)).astype(np.float32)


def _least_bits(column, i, j):
    """Bits of the commoner one of two values that are alike."""
    return np.minimum(column.bits[column.ids[i]], column.bits[column.ids[j]])


def _locality(table, slot, i, j):
    """(same up to one slip, both known) of a postcode or city."""
    column = table[slot]
    left, right, both = _both(column, i, j)
    same = both & (left == right)
    other = np.flatnonzero(both & ~same)
    if len(other):
        if slot == "zip":
            distance = _similarity(OSA.distance, column, left[other], right[other], 2)
            same[other[distance <= 1]] = True
        else:
            likeness = _similarity(
                JaroWinkler.similarity, column, left[other], right[other]
            )
            contained = _similarity(token_set_ratio, column, left[other], right[other])
            same[other[(likeness >= 0.9) | (contained >= 99)]] = True
    return same, both


def _same_streets(table, i, j):
    """(same street up to spelling, both known)."""
    column = table["street"]
    left, right, both = _both(column, i, j)
    same = both & (left == right)
    other = np.flatnonzero(both & ~same)
    if len(other):
        likeness = _similarity(
            Levenshtein.normalized_similarity, column, left[other], right[other]
        )
        contained = _similarity(token_set_ratio, column, left[other], right[other])
        same[other[(likeness >= 0.8) | (contained >= 95)]] = True
    return same, both


# -- other texts -----------------------------------------------------------------------

TEXT_LEVELS = ("missing", "equal", "similar", "differs")


def compare_texts(slot: str):
    """Any further text: equal, alike, or different."""

    def compare(table: Table, i, j):
        column = table[slot]
        left, right, both = _both(column, i, j)
        level = np.zeros(len(i), dtype=np.int8)
        bits = np.zeros(len(i), dtype=np.float32)
        level[both] = 3
        equal = both & (left == right)
        level[equal] = 1
        bits[equal] = column.bits[left[equal]]
        other = np.flatnonzero(both & ~equal)
        if len(other):
            likeness = _similarity(
                JaroWinkler.similarity, column, left[other], right[other]
            )
            alike = other[likeness >= 0.88]
            level[alike] = 2
            bits[alike] = np.minimum(
                column.bits[left[alike]], column.bits[right[alike]]
            )
        return level, bits

    return compare


SAME_LEVELS = ("missing", "equal", "differs")


def compare_flags(slot: str):
    """Closed lists (country, kind of partner, legal form): equal or not."""

    def compare(table: Table, i, j):
        left, right, both = _both(table[slot], i, j)
        level = np.where(both, np.where(left == right, 1, 2), MISSING).astype(np.int8)
        return level, np.zeros(len(i), dtype=np.float32)

    return compare


KIND_LEVELS = ("missing", "persons", "companies", "differs")


def compare_kinds(table: Table, i, j):
    """Two persons, two companies (which have branches), or one of each."""
    column = table["is_company"]
    left, right, both = _both(column, i, j)
    level = np.where(both, 3, MISSING).astype(np.int8)
    same = both & (left == right)
    level[same] = np.where(left[same] == column.number("1"), 2, 1)
    return level, np.zeros(len(i), dtype=np.float32)


RELATION_LEVELS = ("missing", "contact_of", "siblings", "other_company")


def compare_relations(table: Table, i, j):
    """A contact and its company are a known case; contacts of one company share it as
    they share an address: the fewer it has, the more it says."""
    parent, ids = table["parent"], table["id"]
    left, right, both = _both(parent, i, j)
    siblings = both & (left == right)
    level = np.where(both, 3, MISSING).astype(np.int8)
    level[siblings] = 2
    if parent.values:
        number = {value: position for position, value in enumerate(ids.values)}
        as_id = np.array([number.get(v, -2) for v in parent.values] + [-3])
        level[(as_id[left] == ids.ids[j]) | (as_id[right] == ids.ids[i])] = 1
    return level, np.where(siblings, parent.bits[left], 0).astype(np.float32)


# -- what follows from the other comparisons -------------------------------------------

#: Other people or other firms behind the same door: shared contact data proves less
#: there.
HOUSEHOLD = Comparison("household", "household", ("missing", "two", "three"), None, ())


def compare_households(names: tuple[str, ...], levels: np.ndarray) -> np.ndarray:
    """Levels of :data:`HOUSEHOLD`: how many of e-mail, phone, address
    and company agree although the names contradict each other.

    :param names: names of the comparisons, in the order of the columns of ``levels``
    """
    column = {name: levels[:, position] for position, name in enumerate(names)}
    shared = {"email": (1, 2), "phone": (1, 2), "address": (1, 2), "relation": (2,)}
    agreeing = sum(
        (np.isin(column[name], shared[name]) for name in shared if name in column),
        start=np.zeros(len(levels), dtype=np.int8),
    )
    agreeing = np.minimum(agreeing, 3)
    conflict = column["name"] >= OTHER_PERSON if "name" in column else False
    return np.where(conflict & (agreeing >= 2), agreeing - 1, MISSING).astype(np.int8)


# -- the comparisons of a rule ---------------------------------------------------------


def comparisons(layout) -> tuple[Comparison, ...]:
    """Comparisons that a rule's columns ask for, in the order of the evidence."""
    fields = layout.fields
    found = [
        Comparison(name, kind, levels, function, slots)
        for role, name, kind, levels, function, slots in (
            (Role.NAME, "name", "name", NAME_LEVELS, compare_names, ("name",)),
            (Role.NAME, "legal_form", "legal",
            SAME_LEVELS, compare_flags("legal"), ("legal",)),
            (Role.IS_COMPANY, "is_company", "is_company", KIND_LEVELS,
             compare_kinds, ("is_company",)),
            (Role.PARENT, "relation", "relation",
            RELATION_LEVELS, compare_relations, ("parent",)),
            (Role.EMAIL, "email", "email", EMAIL_LEVELS, compare_emails, ("email",)),
            (Role.PHONE, "phone", "phone", PHONE_LEVELS, compare_phones, ("phone",)),
            (Role.VAT, "vat", "vat", IDENTITY_LEVELS, compare_identity("vat",
            6), ("vat",)),
        )
        if role in fields
    ]  # fmt: skip
    if fields.keys() & {Role.STREET, Role.ZIP, Role.CITY}:
        slots = ("street", "number", "zip", "city")
        found.append(
            Comparison("address", "address", ADDRESS_LEVELS, compare_addresses, slots)
        )
    if Role.COUNTRY in fields:
        compare = compare_flags("country")
        found.append(
            Comparison("country", "country", SAME_LEVELS, compare, ("country",))
        )
    for field, role in layout.extras:
        if role in (Role.CODE, Role.DATE):
            compare, kind, levels = (
                compare_identity(field, 6),
                role.value,
                IDENTITY_LEVELS,
            )
        else:
            compare, kind, levels = compare_texts(field), "text", TEXT_LEVELS
        found.append(Comparison(field, kind, levels, compare, (field,)))
    return tuple(found)
