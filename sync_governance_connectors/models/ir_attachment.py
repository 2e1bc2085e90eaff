# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import io

from odoo import models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _sync_stream(self):
        """The content as a stream, from the filestore piece by piece.

        :return: a binary file object, to be closed
        """
        self.ensure_one()
        if self.store_fname:
            return open(self._full_path(self.store_fname), "rb")
        return io.BytesIO(self.raw or b"")
