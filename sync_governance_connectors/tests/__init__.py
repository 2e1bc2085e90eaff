from . import test_credential
from . import test_gate
from . import test_gate_idempotency
