"""Who may write a field, best first: the first of a ranking is the owner.

Pure: a ranking is a tuple of system ids, each named once.
"""

Ranking = tuple[int, ...]


def toggle_owner(ranking: Ranking, system: int) -> Ranking:
    """Make a system the owner, or no longer if it is.

    A new owner takes the place of the one before, which leaves; where an owner leaves,
    the next in rank moves up.
    """
    if ranking[:1] == (system,):
        return ranking[1:]
    return (system, *(one for one in ranking[1:] if one != system))


def toggle_next(ranking: Ranking, system: int) -> Ranking:
    """Rank a system behind the others, or no longer if it is ranked.

    The owner changes places with the next in rank; one that is alone stays.
    """
    if ranking[:1] == (system,):
        return (*ranking[1:2], system, *ranking[2:])
    if system in ranking:
        return tuple(one for one in ranking if one != system)
    return (*ranking, system)
