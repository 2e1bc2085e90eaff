from odoo import models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _postprocess_tag_field(self, node, name_manager, node_info):
        """Make fields read-only that a policy keeps people from changing."""
        super()._postprocess_tag_field(node, name_manager, node_info)
        condition = self.env["sync.policy"]._readonly_condition(
            name_manager.model._name, node.get("name")
        )
        if not condition:
            return
        present = node.get("readonly")
        if present is None and name_manager.model._fields[node.get("name")].readonly:
            return
        if not present or present in ("0", "False"):
            node.set("readonly", condition)
        elif present not in ("1", "True"):
            node.set("readonly", f"({present}) or {condition}")
