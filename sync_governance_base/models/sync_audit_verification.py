import time

from odoo import api, fields, models


class SyncAuditVerification(models.Model):
    """Result of one "Verify chain", and the head it found: the next verification must
    meet that head again.
    """

    _name = "sync.audit.verification"
    _description = "Audit Verification"
    _order = "id desc"
    _rec_name = "verified_at"

    verified_at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    user_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [("valid", "Whole"), ("broken", "Broken")], required=True, readonly=True
    )
    checked = fields.Integer(string="Entries Checked", readonly=True)
    unsealed = fields.Integer(
        string="Not Yet Sealed",
        readonly=True,
        help="Entries that were committed while the chain was being verified.",
    )
    head_index = fields.Integer(string="Last Position", readonly=True)
    head_link = fields.Char(
        string="Head",
        readonly=True,
        help="Note it down outside this database, and you can prove later that nothing "
        "before it was changed.",
    )
    break_kind = fields.Selection(
        [
            ("content", "The entry's content was changed"),
            ("link", "The entry does not continue the one before it"),
            ("gap", "An entry is missing"),
            ("anchor", "The chain no longer holds a head verified earlier"),
        ],
        readonly=True,
    )
    break_index = fields.Integer(string="Broken At", readonly=True)
    break_audit_id = fields.Integer(string="Broken Entry", readonly=True)
    expected = fields.Char(readonly=True)
    found = fields.Char(readonly=True)
    duration_ms = fields.Integer(string="Duration (ms)", readonly=True)

    @api.model
    def _run(self):
        """Seal what is waiting, verify the whole chain and keep the result."""
        started = time.monotonic()
        audit = self.env["sync.audit"].sudo()
        audit._seal()
        # a transaction of its own, because this one's
        # snapshot is older than the links just made
        with self.env.registry.cursor() as cr:
            report, unsealed = audit.with_env(audit.env(cr=cr))._verify()
        broken = report.first_break
        # sudo: results are evidence as well, nobody writes them through RPC
        return self.sudo().create(
            {
                "user_id": self.env.uid,
                "state": "valid" if report.valid else "broken",
                "checked": report.checked,
                "unsealed": unsealed,
                "head_index": report.head.index,
                "head_link": report.head.link,
                "break_kind": broken and broken.kind.value,
                "break_index": broken and broken.index,
                "break_audit_id": broken and broken.row_id,
                "expected": broken and broken.expected,
                "found": broken and broken.found,
                "duration_ms": (time.monotonic() - started) * 1000,
            }
        )

    @api.model
    def _anchors(self):
        """Heads of the past, each of which the chain
        must still hold: ``{chain_index: chain_link}``.
        """
        rows = self.sudo()._read_group(
            [("head_index", ">", 0)], ["head_index", "head_link"]
        )
        return dict(rows)

    def _action_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Audit Verification"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }
