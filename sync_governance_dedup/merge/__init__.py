from .catalog import Catalog
from .later import Case, LaterRows
from .mover import ReferenceMover, RowRule
from .recorder import RowRecorder
from .restorer import Difference, RowRestorer
from .run import CONTEXT_KEY, MergeRun
