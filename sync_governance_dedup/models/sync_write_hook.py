# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

#: Slot of ``cr.precommit.data`` with ``{model name: set of record ids}`` that changed.
PENDING = "sync_governance_dedup.pending"


class SyncWriteHook(models.AbstractModel):
    """Follows the records that a duplicate rule covers.

    Changes are collected and settled once, right before the commit (or before somebody
    asks for candidates): matching keys are refreshed in the same transaction,
    and one job checks all changed records after it. An import of 10,000 rows
    is not 10,000 jobs.
    """

    _inherit = "sync.write.hook"

    @api.model
    def _sync_hooked_models(self):
        hooked = super()._sync_hooked_models()
        for model_name in self.env["sync.duplicate.rule"]._watched():
            hooked[model_name] = hooked.get(model_name, set()) | {
                "create",
                "write",
                "unlink",
            }
        return hooked

    @api.model
    def _after_create(self, records, vals_list):
        super()._after_create(records, vals_list)
        self._dedup_collect(records)

    @api.model
    def _after_write(self, records, vals):
        super()._after_write(records, vals)
        _rule_ids, names = self._dedup_watched(records._name)
        if vals.keys() & (names | {"active", "company_id"}):
            self._dedup_collect(records)

    @api.model
    def _after_unlink(self, model, ids):
        super()._after_unlink(model, ids)
        if self._dedup_watched(model._name)[0]:
            self.env["sync.duplicate.engine"].sudo()._drop_keys(model._name, ids)
            self.env["sync.duplicate.group"].sudo()._forget_records(model._name, ids)

    @api.model
    def _dedup_watched(self, model_name):
        return (
            self.env["sync.duplicate.rule"]
            ._watched()
            .get(model_name, ((), frozenset()))
        )

    @api.model
    def _dedup_collect(self, records):
        """Remember to look at these records before the transaction ends."""
        if not self._dedup_watched(records._name)[0]:
            return
        precommit = self.env.cr.precommit
        pending = precommit.data.get(PENDING)
        if pending is None:
            pending = precommit.data[PENDING] = {}
            precommit.add(self._dedup_settle)
        pending.setdefault(records._name, set()).update(records.ids)

    @api.model
    def _dedup_settle(self):
        """Refresh the keys of what changed and queue the check of it."""
        pending = self.env.cr.precommit.data.pop(PENDING, {})
        for model_name, ids in pending.items():
            record_ids = self.env[model_name].sudo().browse(sorted(ids)).exists().ids
            rules = self.env["sync.duplicate.rule"]._for_model(model_name)
            for rule in rules:
                # sudo: whoever changes a record need not know the rules that watch it
                self.env["sync.duplicate.engine"].sudo()._refresh_keys(rule, record_ids)
                self.env["sync.duplicate.verdict"].sudo()._forget_changed(
                    rule, record_ids
                )
            rules._enqueue_check(record_ids)
