"""Query parameters of a list."""

from collections.abc import Iterable, Mapping
from typing import Any

from .headers import utc_time
from .problem import FieldError, Problem

PARAMETERS = frozenset({"limit", "cursor", "updated_since"})
MAX_PAGE = 500


def parse(query: Mapping[str, str], extra: Iterable[str]) -> dict[str, Any]:
    """The checked query; ``updated_since`` becomes a naive UTC time.

    :param extra: names that the resource knows beyond the common ones
    :raise Problem: 400 with each bad parameter
    """
    known = PARAMETERS.union(extra)
    faults = [
        FieldError(name, "There is no such parameter.", "unknown_parameter")
        for name in sorted(query.keys() - known)
    ]
    faults += [
        FieldError(name, "Has unprintable characters.", "wrong_format")
        for name, value in query.items()
        if not value.isprintable()
    ]
    parsed = dict(query)
    if not _is_limit(query.get("limit", "1")):
        faults.append(FieldError("limit", f"Must be 1 to {MAX_PAGE}.", "out_of_range"))
    if "updated_since" in query:
        try:
            parsed["updated_since"] = utc_time(query["updated_since"])
        except ValueError:
            faults.append(
                FieldError("updated_since", "Is not a valid date-time.", "wrong_format")
            )
    if faults:
        raise Problem(
            400, "parameter_invalid", "A query parameter is wrong.", errors=faults
        )
    return parsed


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE
