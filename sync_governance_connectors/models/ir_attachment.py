# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import io

from odoo import SUPERUSER_ID, api, models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _sync_keep(self, name, content):
        """Keep what a partner sent, for our jobs alone.

        Linked to no record and owned by no person, so that nobody may download it.
        """
        return self.with_user(SUPERUSER_ID).create(
            {"name": name, "raw": content, "mimetype": "application/octet-stream"}
        )

    def _sync_stream(self):
        """The content as a stream, from the filestore piece by piece.

        :return: a binary file object, to be closed
        """
        self.ensure_one()
        if self.store_fname:
            return open(self._full_path(self.store_fname), "rb")
        return io.BytesIO(self.raw or b"")
