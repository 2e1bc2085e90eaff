"""What a transport gets: one delivery, ready to be sent."""

from dataclasses import dataclass, field

from .envelope import Message


@dataclass(frozen=True)
class Parcel:
    """One attempt to be made.

    ``number`` counts all attempts from 1, ``tries`` those of the present run of the
    retry schedule. ``manual`` attempts were asked for by a person: their failure
    schedules nothing. ``key`` orders: of one key only one parcel is under way. ``body``
    is the text exactly as it travels, ``headers`` those of its format.
    """

    delivery_id: int
    subscription_id: int
    key: int
    number: int
    tries: int
    manual: bool
    message: Message
    body: str
    headers: dict[str, str] = field(default_factory=dict)
