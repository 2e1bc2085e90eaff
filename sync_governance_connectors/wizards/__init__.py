from . import sync_credential_issue
from . import sync_credential_key
from . import sync_request_rehearsal
