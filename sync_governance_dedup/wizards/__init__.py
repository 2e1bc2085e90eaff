from . import base_import
from . import base_partner_merge
from . import sync_merge_band
from . import sync_merge_band_line
from . import sync_merge_undo
from . import sync_merge_undo_addition
from . import sync_merge_undo_change
from . import sync_merge_undo_party
