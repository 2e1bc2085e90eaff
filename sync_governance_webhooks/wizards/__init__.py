from . import sync_correction_request
from . import sync_secret_reveal
