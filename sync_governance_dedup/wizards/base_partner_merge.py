# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..merge import MergeRun


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Core's wizard, made safe: whoever calls it gets a journal, an undo,
    living external ids, and no deleted rows. Other modules' overrides run
    as they always did."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        if MergeRun.current(self.env):
            return super()._merge(partner_ids, dst_partner, extra_checks)
        partners = self.env["res.partner"].browse(partner_ids).exists()
        if len(partners) < 2:
            return None
        if not dst_partner or dst_partner not in partners:
            dst_partner = self._get_ordered_partner(partners.ids)[-1]
        self.env["sync.merge.service"]._merge(
            partners,
            dst_partner,
            reason=self.env._("Merged from the contacts' merge wizard"),
        )
        return None

    @api.model
    def _merge_bank_accounts(self, src_partners, dst_partner):
        run = MergeRun.current(self.env)
        if run:
            accounts = (
                (src_partners | dst_partner)
                .sudo()
                .with_context(active_test=False)
                .bank_ids
            )
            run.recorder.watch(accounts._table, accounts.ids)
        return super()._merge_bank_accounts(src_partners, dst_partner)

    def _get_fk_on(self, table):
        # what points at the records has been moved: core need not ask each table again
        return [] if MergeRun.current(self.env) else super()._get_fk_on(table)

    @api.model
    def _update_foreign_keys_generic(self, model, src_records, dst_record):
        # At the end of the chain, so that overrides of `_update_foreign_keys` (website,
        # loyalty) have merged their own rows; what is left is moved row by row,
        # and core finds nothing that it could delete.
        run = MergeRun.current(self.env)
        if run:
            self.env.flush_all()
            run.mover.move_foreign_keys(
                src_records._table, src_records.ids, dst_record.id
            )
            self.env.invalidate_all()
        return super()._update_foreign_keys_generic(model, src_records, dst_record)

    @api.model
    def _update_reference_fields_generic(
        self, referenced_model, src_records, dst_record, additional_update_records=None
    ):
        run = MergeRun.current(self.env)
        if run:
            self.env.flush_all()
            run.mover.move_pairs(referenced_model, src_records.ids, dst_record.id)
            self.env.invalidate_all()
        return super()._update_reference_fields_generic(
            referenced_model, src_records, dst_record, additional_update_records
        )

    @api.model
    def _update_reference_fields(self, src_partners, dst_partner):
        if MergeRun.current(self.env):
            self.env["sync.merge.service"]._repoint_crosswalk(src_partners, dst_partner)
        return super()._update_reference_fields(src_partners, dst_partner)
