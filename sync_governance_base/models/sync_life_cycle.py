from odoo import models
from odoo.exceptions import AccessError


class SyncLifeCycle(models.AbstractModel):
    """Mixin for what moves on through its buttons, which check who presses them.

    A readonly field is readonly on the screen; over RPC ``write`` would take it.
    """

    _name = "sync.life.cycle"
    _description = "Moves on by its Buttons"

    #: fields that are written by code alone
    _by_buttons = frozenset()

    def write(self, vals):
        if not self.env.su and not self._by_buttons.isdisjoint(vals):
            raise AccessError(
                self.env._("This changes by the buttons alone, which check who may.")
            )
        return super().write(vals)

    def _move_on(self, vals):
        """Write such fields, for whoever may write the records."""
        self.check_access("write")
        # sudo: nobody writes these fields by himself
        return self.sudo().write(vals)
