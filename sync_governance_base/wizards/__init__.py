from . import base_partner_merge
from . import sync_change_request_reject
from . import sync_domain_adopt
from . import sync_domain_adopt_line
from . import sync_issue_decide
from . import sync_record_status
from . import sync_record_status_line
