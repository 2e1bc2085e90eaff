from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_reference_fields(self, src_partners, dst_partner):
        """Save what points at the merged partners before core forgets or deletes it.

        Core moves only the references it knows. Nothing is left to do
        for a caller that has already moved the external ids itself.
        """
        self.env["sync.crosswalk"]._repoint(
            "res.partner",
            src_partners.ids,
            dst_partner.id,
            self.env._("Contacts merged"),
        )
        for model_name in ("sync.conflict", "sync.change.request"):
            # the merge is theirs who may merge; following the record is not a decision
            followers = self.env[model_name].sudo()
            followers.search(
                [("res_model", "=", "res.partner"), ("res_id", "in", src_partners.ids)]
            ).write({"res_id": dst_partner.id})
        return super()._update_reference_fields(src_partners, dst_partner)
