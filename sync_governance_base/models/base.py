from odoo import api, models


class Base(models.AbstractModel):
    """Shows on the screen who owns a field."""

    _inherit = "base"

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Tell in each governed field's help which system owns it."""
        result = super().fields_get(allfields, attributes)
        if attributes is None or "help" in attributes:
            policy = self.env["sync.policy"]
            for name, explanation in policy._explanations(self._name).items():
                if name in result:
                    help_text = result[name].get("help")
                    result[name]["help"] = (
                        f"{help_text}\n\n{explanation}" if help_text else explanation
                    )
        return result

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        """Views differ between companies once a policy does."""
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if self.env["sync.policy"]._differs_by_company():
            key += (self.env.company.id,)
        return key
