from . import account_payment_register
from . import sync_credential_issue
from . import sync_credential_key
from . import sync_request_rehearsal
from . import sync_reconciliation_decide
from . import sync_reconciliation_start
from . import sync_record_status
