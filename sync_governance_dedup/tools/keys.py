# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Blocking keys: two records are compared only if they share one.

Many cheap kinds beat one clever kind: each catches what the others miss, and a key that
too many records share (:data:`CAP`) is simply not followed. A key that says little (one
word of a name) counts alone only if few records share it (:data:`LONE`), else it takes
two of them. Keys are 32-bit hashes whose lowest bit tells those that identify (odd);
a chance collision costs one comparison and nothing else.
"""

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
    start, identifies = _start(kind)
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    value = crc32(text, start) & ~1 | identifies
    return value - (1 << 32) if value & 0x80000000 else value


@lru_cache
def _start(kind: str) -> tuple[int, bool]:
    """(hash of what stands before the parts of a key, whether the kind identifies)"""
    return crc32(f"{kind}\x1f".encode()), kind in IDENTIFYING


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
    slot = dict(zip(FIXED_SLOTS, profile, strict=False))
    words = slot["name"].split()
    found = set()
    found.update(_identity_keys(slot))
    if words:
        found.update(_name_keys(slot, words))
    found.update(_place_keys(slot, words))
    for (field, role), value in zip(layout.extras, profile[_EXTRAS:], strict=True):
        if value:
            found.add(hashed(role.value, field, value))
    return sorted(found)


def _identity_keys(slot):
    email, phone, vat = slot["email"], slot["phone"], slot["vat"]
    if vat:
        yield hashed("vat", vat)
    if email:
        yield hashed("email", email)
        local = email.split("@", 1)[0]
        if len(local) >= 5 and local not in vocabulary.SHARED_MAILBOXES:
            yield hashed("local", local)
    if phone:
        yield hashed("phone", national(phone)[-8:])


def _name_keys(slot, words):
    ordered = sorted(set(words))
    # order and blanks do not count
    yield hashed("name", "".join(sorted("".join(words))))
    yield hashed("sound", *sorted(map(skeleton, ordered)))
    for word in ordered[:8]:
        if len(word) > 2:
            yield hashed("word", word)
    longest = sorted(ordered, key=lambda word: (-len(word), word))[:4]
    for pair in combinations(sorted(longest), 2):
        yield hashed("words", *pair)
    city, vat = slot["city"][:5], slot["vat"]
    if city:
        for word in {words[0], words[-1]}:
            yield hashed("city", city, skeleton(word)[:4])
    if vat:
        yield hashed("vatname", vat[:4], words[0][:2])


def _place_keys(slot, words):
    street, number, postcode = slot["street"], slot["number"], slot["zip"]
    main = max(street.split(), key=len, default="")
    if postcode:
        for word in {words[0], words[-1]} if words else ():
            yield hashed("zipname", postcode, word[:3])
        if main:
            yield hashed("zipstreet", postcode, main[:5], number)
    if main:
        yield hashed("street", skeleton(main), number)
        if words:
            yield hashed("streetname", main[:4], words[0][:2])
            yield hashed("streetlast", main[:4], words[-1][:2])
