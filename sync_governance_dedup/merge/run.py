# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from dataclasses import dataclass, field

from .mover import ReferenceMover
from .recorder import RowRecorder

#: Context key under which a running merge travels. It is believed only if its value is
#: a
#: :class:`MergeRun`, which no RPC caller can send.
CONTEXT_KEY = "sync_merge_run"


@dataclass
class MergeRun:
    """One merge while it runs."""

    ref: str
    reason: str
    mover: ReferenceMover
    recorder: RowRecorder
    crosswalk_moves: list = field(default_factory=list)

    @classmethod
    def current(cls, env):
        """:return: the merge that the environment is part of, or ``None``"""
        run = env.context.get(CONTEXT_KEY)
        return run if isinstance(run, cls) else None
