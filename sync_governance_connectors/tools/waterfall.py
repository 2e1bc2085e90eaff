"""The steps of a call as bars below each other, as a browser draws a page's loading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """One step: its milliseconds, and where its bar begins and how long it is (%)."""

    step: str
    ms: float
    start: float
    width: float


def bars(trace: Iterable[Mapping[str, Any]]) -> list[Bar]:
    """Bars of ``[{"step", "ms"}]``, which ran one after the other."""
    steps = [(str(one["step"]), float(one["ms"])) for one in trace]
    total = sum(ms for _step, ms in steps) or 1.0
    found, passed = [], 0.0
    for step, ms in steps:
        found.append(
            Bar(step, ms, round(100 * passed / total, 2), round(100 * ms / total, 2))
        )
        passed += ms
    return found
