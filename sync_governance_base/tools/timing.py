"""When an exchange is due: by a policy's timing, from the moment its cause arises."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon a policy wants exchanges to happen, and in which direction.

    ``kind`` is realtime, micro_batch, scheduled or on_demand; ``direction`` is in, out,
    both or none.
    """

    kind: str = "realtime"
    direction: str = "both"
    interval_s: int = 0
    calendar_id: int | None = None

    def binds(self, direction: str) -> bool:
        """Whether anything that goes in or out has to wait for its time."""
        return self.kind != "realtime" and self.direction in (direction, "both")


def batch_end(now: datetime, interval_s: int) -> datetime:
    """The end of the batch that ``now`` (naive UTC) falls into.

    Batches are counted from the epoch: all nodes agree on them without asking, and a
    record that keeps changing cannot push its own batch ahead.
    """
    seconds = now.replace(tzinfo=timezone.utc).timestamp()
    return now + timedelta(seconds=interval_s - seconds % interval_s)


def opening(
    now: datetime, hours: Iterable[tuple[datetime, datetime]]
) -> datetime | None:
    """The first moment from ``now`` on that lies within ``hours``.

    :param hours: pairs of start and end, in order
    :return: None if they are all over
    """
    return next((max(now, start) for start, end in hours if now < end), None)
