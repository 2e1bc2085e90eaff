from . import sync_correction_ask
from . import sync_correction_request
from . import sync_record_status
from . import sync_secret_reveal
