"""Circuit breaker as a pure state machine: count window, half-open single probe.

A count window, not a time window: at ERP traffic of a few events a minute a time window
never gathers enough calls to trip.
"""

from dataclasses import dataclass, replace
from enum import Enum


class Status(str, Enum):
    """ISOLATED is opened by hand and only closed by hand."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    ISOLATED = "isolated"


class Transition(str, Enum):
    """What a person would want to hear of."""

    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True)
class Config:
    """``ratio`` of failures among at least ``min_calls`` of the last ``window``,
    or ``consecutive`` failures in a row, open it for ``open_s`` seconds, doubled at
    each failed probe up to ``max_open_s``."""

    window: int = 20
    min_calls: int = 10
    ratio: float = 0.5
    consecutive: int = 5
    open_s: float = 60.0
    max_open_s: float = 900.0


@dataclass(frozen=True)
class State:
    """``window`` is the last results, oldest first: ``1`` success, ``0`` failure.

    ``open_until`` and ``first_failure`` are unix seconds;
    ``trips`` counts openings of the present outage."""

    status: Status = Status.CLOSED
    window: str = ""
    open_until: float = 0.0
    trips: int = 0
    first_failure: float | None = None


def permits(state: State, now: float) -> int | None:
    """How many requests may be in flight: None = no limit, 1 = a probe, 0 = none."""
    if state.status is Status.CLOSED:
        return None
    if state.status is Status.HALF_OPEN:
        return 1
    if state.status is Status.OPEN and now >= state.open_until:
        return 1
    return 0


def record(
    state: State, success: bool, now: float, config: Config
) -> tuple[State, Transition | None]:
    """The state after one result, and the transition to tell people about, if any.

    Results of requests that were under way when the circuit opened change nothing.
    """
    if state.status is Status.ISOLATED:
        return state, None
    if state.status is Status.OPEN and now < state.open_until:
        return state, None
    first_failure = None if success else state.first_failure or now
    if state.status in (Status.OPEN, Status.HALF_OPEN):
        if success:
            return State(), Transition.CLOSED
        # The same outage goes on: longer pause, no second alarm.
        return _opened(replace(state, first_failure=first_failure), now, config), None
    window = (state.window + "01"[success])[-config.window :]
    state = replace(state, window=window, first_failure=first_failure)
    if success or not _is_tripped(window, config):
        return state, None
    return _opened(state, now, config), Transition.OPENED


def isolate(state: State) -> State:
    """Opened by hand: nothing is sent until :func:`reset`."""
    return replace(state, status=Status.ISOLATED)


def reset() -> State:
    """Closed by hand, with a clean window."""
    return State()


def _is_tripped(window: str, config: Config) -> bool:
    if len(window) - len(window.rstrip("0")) >= config.consecutive:
        return True
    failures = window.count("0")
    return len(window) >= config.min_calls and failures >= config.ratio * len(window)


def _opened(state: State, now: float, config: Config) -> State:
    # The exponent is clamped: 2 ** trips of a week-long outage would overflow a float.
    pause = min(config.open_s * 2 ** min(state.trips, 16), config.max_open_s)
    return replace(
        state,
        status=Status.OPEN,
        window="",
        open_until=now + pause,
        trips=state.trips + 1,
    )
