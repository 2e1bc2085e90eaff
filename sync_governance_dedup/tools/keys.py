# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Blocking keys: two records are compared only if they share one.

Many cheap kinds beat one clever kind: each catches what the others miss, and a key that
too many records share (:data:`CAP`) is simply not followed. Keys are 32-bit hashes;
a chance collision costs one comparison and nothing else.
"""

from itertools import combinations
from zlib import crc32

from . import vocabulary
from .normalise import national
from .profile import FIXED_SLOTS

#: Records that may share a key before it is skipped.
CAP = 40

_SLOT = {slot: position for position, slot in enumerate(FIXED_SLOTS)}
_EXTRAS = len(FIXED_SLOTS)


def hashed(kind: str, *parts: str) -> int:
    """Signed 32-bit hash of a key; it must never change, it is stored."""
    value = crc32("\x1f".join((kind, *parts)).encode("utf-8", "surrogatepass"))
    return value - (1 << 32) if value & 0x80000000 else value


def skeleton(word: str) -> str:
    """First letter and the consonants behind it, doubled ones once:
    typing errors in vowels and doubled letters vanish."""
    kept = word[:1]
    for letter in word[1:]:
        if letter not in "aeiouyh" and letter != kept[-1]:
            kept += letter
    return kept


def keys(profile: tuple[str, ...]) -> list[int]:
    """Sorted, distinct keys of a profile."""
    found = set()
    found.update(_identity_keys(profile))
    found.update(_name_keys(profile))
    found.update(_place_keys(profile))
    for position, value in enumerate(profile[_EXTRAS:]):
        if value:
            found.add(hashed(f"x{position}", value))
    return sorted(found)


def _identity_keys(profile):
    email, phone, vat = (profile[_SLOT[slot]] for slot in ("email", "phone", "vat"))
    if vat:
        yield hashed("vat", vat)
    if email:
        yield hashed("email", email)
        local = email.split("@", 1)[0]
        if len(local) >= 5 and local not in vocabulary.SHARED_MAILBOXES:
            yield hashed("local", local)
    if phone:
        yield hashed("phone", national(phone)[-8:])


def _name_keys(profile):
    words = profile[_SLOT["name"]].split()
    if not words:
        return
    ordered = sorted(set(words))
    yield hashed(
        "name", "".join(sorted("".join(words)))
    )  # order and blanks do not count
    yield hashed("sound", *sorted(skeleton(word) for word in ordered))
    for word in ordered[:8]:
        if len(word) > 2:
            yield hashed("word", word)
    longest = sorted(ordered, key=lambda word: (-len(word), word))[:4]
    for pair in combinations(sorted(longest), 2):
        yield hashed("words", *pair)
    city = profile[_SLOT["city"]][:5]
    if city:
        for word in {words[0], words[-1]}:
            yield hashed("city", city, skeleton(word)[:4])
    vat = profile[_SLOT["vat"]]
    if vat:
        yield hashed("vatname", vat[:4], words[0][:2])


def _place_keys(profile):
    words = profile[_SLOT["name"]].split()
    street, number, postcode = (
        profile[_SLOT[slot]] for slot in ("street", "number", "zip")
    )
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
