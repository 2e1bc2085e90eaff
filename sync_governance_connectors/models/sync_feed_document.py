# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import hashlib

from odoo import api, fields, models

from ..tools import document
from ..tools.document import Layout

SPOOL = Layout("jsonl")
#: Bytes of a document that are taken; what is larger is refused and stays there.
MAX_DOCUMENT = 128 * 1024 * 1024


class SyncFeedDocument(models.Model):
    """One document of a run, kept as it came: what a run works on after the session.

    Rows of pages are spooled as JSON lines, some thousands a document.
    """

    _name = "sync.feed.document"
    _description = "Document of a Feed"
    _order = "run_id, id"

    run_id = fields.Many2one(
        "sync.feed.run", required=True, readonly=True, ondelete="cascade", index=True
    )
    feed_id = fields.Many2one(related="run_id.feed_id", store=True, index=True)
    company_id = fields.Many2one(related="run_id.company_id", store=True)
    name = fields.Char(required=True, readonly=True)
    # What partners sent, unmasked: for no screen.
    attachment_id = fields.Many2one(
        "ir.attachment", readonly=True, groups=fields.NO_ACCESS
    )
    checksum = fields.Char(readonly=True, help="SHA-256 of the content.")
    size = fields.Integer(string="Bytes", readonly=True)
    is_spool = fields.Boolean(readonly=True, help="Rows of pages, as JSON lines.")
    is_file = fields.Boolean(readonly=True, help="To be put away at the other side.")
    row_count = fields.Integer(string="Rows", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("done", "Done"),
            ("duplicate", "Came Before"),
            ("failed", "Cannot be read"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    error = fields.Char(readonly=True)

    @api.model
    def _keep(self, run, name, content, *, is_spool=False, is_file=False):
        """Keep a document; the very same one as of an earlier run is not read again."""
        checksum = hashlib.sha256(content).hexdigest()
        known = is_file and self.search_count(
            [
                ("feed_id", "=", run.feed_id.id),
                ("name", "=", name),
                ("checksum", "=", checksum),
                ("state", "=", "done"),
            ],
            limit=1,
        )
        kept = self.create(
            {
                "run_id": run.id,
                "name": name,
                "checksum": checksum,
                "size": len(content),
                "is_spool": is_spool,
                "is_file": is_file,
                "state": "duplicate" if known else "waiting",
            }
        )
        if not known:
            kept.attachment_id = self.env["ir.attachment"]._sync_keep(name, content)
        return kept

    def _stream(self):
        """The bytes; a large document never stands in memory as a whole."""
        return self.attachment_id._sync_stream()

    def _rows(self, stream):
        layout = SPOOL if self.is_spool else self.feed_id._layout()
        return document.read(stream, layout)

    def _forget_content(self):
        """What was applied need not be kept; what could not be read is."""
        self.filtered(lambda one: one.state != "failed").attachment_id.unlink()
