"""What differs between two texts, for people."""

import difflib


def lines(before: str, after: str) -> str:
    """The changed lines, marked ``+`` and ``-``, with two around them."""
    found = difflib.unified_diff(
        before.splitlines(), after.splitlines(), lineterm="", n=2
    )
    # without the two lines that name files
    return "\n".join(list(found)[2:])
