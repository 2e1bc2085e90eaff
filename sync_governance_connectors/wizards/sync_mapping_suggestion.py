# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.fields import Command


class SyncMappingSuggestion(models.TransientModel):
    """Rules that a mapping could have, each accepted by itself."""

    _name = "sync.mapping.suggestion"
    _description = "Suggested Rules"

    mapping_id = fields.Many2one("sync.mapping", readonly=True, ondelete="cascade")
    line_ids = fields.One2many(
        "sync.mapping.suggestion.line", "suggestion_id", readonly=True
    )

    @api.model
    def _show(self, mapping, suggestions):
        """:param suggestions: ``[tools.suggest.Suggestion]``, in their order"""
        lines = [
            Command.create(
                {
                    "target": one.target,
                    "expression": one.expression,
                    "transform": one.transform or False,
                    "score": one.score,
                    "evidence": self._told(one.evidence),
                }
            )
            for one in suggestions
        ]
        return self.create({"mapping_id": mapping.id, "line_ids": lines})._open()

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Suggested Rules"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _told(self, evidence):
        texts = {
            "name": self.env._("named alike: %s"),
            "form": self.env._("values fit: %s"),
            "overlap": self.env._("values known: %s"),
            "history": self.env._("used by other mappings: %s"),
        }
        return " · ".join(texts[code] % figure for code, figure in evidence)
