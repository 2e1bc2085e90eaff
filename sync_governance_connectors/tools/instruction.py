# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""What a partner's message asks for, in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PUT = "put"


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
