# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Profiles of many records as columns of integers:
what numpy can compare by the million."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count

import numpy as np

from . import normalise, vocabulary
from .profile import Layout

#: A base of a hundred records says little of how common a surname is in the world: a
#: value
#: that only the compared pair holds is taken to be one in (base + WORLD).
WORLD = 2000
#: ... and a value that a few more records of a tiny base hold is not common for that.
CAUTION = 50


def rarity(counts: np.ndarray, size: int) -> np.ndarray:
    """Bits that sharing each value is worth,
    one more entry of no bits for the empty value.

    :param counts: records of the base that hold the value, the compared pair included
    """
    frequency = np.maximum(counts - 2, 0) / (size + CAUTION) + 1 / (size + WORLD)
    return np.append(-np.log2(np.minimum(frequency, 1.0)), 0.0).astype(np.float32)


@dataclass
class ValueColumn:
    """One slot: ``ids[row]`` is the number of the row's value, -1 where it is empty."""

    ids: np.ndarray
    values: list[str]
    counts: np.ndarray  # how many records of the base hold the value
    bits: np.ndarray = field(init=False)  # rarity of each value

    def number(self, value: str) -> int:
        """Number of a value, -2 if no row has it."""
        return self.values.index(value) if value in self.values else -2

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([*map(len, self.values), 0], dtype=np.int32)

    @cached_property
    def digits(self) -> np.ndarray:
        """The digits of each value, as numbers of a list of their own."""
        digits = _value_column(
            "".join(filter(str.isdigit, value)) for value in self.values
        )
        return np.append(digits.ids, np.int32(-1))

    @cached_property
    def objects(self) -> np.ndarray:
        """Values as an object array, with ``""``
        at the end: index -1 is the empty value."""
        return np.array([*self.values, ""], dtype=object)

    @cached_property
    def joined(self) -> np.ndarray:
        """As :attr:`objects`, without the blanks between words."""
        return np.array([v.replace(" ", "") for v in (*self.values, "")], dtype=object)


@dataclass
class WordColumn:
    """Distinct words of a slot by row, in
    compressed rows: ``words[start[r]:start[r + 1]]``."""

    start: np.ndarray
    words: np.ndarray
    values: list[str]
    counts: np.ndarray
    bits: np.ndarray = field(init=False)

    @cached_property
    def objects(self) -> np.ndarray:
        return np.array(self.values, dtype=object)

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([*map(len, self.values), 0], dtype=np.int32)

    @cached_property
    def has_digit(self) -> np.ndarray:
        return np.array([any(map(str.isdigit, v)) for v in self.values], dtype=bool)

    @cached_property
    def starts(self) -> np.ndarray:
        """First letter of each word, as its code point."""
        return np.array([ord(value[0]) for value in self.values], dtype=np.int32)

    @cached_property
    def nicknames(self) -> np.ndarray:
        """Sorted ``smaller * len(values) + larger`` of the words
        that are short for one another."""
        number = {value: place for place, value in enumerate(self.values)}
        pairs = (
            sorted((number[one], number[other]))
            for one, other in vocabulary.NICKNAMES
            if one in number and other in number
        )
        return np.unique([low * len(number) + high for low, high in pairs])


class Table:
    """Columns of the profiles that are compared with one another.

    :ivar size: number of records of the *base*, from which rarity is judged.
        A table of a few candidates out of a million is judged by the
        million, see :meth:`use_frequencies`.
    """

    def __init__(
        self,
        layout: Layout,
        chunks: Iterable[Sequence[tuple[int, tuple[str, ...]]]],
    ):
        """
        :param chunks: lists of (record id, profile); a large base is never held whole
        """
        self.layout = layout
        ids = [np.zeros(0, dtype=np.int64)]
        slots = [Encoder() for _slot in layout.slots]
        words, name = WordEncoder(), layout.slots.index("name")
        for chunk in filter(None, chunks):
            some, profiles = zip(*chunk, strict=True)
            ids.append(np.array(some, dtype=np.int64))
            columns = list(zip(*profiles, strict=True))
            for encoder, column in zip(slots, columns, strict=True):
                encoder.extend(column)
            words.extend(columns[name])
        self.record_ids = np.concatenate(ids)
        self.rows = self.size = len(self.record_ids)
        self.columns = {
            slot: encoder.column()
            for slot, encoder in zip(layout.slots, slots, strict=True)
        }
        self.columns |= self._derived()
        self.name_words = words.column()
        self._weigh()

    def _weigh(self) -> None:
        for _kind, column in self.counted():
            column.bits = rarity(column.counts, self.size)

    def _derived(self) -> dict[str, ValueColumn]:
        """Columns that follow from the stored slots."""
        email, street, number = (self[slot] for slot in ("email", "street", "number"))
        locals_, domains = _split_emails(email.values)
        subscriber = [normalise.national(value)[-8:] for value in self["phone"].values]
        return {
            "id": self._parent_ids(),
            "local": _mapped_column(email, locals_),
            "domain": _mapped_column(email, domains),
            "subscriber": _mapped_column(self["phone"], subscriber),
            "house": _joined_column(street, number),
        }

    def _parent_ids(self) -> ValueColumn:
        """The ids of records that are the parent of another one, empty of all others:
        numbered as in ``parent``, which they are compared with."""
        parent = self["parent"]
        number = {value: place for place, value in enumerate(parent.values)}
        ids = np.fromiter(
            (number.get(str(record), -1) for record in self.record_ids.tolist()),
            dtype=np.int32,
        )
        counts = np.bincount(ids[ids >= 0], minlength=len(number))
        return ValueColumn(ids, parent.values, counts)

    def __getitem__(self, slot: str) -> ValueColumn:
        return self.columns[slot]

    def use_frequencies(self, size: int, frequency) -> None:
        """Judge rarity by a larger base.

        :param size: records in the base
        :param frequency: callable (kind, values) -> counts, where kind is a slot, or
            ``name*`` for the single words of names
        """
        self.size = max(size, self.rows)
        for kind, column in self.counted():
            known = np.asarray(frequency(kind, column.values), dtype=np.int64)
            column.counts = np.maximum(column.counts, known)
        self._weigh()

    def counted(self) -> Iterable[tuple[str, ValueColumn | WordColumn]]:
        """(kind, column) of everything whose frequency counts."""
        yield from self.columns.items()
        yield "name*", self.name_words


