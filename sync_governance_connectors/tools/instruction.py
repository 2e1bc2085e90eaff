# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""What a partner's message asks for, in our own words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import pointer
from .problem import FieldError

PUT = "put"
# Nothing is asked for.
IGNORE = "ignore"


@dataclass(frozen=True)
class Instruction:
    """One operation on one resource.

    :ivar resource: as in the API's address (``shipments``)
    :ivar operation: ``put`` (create, or patch what is there) or a transition's name
    :ivar external_id: the partner's id of the record
    :ivar body: canonical
    """

    resource: str
    operation: str
    external_id: str
    body: Mapping[str, Any]


def awaited(body: Mapping[str, Any], errors: Iterable[FieldError]) -> str:
    """The partner's id of a record that a body names and that is not there yet.

    :return: empty when anything else is wrong with the body, which time does not mend
    """
    errors = tuple(errors)
    named = [
        pointer.find(body, error.pointer)
        for error in errors
        if error.code == "unknown_reference"
    ]
    ids = [one.get("external_id") for one in named if isinstance(one, Mapping)]
    return ids[0] if ids and len(ids) == len(errors) and ids[0] else ""
