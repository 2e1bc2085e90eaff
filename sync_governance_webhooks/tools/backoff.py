"""When to try again: a schedule of delays, jitter, and the receiver's own wish."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

# Svix's schedule: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
DEFAULT_SCHEDULE = "0,5,300,1800,7200,18000,36000,36000"
JITTER = (0.8, 1.2)
# A receiver that timed out or asked for less traffic gets at least this pause.
THROTTLE_FLOOR_S = 60.0
RETRY_AFTER_CAP_S = 24 * 3600.0


class ScheduleError(ValueError):
    """The text is not a comma separated list of seconds."""


@dataclass(frozen=True)
class Schedule:
    """``delays[n]`` seconds pass before attempt
    n + 1; its length is the number of attempts.
    """

    delays: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read ``"0,5,300"``.

        :raises ScheduleError: on an empty list, a negative or an unreadable number
        """
        try:
            delays = tuple(float(part) for part in text.split(","))
        except ValueError as error:
            raise ScheduleError(
                "A schedule is a comma separated list of seconds"
            ) from error
        if any(not 0 <= delay < float("inf") for delay in delays):
            raise ScheduleError("A delay is zero or more seconds")
        return cls(delays)

    def next_delay(
        self,
        attempts: int,
        uniform: Callable[[float, float], float],
        throttled: bool = False,
        retry_after: float | None = None,
    ) -> float | None:
        """Seconds from now to the next attempt,
        or None when all ``attempts`` are used up.

        ``retry_after`` (seconds) is never undercut, up to a day: CloudEvents asks
        the sender to wait it out. ``throttled`` lifts the pause to a minute, or to the
        schedule's longest delay where the schedule as a whole is shorter than that.
        """
        if attempts >= len(self.delays):
            return None
        delay = self.delays[attempts]
        if throttled:
            delay = max(delay, min(THROTTLE_FLOOR_S, max(self.delays)))
        delay *= uniform(*JITTER)
        if retry_after is not None:
            delay = max(delay, min(retry_after, RETRY_AFTER_CAP_S))
        return delay


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from either form of RFC
    9110 ``Retry-After``; None when unreadable.

    ``now`` is timezone aware. A date in the past gives 0.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - now).total_seconds())
