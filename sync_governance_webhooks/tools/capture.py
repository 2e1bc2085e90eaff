"""How the changes of one transaction become
events: coalescing, before and after, source.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class EventSpec:
    """What of an event type capture needs to know,
    free of the ORM so that it can be cached.

    ``operation`` is create, write, archive, unlink or explicit; ``watched`` are names
    of stored columns; ``before`` and ``after`` are domains as text, empty for "any".
    """

    id: int
    name: str
    model: str
    operation: str
    watched: tuple[str, ...] = ()
    before: str = ""
    after: str = ""

    @property
    def on_flush(self) -> bool:
        """Whether the event is seen when columns are updated."""
        return self.operation in ("write", "archive")


@dataclass
class Change:
    """One record and event type in the present transaction, as far as it is known.

    ``before`` is None for a record born in this transaction. ``payload`` is set where
    it must be read at once (deletion) or was given by the caller. ``systems`` are the
    ids of the systems that wrote, None standing for people and Odoo itself.
    ``event_id`` is the row already written for it earlier in the transaction.
    """

    spec: EventSpec
    res_id: int
    before: Values | None = None
    payload: Any = None
    after: Values | None = None
    systems: set[int | None] = field(default_factory=set)
    request_ref: str | None = None
    company_id: int | None = None
    event_id: int | None = None

    @property
    def source_system_id(self) -> int | None:
        """The system to which this change must not be echoed.

        If a person or a second system had a hand in it, none knows the result yet.
        """
        return next(iter(self.systems)) if len(self.systems) == 1 else None


def net_changes(before: Values | None, after: Values, watched: Iterable[str]) -> Values:
    """``{field: [before, after]}`` of the watched fields that differ in the end.

    A field changed to and fro within the transaction is not a change.
    """
    if before is None:
        return {name: [None, after[name]] for name in watched}
    return {
        name: [before[name], after[name]]
        for name in watched
        if before[name] != after[name]
    }


def happened(change: Change, changes: Values, matches_after: bool) -> bool:
    """Whether the transaction as a whole is an occurrence of the event.

    For a record born in it, create events always are; a write event is one
    only if it names the state to reach ("became sale"): plain field changes are
    part of the creation.
    """
    if not matches_after:
        return False
    if change.spec.operation == "create":
        return True
    if change.before is None:
        return change.spec.operation == "write" and bool(change.spec.after)
    return bool(changes)
