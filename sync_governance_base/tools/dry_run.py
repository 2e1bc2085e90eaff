"""The dry run: what a policy would have done to writes that are on record.

Pure: rules and writes in, figures out.  A write on record tells which field of which
record a source has *changed*, and when; what it was changed to does not matter.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .policy import (
    CREATION,
    DELETION,
    FieldRule,
    Outcome,
    PolicyRules,
    decide,
    decide_record,
)
from .source import Source

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Write:
    """One or more changes of a field by a source.

    :param field: field name, or that of a creation or deletion
    :param count: how many changes it stands for
    :param record: id of the record; None where only counts are on record
    :param at: when; None where only counts are on record
    """

    field: str
    source: Source
    count: int = 1
    record: int | None = None
    at: datetime | None = None


def replay(
    rules: PolicyRules, writes: Iterable[Write]
) -> Counter[tuple[str, Source, Outcome]]:
    """How many changes of each field by each source would have had which outcome.

    A lower rank's turn depends on the writes before: those of better owners count from
    the first one on record.

    :param writes: in any order; those of ungoverned fields are left out
    """
    figures: Counter[tuple[str, Source, Outcome]] = Counter()
    latest: dict[tuple[str, int], dict[str, datetime]] = {}
    for write in sorted(writes, key=_moment):
        outcome = _outcome(rules, write, latest)
        if outcome is not None:
            figures[write.field, write.source, outcome] += write.count
    return figures


def _moment(write: Write) -> tuple[bool, datetime]:
    return write.at is not None, write.at or datetime.min


def _outcome(
    rules: PolicyRules,
    write: Write,
    latest: dict[tuple[str, int], dict[str, datetime]],
) -> Outcome | None:
    if write.field == CREATION:
        return decide_record(rules, write.source) if rules.create_refused else None
    if write.field == DELETION:
        free = rules.on_delete == "propagate"
        return None if free else decide_record(rules, write.source)
    rule = rules.fields.get(write.field)
    if rule is None:
        return None
    if write.record is None or write.at is None:
        return decide(rules, rule, write.source)
    return _in_turn(rules, rule, write, latest)


def _in_turn(
    rules: PolicyRules,
    rule: FieldRule,
    write: Write,
    latest: dict[tuple[str, int], dict[str, datetime]],
) -> Outcome:
    """The outcome of a write, given who wrote the same field of the record before."""
    stamps = latest.setdefault((write.field, write.record), {})
    ages = {
        code: (write.at - stamp).total_seconds() / HOUR_S
        for code, stamp in stamps.items()
    }
    outcome = decide(rules, rule, write.source, ages)
    if outcome not in (Outcome.PROPOSED, Outcome.BLOCKED):
        stamps[write.source.owner_code] = write.at
    return outcome
