"""Compatibility of two versions of a JSON Schema: what changed, and whom it breaks.

Every difference either *narrows* the set of documents a schema accepts, *widens* it,
does both (*alters*), or touches none (*annotates*). Who is broken by it follows from
who writes the documents:

* ``PRODUCER``: we write, others read. Documents of the new version must be readable
  with the old one (forward compatibility, in Confluent's words). What *widens* breaks:
  readers may meet what they have never agreed to read.
* ``CONSUMER``: others write, we read. Documents of the old version must be accepted
  by the new one (backward compatibility). What *narrows* breaks: we refuse what
  they have always sent.

Two cases do not follow from sets alone and are decided after oasdiff's catalogue:
a property that is no longer written breaks its readers even where it was optional,
and a new optional property breaks nobody, because readers ignore what they do not know
(unless the old schema was closed by ``additionalProperties: false``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .hash_chain import canonical

Schema = Mapping[str, Any] | bool


class Direction(str, Enum):
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Severity(str, Enum):
    """In rising order of harm: :meth:`rank` sorts, :attr:`bump` is the least part of a
    semantic version to raise.
    """

    INFO = "info"
    NON_BREAKING = "non_breaking"
    BREAKING = "breaking"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    @property
    def bump(self) -> str:
        return ("patch", "minor", "major")[self.rank]


class Effect(Enum):
    NARROWS = "narrows"
    WIDENS = "widens"
    ALTERS = "alters"
    ANNOTATES = "annotates"
    ADDS = "adds"  # a new optional property of an open object
    REMOVES = "removes"  # a property that is not described any more


_SEVERITY = {
    (Effect.NARROWS, Direction.PRODUCER): Severity.NON_BREAKING,
    (Effect.NARROWS, Direction.CONSUMER): Severity.BREAKING,
    (Effect.WIDENS, Direction.PRODUCER): Severity.BREAKING,
    (Effect.WIDENS, Direction.CONSUMER): Severity.NON_BREAKING,
    (Effect.ALTERS, Direction.PRODUCER): Severity.BREAKING,
    (Effect.ALTERS, Direction.CONSUMER): Severity.BREAKING,
    (Effect.ANNOTATES, Direction.PRODUCER): Severity.INFO,
    (Effect.ANNOTATES, Direction.CONSUMER): Severity.INFO,
    (Effect.ADDS, Direction.PRODUCER): Severity.NON_BREAKING,
    (Effect.ADDS, Direction.CONSUMER): Severity.NON_BREAKING,
    (Effect.REMOVES, Direction.PRODUCER): Severity.BREAKING,
    (Effect.REMOVES, Direction.CONSUMER): Severity.NON_BREAKING,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``path`` names the place in a document: ``lines[].uom``; empty
    for the document itself.
    """

    path: str
    kind: str
    effect: Effect
    severity: Severity
    before: Any = None
    after: Any = None


class SchemaError(ValueError):
    """A schema that cannot be compared: not an object, or a reference that leads
    nowhere or outside.
    """


def diff(old: Schema, new: Schema, direction: Direction) -> list[Change]:
    """Every difference between two schemas, the most harmful first, then by path.

    :raises SchemaError: a schema is malformed or refers to another document
    """
    found = {
        (path, kind, canonical(before), canonical(after)): Change(
            path, kind, effect, _SEVERITY[effect, direction], before, after
        )
        for path, kind, effect, before, after in _Comparison(old, new).run()
    }
    return sorted(
        found.values(),
        key=lambda change: (-change.severity.rank, change.path, change.kind),
    )


def worst(changes: Sequence[Change]) -> Severity:
    """The severity of a whole version; INFO where nothing changed."""
    return max(
        (change.severity for change in changes),
        key=lambda severity: severity.rank,
        default=Severity.INFO,
    )


def paths(schema: Schema) -> set[str]:
    """Every place a document of this schema can
    hold a value, as :attr:`Change.path` spells it.

    :raises SchemaError: a reference leads nowhere or outside
    """
    return set(_walk(schema, schema, "", frozenset()))


def touches(changed: str, used: str) -> bool:
    """Whether a reader of the path ``used`` notices a change at ``changed``: the same
    place, one around or inside it.
    """
    return (
        not changed
        or not used
        or changed == used
        or _inside(changed, used)
        or _inside(used, changed)
    )


def _inside(path: str, container: str) -> bool:
    return path.startswith(container) and path[len(container) : len(container) + 1] in (
        ".",
        "[",
    )


# -- comparison ------------------------------------------------------------------------

_Found = tuple[str, str, Effect, Any, Any]

