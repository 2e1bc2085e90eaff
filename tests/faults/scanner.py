"""A duplicate scan in small slices that may be killed at one of them.

    python scanner.py CONFIG DATABASE SLICE

The process kills itself, as the kernel would, after it has written the slice of that
number and before it commits; 0 lets it live. It goes on with the scan that was left
running, or begins one.
"""

import itertools
import os
import signal
import sys
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

SIZES = {"KEYS_SLICE": 40, "PART": 60, "GROUP_SLICE": 10}


def main():
    config_path, database, fatal = sys.argv[1:]
    config.parse_config(["--config", config_path, "--log-level", "error"])
    registry = Registry(database)
    from odoo.addons.sync_governance_dedup.models import sync_duplicate_scan

    number = itertools.count(1)
    Scan = registry["sync.duplicate.scan"]
    write_slice = Scan._write_slice

    def mortal(self, write):
        going = write_slice(self, write)
        self.env.flush_all()
        if next(number) == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)
        return going

    with (
        patch.multiple(sync_duplicate_scan, **SIZES),
        patch.object(Scan, "_write_slice", mortal),
        registry.cursor() as cr,
    ):
        env = api.Environment(cr, SUPERUSER_ID, {})
        Model = env["sync.duplicate.scan"]
        scan = Model.search([("state", "=", "running")], limit=1)
        rule = env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
        scan = scan or Model.create({"rule_id": rule.id, "state": "running"})
        cr.commit()
        while scan.state == "running":
            scan._advance()
            cr.commit()


if __name__ == "__main__":
    main()
