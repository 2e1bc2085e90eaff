from . import test_concurrency
from . import test_decide
from . import test_door
from . import test_merge
from . import test_product
from . import test_rights
from . import test_suggest
from . import test_undo
