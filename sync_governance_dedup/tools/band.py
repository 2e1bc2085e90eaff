# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The safe band: which pairs need nobody to look at them.

A high probability is not enough: a household with a rare name and all its contact data
in common is as probable. What is left in the band has one name, agrees in two things
that identify, and contradicts itself nowhere.
"""

from collections.abc import Collection, Iterable

#: Comparisons, beside codes, that identify.
IDENTIFYING = frozenset(("email", "phone", "vat", "address"))
#: How many of them have to be equal.
LEAST_EQUAL = 2
#: Bits from which a line of evidence is a contradiction.
CONTRADICTION = -0.5


def is_beyond_doubt(
    lines: Iterable[tuple[str, str, float]], codes: Collection[str] = ()
) -> bool:
    """Whether a pair's evidence leaves nothing to decide.

    :param lines: (comparison, level, weight) of each line of the evidence
    :param codes: names of further comparisons that identify (fields of kind code)
    """
    equal = set()
    for name, level, weight in lines:
        if name == "prior":
            continue
        if weight <= CONTRADICTION:
            return False
        if level == "equal":
            equal.add(name)
    identifying = equal & (IDENTIFYING | set(codes))
    return "name" in equal and len(identifying) >= LEAST_EQUAL
