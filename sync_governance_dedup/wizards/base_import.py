# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..models.base import CONTEXT_KEY, ImportWatch

#: Name of the import's option with the choices: ``{line: {"action", "id",
#: "probability"}}``; ``action`` is ``skip``, ``update`` or ``create``.
CHOICES = "duplicate_choices"


class BaseImportImport(models.TransientModel):
    """A test of an import tells which lines are probably there already, and the import
    does with them what was chosen then."""

    _inherit = "base_import.import"

    def execute_import(self, fields, columns, options, dryrun=False):
        if self.env["sync.duplicate.rule"]._door(self.res_model).mode == "off":
            return super().execute_import(fields, columns, options, dryrun=dryrun)
        watch = ImportWatch(
            self.res_model,
            int(options.get("skip") or 0),
            options.pop(CHOICES, None) or {},
            ask=dryrun,
        )
        limit = options.get("limit")
        result = super(
            BaseImportImport, self.with_context(**{CONTEXT_KEY: watch})
        ).execute_import(fields, columns, options, dryrun=dryrun)
        if dryrun:
            result["duplicates"] = watch.matches
        elif not any(one.get("type") == "error" for one in result["messages"]):
            self._note_choices(watch)
        if limit and watch.last + 1 >= int(limit):
            # skipped lines were read too: go on after the last of them
            result["nextrow"] = watch.first + watch.last + 1
        return result

    @api.model
    def _note_choices(self, watch):
        Prevention = self.env["sync.duplicate.prevention"]
        for choice in watch.noted:
            outcome = "created" if choice["action"] == "create" else "used"
            Prevention.note_choice(
                watch.model_name,
                int(choice["id"]),
                choice["probability"],
                outcome,
                self.env._("Import of %s", self.file_name or self.env._("a file")),
            )
