# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Blocking keys: two records are compared only if they share one.

Many cheap kinds beat one clever kind: each catches what the others miss, and a key that
too many records share (:data:`CAP`) is simply not followed. A key that says little (one
word of a name) counts alone only if few records share it (:data:`LONE`), else it takes
two of them. Keys are 32-bit hashes whose lowest bit tells those that identify (odd);
a chance collision costs one comparison and nothing else.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from zlib import crc32

from . import vocabulary
from .normalise import national
from .profile import FIXED_SLOTS, Layout
from .types import Role

#: Records that may share a key before it is skipped.
CAP = 40
#: Records that may share a key that does not identify, and is the only one they share.
LONE = 8
#: Kinds of keys that identify: sharing one is enough for a comparison.
IDENTIFYING = frozenset(("vat", "email", "local", "phone", "name", Role.CODE.value))

_EXTRAS = len(FIXED_SLOTS)


def hashed(kind: str, *parts: str) -> int:
    """Signed 32-bit hash of a key; it must never change, it is stored."""
    return _hasher(kind)("\x1f".join(parts))


@lru_cache
def _hasher(kind: str) -> Callable[[str], int]:
    """:func:`hashed` of a kind, of parts that are joined."""
    start, identifies = crc32(f"{kind}\x1f".encode()), kind in IDENTIFYING

    def hash_(text):
        value = crc32(text.encode("utf-8", "surrogatepass"), start) & ~1 | identifies
        return (value ^ 0x80000000) - 0x80000000

    return hash_


(
    _vat, _email, _local, _phone, _name, _sound, _word, _words, _city, _vatname,
    _zipname, _zipstreet, _street, _streetname, _streetlast,
) = map(
    _hasher,
    (
        "vat", "email", "local", "phone", "name", "sound", "word", "words", "city",
        "vatname", "zipname", "zipstreet", "street", "streetname", "streetlast",
    ),
)  # fmt: skip


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """First letter and the consonants behind it, doubled ones once:
    typing errors in vowels and doubled letters vanish."""
    kept = word[:1]
    for letter in word[1:]:
        if letter not in "aeiouyh" and letter != kept[-1]:
            kept += letter
    return kept


def keys(layout: Layout, profile: tuple[str, ...]) -> list[int]:
    """Sorted, distinct keys of a profile."""
    (
        name, _legal, _is_company, _parent, email, phone, vat,
        street, number, postcode, city, _state, _country,
    ) = profile[:_EXTRAS]  # fmt: skip
    words = name.split()
    found = _identity_keys(email, phone, vat)
    if words:
        found += _name_keys(words, city[:5], vat)
    found += _place_keys(words, street, number, postcode)
    found += [
        hashed(role.value, field, value)
        for (field, role), value in zip(layout.extras, profile[_EXTRAS:], strict=True)
        if value
    ]
    return sorted(set(found))


def _identity_keys(email, phone, vat):
    found = []
    if vat:
        found.append(_vat(vat))
    if email:
        found.append(_email(email))
        local = email.split("@", 1)[0]
        if len(local) >= 5 and local not in vocabulary.SHARED_MAILBOXES:
            found.append(_local(local))
    if phone:
        found.append(_phone(national(phone)[-8:]))
    return found


def _name_keys(words, city, vat):
    ordered = sorted(set(words))
    # order and blanks do not count
    found = [
        _name("".join(sorted("".join(words)))),
        _sound("\x1f".join(sorted(map(skeleton, ordered)))),
    ]
    found += [_word(word) for word in ordered[:8] if len(word) > 2]
    longest = sorted(ordered, key=len, reverse=True)[:4]
    found += map(_words, map("\x1f".join, combinations(sorted(longest), 2)))
    if city:
        for word in {words[0], words[-1]}:
            found.append(_city(f"{city}\x1f{skeleton(word)[:4]}"))
    if vat:
        found.append(_vatname(f"{vat[:4]}\x1f{words[0][:2]}"))
    return found


def _place_keys(words, street, number, postcode):
    found = []
    main = max(street.split(), key=len, default="")
    if postcode:
        for word in {words[0], words[-1]} if words else ():
            found.append(_zipname(f"{postcode}\x1f{word[:3]}"))
        if main:
            found.append(_zipstreet(f"{postcode}\x1f{main[:5]}\x1f{number}"))
    if main:
        found.append(_street(f"{skeleton(main)}\x1f{number}"))
        if words:
            found.append(_streetname(f"{main[:4]}\x1f{words[0][:2]}"))
            found.append(_streetlast(f"{main[:4]}\x1f{words[-1][:2]}"))
    return found
