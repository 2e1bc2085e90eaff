from . import base_import
from . import base_partner_merge
from . import sync_merge_band
from . import sync_merge_band_line
from . import sync_merge_undo
