"""Semantic versions ``major.minor.patch``, without pre-release and build parts."""

import re
from typing import NamedTuple

_NUMBER = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")


class Version(NamedTuple):
    """Compares as semantic versions do."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def bumped(self, part: str) -> "Version":
        """The next version with ``part`` (``major``, ``minor``, ``patch``) raised and
        the parts after it at zero.
        """
        index = self._fields.index(part)
        return Version(*self[:index], self[index] + 1, *([0] * (2 - index)))


def parse(text: str) -> Version:
    """The version a text spells.

    :raises ValueError: the text is not of the form ``1.4.0``
    """
    match = _NUMBER.fullmatch(text or "")
    if not match:
        raise ValueError(f"{text!r} is not a version such as 1.4.0")
    return Version(*map(int, match.groups()))


def suffices(before: Version, after: Version, part: str) -> bool:
    """Whether going from ``before`` to ``after`` raises at least ``part``."""
    return after >= before.bumped(part)