_ANNOTATIONS = frozenset(
    "$schema $id $comment $anchor title description examples example default "
    "deprecated readOnly writeOnly contentEncoding contentMediaType "
    "externalDocs".split()
)
#: keyword -> +1 where a larger value accepts less, -1 where it accepts more
_BOUNDS = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), 1),
    **dict.fromkeys(("minProperties", "minContains"), 1),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), -1),
    **dict.fromkeys(("maxProperties", "maxContains"), -1),
}
#: keywords that narrow by appearing, widen by disappearing, and do both by changing
_CONSTRAINTS = tuple(
    "pattern format multipleOf not contains propertyNames if then else "
    "patternProperties dependentRequired dependentSchemas unevaluatedProperties "
    "prefixItems discriminator".split()
)
_ALL_TYPES = frozenset("null boolean object array string number integer".split())
_HANDLED = frozenset(
    "type enum const required properties additionalProperties items uniqueItems "
    "nullable anyOf oneOf allOf $ref $defs definitions".split()
).union(_BOUNDS, _CONSTRAINTS)


class _Comparison:
    """One walk over two schemas side by side;
    references are followed, each pair of places once.
    """

    def __init__(self, old: Schema, new: Schema):
        self._old_root, self._new_root = old, new
        self._seen: set[tuple[str, str]] = set()

    def run(self) -> Iterator[_Found]:
        yield from self._schemas("", self._old_root, self._new_root)

    def _schemas(self, path: str, old: Schema, new: Schema) -> Iterator[_Found]:
        pair = (_identity(old), _identity(new))
        if "#" in pair[0] + pair[1]:
            # only a reference can lead in a circle; a pair of them compared once has
            # nothing new to tell
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolve(old, self._old_root), _resolve(new, self._new_root)
        if old == new and not _refers(old) and not _refers(new):
            return
        for rule in (_types, _values, _bounds, _constraints, _unique, _annotations):
            yield from rule(path, old, new)
        yield from self._properties(path, old, new)
        yield from self._items(path, old, new)
        for keyword in ("anyOf", "oneOf", "allOf"):
            yield from self._branches(path, keyword, old, new)

    def _properties(self, path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = (
            set(old.get("required", ())),
            set(new.get("required", ())),
        )
        for name in sorted(before.keys() - after.keys()):
            closed = new.get("additionalProperties") is False
            yield (
                _join(path, name),
                "property_removed",
                Effect.ALTERS if closed else Effect.REMOVES,
                before[name],
                None,
            )
        for name in sorted(after.keys() - before.keys()):
            closed = old.get("additionalProperties") is False
            yield (
                _join(path, name),
                "property_added",
                Effect.WIDENS if closed else Effect.ADDS,
                None,
                after[name],
            )
        for name in sorted(required_after - required_before):
            yield _join(path, name), "required_added", Effect.NARROWS, False, True
        for name in sorted((required_before - required_after) & after.keys()):
            yield _join(path, name), "required_removed", Effect.WIDENS, True, False
        for name in sorted(before.keys() & after.keys()):
            yield from self._schemas(_join(path, name), before[name], after[name])
        yield from self._additional(
            path,
            old.get("additionalProperties", True),
            new.get("additionalProperties", True),
        )

    def _additional(self, path: str, old: Schema, new: Schema) -> Iterator[_Found]:
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self._schemas(_join(path, "*"), old, new)
        elif old != new:
            yield path, "additional_properties", _openness(old, new), old, new

    def _items(self, path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
        before, after = old.get("items", True), new.get("items", True)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._schemas(f"{path}[]", before, after)
        elif before != after:
            yield f"{path}[]", "items", _openness(before, after), before, after

    def _branches(
        self, path: str, keyword: str, old: Mapping, new: Mapping
    ) -> Iterator[_Found]:
        before, after = list(old.get(keyword, ())), list(new.get(keyword, ()))
        for branch in [
            branch for branch in before if branch in after and not _refers(branch)
        ]:
            before.remove(branch)
            after.remove(branch)
        # what is left is compared in order;
        # branches beyond the shorter list came or went
        for ours, theirs in zip(before, after, strict=False):
            yield from self._schemas(path, ours, theirs)
        # a further branch of a union lets more through; the first union, and every part
        # of allOf, is a constraint
        constrains = keyword == "allOf" or keyword not in old or keyword not in new
        for branch in before[len(after) :]:
            yield (
                path,
                f"{keyword}_removed",
                Effect.WIDENS if constrains else Effect.NARROWS,
                branch,
                None,
            )
        for branch in after[len(before) :]:
            yield (
                path,
                f"{keyword}_added",
                Effect.NARROWS if constrains else Effect.WIDENS,
                None,
                branch,
            )


def _types(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    before, after = _type_set(old), _type_set(new)
    if before != after:
        effect = _set_effect(_closure(before), _closure(after))
        yield path, "type", effect, _spell_types(before), _spell_types(after)


def _values(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    before, after = _enum(old), _enum(new)
    if before == after:
        return
    if before is None or after is None:
        effect = Effect.NARROWS if before is None else Effect.WIDENS
        yield path, "enum", effect, _listed(before), _listed(after)
        return
    for value in before.keys() - after.keys():
        yield path, "enum_value_removed", Effect.NARROWS, before[value], None
    for value in after.keys() - before.keys():
        yield path, "enum_value_added", Effect.WIDENS, None, after[value]


def _bounds(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    for keyword, sign in _BOUNDS.items():
        before, after = old.get(keyword), new.get(keyword)
        if before == after:
            continue
        if not all(value is None or _is_number(value) for value in (before, after)):
            raise SchemaError(f"{keyword} must be a number")
        tighter = before is None or (after is not None and (after - before) * sign > 0)
        yield path, keyword, Effect.NARROWS if tighter else Effect.WIDENS, before, after


def _constraints(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    unknown = (old.keys() | new.keys()) - _HANDLED - _ANNOTATIONS
    # a keyword this module does not know may constrain:
    # better a false alarm than a silent break
    extensions = {keyword for keyword in unknown if keyword.startswith("x-")}
    for keyword in (*_CONSTRAINTS, *sorted(unknown - extensions)):
        before, after = old.get(keyword), new.get(keyword)
        if before == after:
            continue
        effect = (
            Effect.NARROWS
            if before is None
            else Effect.WIDENS
            if after is None
            else Effect.ALTERS
        )
        yield path, keyword, effect, before, after


def _unique(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    before, after = bool(old.get("uniqueItems")), bool(new.get("uniqueItems"))
    if before != after:
        yield (
            path,
            "uniqueItems",
            Effect.NARROWS if after else Effect.WIDENS,
            before,
            after,
        )


def _annotations(path: str, old: Mapping, new: Mapping) -> Iterator[_Found]:
    extensions = {
        keyword for keyword in old.keys() | new.keys() if keyword.startswith("x-")
    }
    for keyword in sorted(_ANNOTATIONS | extensions):
        if old.get(keyword) != new.get(keyword):
            yield path, keyword, Effect.ANNOTATES, old.get(keyword), new.get(keyword)


# -- small helpers ---------------------------------------------------------------------


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type_set(schema: Mapping) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        return _ALL_TYPES
    types = {declared} if isinstance(declared, str) else set(declared)
    return frozenset(types | {"null"} if schema.get("nullable") else types)


def _closure(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _spell_types(types: frozenset[str]) -> list[str] | None:
    return None if types == _ALL_TYPES else sorted(types)


def _set_effect(before: frozenset, after: frozenset) -> Effect:
    if before == after:
        return Effect.ANNOTATES
    if after < before:
        return Effect.NARROWS
    return Effect.WIDENS if before < after else Effect.ALTERS


def _enum(schema: Mapping) -> dict[str, Any] | None:
    if "const" in schema:
        return {canonical(schema["const"]): schema["const"]}
    if "enum" in schema:
        return {canonical(value): value for value in schema["enum"]}
    return None


def _listed(values: dict[str, Any] | None) -> list | None:
    return None if values is None else list(values.values())


def _openness(old: Schema, new: Schema) -> Effect:
    """Effect of replacing a sub-schema where one of both is ``true``, ``false`` or a
    schema: false < schema < true.
    """
    order = [
        1 if isinstance(schema, Mapping) else 2 if schema else 0
        for schema in (old, new)
    ]
    return Effect.WIDENS if order[0] < order[1] else Effect.NARROWS


def _identity(schema: Schema) -> str:
    return (
        schema["$ref"]
        if isinstance(schema, Mapping) and "$ref" in schema
        else str(id(schema))
    )


def _refers(value: Any) -> bool:
    """Whether a schema holds a reference anywhere: then equal text may still mean
    different things.
    """
    if isinstance(value, Mapping):
        return "$ref" in value or any(_refers(part) for part in value.values())
    return isinstance(value, list) and any(_refers(part) for part in value)


def _resolve(schema: Schema, root: Schema) -> Mapping:
    """The schema itself, its references followed; ``true`` is ``{}`` and ``false``
    accepts nothing.
    """
    followed = set()
    while isinstance(schema, Mapping) and "$ref" in schema:
        reference = schema["$ref"]
        if reference in followed:
            raise SchemaError(f"the reference {reference} leads back to itself")
        followed.add(reference)
        beside = {
            keyword: value for keyword, value in schema.items() if keyword != "$ref"
        }
        target = _lookup(reference, root)
        schema = {**target, **beside} if isinstance(target, Mapping) else target
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if not isinstance(schema, Mapping):
        raise SchemaError(
            f"a schema must be an object, true or false, not {type(schema).__name__}"
        )
    return schema


def _lookup(reference: Any, root: Schema) -> Schema:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise SchemaError(
            f"only references inside the schema can be compared, not {reference!r}"
        )
    target: Any = root
    for token in filter(None, reference[1:].split("/")):
        token = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, Mapping) or token not in target:
            raise SchemaError(f"the reference {reference} leads nowhere")
        target = target[token]
    return target


def _walk(schema: Schema, root: Schema, path: str, seen: frozenset) -> Iterator[str]:
    if path:
        yield path
    reference = schema.get("$ref") if isinstance(schema, Mapping) else None
    if reference in seen:
        return
    seen = seen | {reference} if reference else seen
    resolved = _resolve(schema, root)
    for name, part in resolved.get("properties", {}).items():
        yield from _walk(part, root, _join(path, name), seen)
    if isinstance(resolved.get("items"), Mapping):
        yield from _walk(resolved["items"], root, f"{path}[]", seen)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in resolved.get(keyword, ()):
            yield from _walk(branch, root, path, seen)
