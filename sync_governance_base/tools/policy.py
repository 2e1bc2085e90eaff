"""The ownership decision: may this source write this field?

Pure: rules and source in, verdict out.  The Odoo side loads the rules once per model
and company, and keeps them in a cache.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NamedTuple

from .source import Source
from .timing import Timing

# in place of a field's name, where a record as a whole is decided about
CREATION = "(create)"
DELETION = "(delete)"


class Enforcement(str, Enum):
    """What happens when somebody else than the owner changes a field."""

    OBSERVE = "observe"
    WARN = "warn"
    PROPOSE = "propose"
    BLOCK = "block"


class Outcome(str, Enum):
    """What became of a write to one field."""

    ALLOWED = "allowed"
    OBSERVED = "observed"
    WARNED = "warned"
    PROPOSED = "proposed"
    BLOCKED = "blocked"

    @property
    def severity(self) -> int:
        """How much it gets in the writer's way; greater is more."""
        return list(Outcome).index(self)


_OUTCOMES = {
    Enforcement.OBSERVE: Outcome.OBSERVED,
    Enforcement.WARN: Outcome.WARNED,
    Enforcement.PROPOSE: Outcome.PROPOSED,
    Enforcement.BLOCK: Outcome.BLOCKED,
}


class Decision(NamedTuple):
    """What the policy in force says about one field and one source."""

    outcome: Outcome
    owner_codes: tuple[str, ...]
    policy_id: int | None
    field: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """One rank of a field's owners, best first.

    :param freshness_hours: age in hours above which this owner's last
        value gives way to a lower rank; 0 means that it never does
    """

    system_code: str
    system_id: int
    freshness_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Who owns one field, and what happens to the others."""

    field: str
    owners: tuple[Owner, ...]
    enforcement: Enforcement
    resolver: str = "rank"
    empty_wins: bool = False

    @property
    def owner_codes(self) -> tuple[str, ...]:
        return tuple(owner.system_code for owner in self.owners)

    def needs_ages(self, source: Source) -> bool:
        """Whether the verdict depends on how old the better owners' values are."""
        return source.owner_code in self.owner_codes[1:]


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A policy in force for a model and a company, as the decision needs it."""

    policy_id: int
    name: str
    version: int
    enforcement: Enforcement
    su_observes: bool = True
    create_refused: bool = False
    on_delete: str = "propagate"
    effective_from: date | None = None
    effective_to: date | None = None
    timing: Timing = Timing()
    fields: Mapping[str, FieldRule] = field(default_factory=dict)

    def in_force(self, today: date) -> bool:
        """Whether the policy applies on the given day, both ends included."""
        return (self.effective_from is None or self.effective_from <= today) and (
            self.effective_to is None or today <= self.effective_to
        )

    @property
    def owner_codes(self) -> frozenset[str]:
        """The systems that own at least one field at rank one."""
        return frozenset(
            rule.owner_codes[0] for rule in self.fields.values() if rule.owners
        )


def may_write(
    rule: FieldRule, source: Source, ages: Mapping[str, float] | None = None
) -> bool:
    """Whether the source is an owner whose turn it is.

    Rank one always may.  A lower rank may while every better owner has a freshness and
    no value younger than it.

    :param ages: hours since each owner system last wrote the field; missing: never
    """
    ages = ages or {}
    for owner in rule.owners:
        if owner.system_code == source.owner_code:
            return True
        fresh = ages.get(owner.system_code, float("inf")) <= owner.freshness_hours
        if not owner.freshness_hours or fresh:
            return False
    return False


def decide(
    rules: PolicyRules,
    rule: FieldRule,
    source: Source,
    ages: Mapping[str, float] | None = None,
) -> Outcome:
    """The outcome of a change of one field by the source."""
    if not rule.owners or source.overrules or may_write(rule, source, ages):
        return Outcome.ALLOWED
    return sanction(rules, rule.enforcement, source)


def sanction(rules: PolicyRules, enforcement: Enforcement, source: Source) -> Outcome:
    """What a violation leads to; superusers' are only counted unless they are bound."""
    if source.superuser and rules.su_observes:
        return Outcome.OBSERVED
    return _OUTCOMES[enforcement]


def decide_record(rules: PolicyRules, source: Source) -> Outcome:
    """The outcome of creating or deleting a record, which any rank-one owner may do."""
    if source.overrules or source.owner_code in rules.owner_codes:
        return Outcome.ALLOWED
    outcome = sanction(rules, rules.enforcement, source)
    # there is no half-created record to propose: such a change waits for its owner
    return Outcome.BLOCKED if outcome is Outcome.PROPOSED else outcome
