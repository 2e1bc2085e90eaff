from .catalog import Catalog
from .mover import ReferenceMover, RowRule
from .recorder import RowRecorder
from .restorer import RowRestorer
from .run import CONTEXT_KEY, MergeRun
