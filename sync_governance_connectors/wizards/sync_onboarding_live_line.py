# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models

#: What trials leave as drafts, and how those are cancelled. What was confirmed has had
#: consequences: it is a person's to undo.
DRAFTS = {
    "sale.order": (("draft", "sent"), "action_cancel"),
    "account.move": (("draft",), "button_cancel"),
}
CANCELLED = ("cancel", "canceled")
MAX_NAMES = 50


class SyncOnboardingLiveLine(models.TransientModel):
    _name = "sync.onboarding.live.line"
    _description = "Trial Data of a Partner"

    wizard_id = fields.Many2one(
        "sync.onboarding.live", required=True, ondelete="cascade"
    )
    res_model = fields.Char(readonly=True, required=True)
    model_label = fields.Char(string="Kind", compute="_compute_model_label")
    count = fields.Integer(string="Ids", readonly=True)
    retire = fields.Boolean(
        string="Give Up Ids",
        help="The ids used in trials are given up, so that the partner can use the same"
        " numbers for real records. The records stay.",
    )
    # The very records that were shown: no other one is cancelled.
    draft_res_ids = fields.Json(readonly=True)
    drafts = fields.Text(readonly=True, help="Nothing came of them yet.")
    confirmed = fields.Text(
        string="Confirmed, Stay",
        readonly=True,
        help="They had consequences, such as reserved stock: undo them on their own"
        " screens.",
    )
    cancel = fields.Boolean(string="Cancel Drafts")

    @api.depends("res_model")
    def _compute_model_label(self):
        for line in self:
            # sudo: the name of a model is no secret
            line.model_label = self.env["ir.model"].sudo()._get(line.res_model).name

    @api.model
    def _trial_ids(self, onboarding):
        # sudo: stewards edit ids one by one; here those of all trials end together
        return (
            self.env["sync.crosswalk"]
            .sudo()
            .search(
                [("system_id", "=", onboarding.system_id.id), ("state", "=", "active")]
            )
        )

    @api.model
    def _documents(self, rows):
        """Values of a line about documents. :param rows: their ids, of one model"""
        # sudo: who leads an onboarding need not sell; numbers alone are shown
        records = self.env[rows[:1].res_model].sudo().browse(rows.mapped("res_id"))
        records = records.exists().filtered(lambda one: one.state not in CANCELLED)
        drafts = self._still_drafts(records)
        return {
            "draft_res_ids": drafts.ids,
            "drafts": self._named(drafts),
            "confirmed": self._named(records - drafts),
            "cancel": bool(drafts),
        }

    @api.model
    def _still_drafts(self, records):
        states, _method = DRAFTS.get(records._name, ((), ""))
        return records.filtered(lambda one: one.state in states)

    @api.model
    def _named(self, records):
        names = ", ".join(records[:MAX_NAMES].mapped("display_name"))
        more = len(records) - MAX_NAMES
        return (
            self.env._("%(names)s and %(more)s more", names=names, more=more)
            if (more > 0)
            else names
        )

    def _clear_away(self):
        """Do what was chosen with what the trials left."""
        for line in self:
            if line.cancel:
                line._cancel_drafts()
            if line.retire:
                line._trial_ids(line.wizard_id.onboarding_id).filtered(
                    lambda row, line=line: row.res_model == line.res_model
                )._retire_rows(self.env._("Trial data"))

    def _cancel_drafts(self):
        """Cancel those that were shown and still are drafts.

        As the partner itself would: it does not hear the echo, others do.
        """
        onboarding = self.wizard_id.onboarding_id
        known = set(
            self._trial_ids(onboarding)
            .filtered(lambda row: row.res_model == self.res_model)
            .mapped("res_id")
        )
        # sudo: who leads an onboarding need not sell
        records = self.env[self.res_model].sudo().browse(self.draft_res_ids or ())
        drafts = self._still_drafts(
            records.exists().filtered(lambda one: one.id in known)
        )
        if not drafts:
            return
        source = onboarding.system_id._as_source()
        systems = self.env["sync.system"].with_context(sync_source=source)
        _states, method = DRAFTS[self.res_model]
        getattr(systems._enter_flow(drafts), method)()
        self.env["sync.audit"]._log(
            "onboarding.drafts_cancelled",
            record=onboarding,
            after={self.res_model: drafts.mapped("display_name")},
        )
