from . import test_authentication
from . import test_capture
from . import test_dispatch
from . import test_replay
from . import test_security
from . import test_retention
from . import test_store
