"""Names of events: ``noun.past_participle``, lower
case, segments joined by dots (``order.confirmed``).

An event says what has happened. A name in the imperative (``order.confirm``)
or the present (``order.confirming``) reads like a command, and a consumer that takes
it for one acts twice.
"""

import re

MAX_LENGTH = 100
_SHAPE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+")

#: participles that do not end in "-ed"
IRREGULAR = frozenset(
    "begun bought broken brought built caught chosen cut done drawn driven fallen "
    "found frozen given gone grown held hidden "
    "hit kept known laid left lent lost made met paid put read rebuilt repaid resent "
    "reset rewritten run seen sent set shown "
    "shut sold spent split stolen swept taken thrown told understood undone unpaid "
    "withdrawn won written".split()
)
#: facts that established vocabularies name by a noun: EDI's delivery exception, the
#: probe of a webhook endpoint
FACTS = frozenset({"exception", "ping"})


def problem(name: str) -> str | None:
    """Why ``name`` is no event name, as the end of the sentence "the name ..."; None
    for a good one.
    """
    if len(name) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if not _SHAPE.fullmatch(name):
        return "must be lower case words joined by dots, such as order.confirmed"
    verb = name.rpartition(".")[2].rpartition("_")[2]
    if verb in FACTS or verb in IRREGULAR or _is_regular(verb):
        return None
    return f"must end in what has happened (as confirmed does), not in {verb!r}"


def _is_regular(verb: str) -> bool:
    # "need", "feed", "seed", "proceed" end in "-ed" and are no participles; "agreed"
    # and "freed" are
    return (
        len(verb) > 3
        and verb.endswith("ed")
        and (not verb.endswith("eed") or verb in {"agreed", "freed", "guaranteed"})
    )
