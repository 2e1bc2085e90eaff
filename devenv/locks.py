"""File locks, because several runs may share one state folder."""

import fcntl
from contextlib import contextmanager

from .console import say


@contextmanager
def exclusive(settings, name):
    """Let one process at a time build ``name``; the others wait and find it built."""
    path = settings.state / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is busy with {name}; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