def _numbers() -> defaultdict[str, int]:
    """Numbers values in the order in which they come; the empty one is -1."""
    numbers = defaultdict(count().__next__)
    numbers[""] = -1
    return numbers


def _values(numbers: defaultdict[str, int]) -> list[str]:
    """The numbered values; the numbers are given up, they take more room."""
    values = list(numbers)[1:]
    numbers.clear()
    return values


class Encoder:
    """Numbers the values of a slot."""

    def __init__(self):
        self.numbers = _numbers()
        self.chunks = [np.zeros(0, dtype=np.int32)]

    def extend(self, values: Iterable[str]) -> None:
        numbers = map(self.numbers.__getitem__, values)
        self.chunks.append(np.fromiter(numbers, dtype=np.int32))

    def column(self) -> ValueColumn:
        ids, self.chunks = np.concatenate(self.chunks), []
        values = _values(self.numbers)
        counts = np.bincount(ids[ids >= 0], minlength=len(values))
        return ValueColumn(ids, values, counts)


class WordEncoder:
    """Numbers the words of names; a word counts once a name."""

    def __init__(self):
        self.numbers = _numbers()
        self.words = [np.zeros(0, dtype=np.int32)]
        self.lengths = [np.zeros(1, dtype=np.int32)]

    def extend(self, names: Sequence[str]) -> None:
        split = [dict.fromkeys(name.split()) for name in names]
        numbers = map(self.numbers.__getitem__, chain.from_iterable(split))
        self.words.append(np.fromiter(numbers, dtype=np.int32))
        self.lengths.append(np.fromiter(map(len, split), dtype=np.int32))

    def column(self) -> WordColumn:
        words = np.concatenate(self.words)
        start = np.cumsum(np.concatenate(self.lengths), dtype=np.int64)
        values = _values(self.numbers)
        counts = np.bincount(words, minlength=len(values))
        return WordColumn(start, words, values, counts)


def _value_column(values: Iterable[str]) -> ValueColumn:
    encoder = Encoder()
    encoder.extend(values)
    return encoder.column()


def _mapped_column(source: ValueColumn, mapped: Sequence[str]) -> ValueColumn:
    """Column of ``mapped[id]`` for each value of another one."""
    short = _value_column(mapped)
    ids = np.append(short.ids, np.int32(-1))[source.ids]
    counts = np.bincount(ids[ids >= 0], minlength=len(short.values))
    return ValueColumn(ids, short.values, counts)


def _joined_column(left: ValueColumn, right: ValueColumn) -> ValueColumn:
    """Column of pairs of values; empty where either one is."""
    wide = len(right.values) + 1
    codes = left.ids.astype(np.int64) * wide + right.ids
    both = (left.ids >= 0) & (right.ids >= 0)
    distinct, inverse = np.unique(codes[both], return_inverse=True)
    ids = np.full(len(codes), -1, dtype=np.int32)
    ids[both] = inverse
    values = [
        f"{left.values[code // wide]} {right.values[code % wide]}"
        for code in distinct.tolist()
    ]
    return ValueColumn(ids, values, np.bincount(inverse, minlength=len(distinct)))


def _split_emails(emails: Sequence[str]) -> tuple[list[str], list[str]]:
    """(mailboxes of persons, domains); mailboxes of a function identify nobody."""
    locals_, domains = [], []
    for email in emails:
        local, domain = email.rsplit("@", 1)
        shared = local in vocabulary.SHARED_MAILBOXES or len(local) < 4
        locals_.append("" if shared else local)
        domains.append(domain)
    return locals_, domains


def expand(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of compressed rows, laid end to end.

    :return: (owner: index into ``rows`` of each element, position of the element)
    """
    lengths = start[rows + 1] - start[rows]
    owner = np.repeat(np.arange(len(rows)), lengths)
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(
        ends - lengths, lengths
    )
    return owner, start[rows][owner] + within
