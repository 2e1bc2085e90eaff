# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: What goes on holding, and is looked at again until the partner is live; everything
#: else has happened once and for all.
STANDING = frozenset(
    {
        "contact",
        "account_rights",
        "credential_test",
        "secret_set",
        "mapping_active",
        "mapping_covered",
        "values_mapped",
        "reconciled",
        "policy_active",
    }
)
#: What nobody writes by hand.
FOUND = frozenset(
    {
        "state",
        "reason",
        "note",
        "asked_by_id",
        "asked_at",
        "done_at",
        "done_by_id",
        "res_model",
        "res_id",
    }
)


class SyncOnboardingItem(models.Model):
    """Something to be done before one partner is live.

    What the system can see for itself is proven by the system alone, with a link to
    what proves it. What it cannot see a person declares, with a note. That something
    required is not needed takes two: one who asks, and another one who agrees.
    """

    _name = "sync.onboarding.item"
    _inherit = ["sync.onboarding.check", "sync.record.pointer"]
    _description = "Onboarding Item"

    onboarding_id = fields.Many2one(
        "sync.onboarding",
        string="Partner",
        required=True,
        ondelete="cascade",
        index=True,
    )
    system_id = fields.Many2one(related="onboarding_id.system_id", store=True)
    company_id = fields.Many2one(related="onboarding_id.company_id", store=True)
    state = fields.Selection(
        [("open", "Open"), ("done", "Done"), ("waived", "Not needed")],
        required=True,
        readonly=True,
        default="open",
        copy=False,
    )
    reason = fields.Char(
        string="Seen", readonly=True, help="What was found, or what is missing."
    )
    note = fields.Text(readonly=True)
    asked_by_id = fields.Many2one(
        "res.users",
        string="Waiver Asked By",
        readonly=True,
        help="Says that it is not needed; somebody else has to agree.",
    )
    asked_at = fields.Datetime(string="Waiver Asked On", readonly=True)
    waiver = fields.Char(compute="_compute_waiver")
    done_at = fields.Datetime(string="Done On", readonly=True)
    done_by_id = fields.Many2one("res.users", readonly=True)
    res_model = fields.Char(string="Evidence Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Evidence", model_field="res_model", readonly=True
    )
    is_blocking = fields.Boolean(
        string="Blocks Going Live", compute="_compute_is_blocking", store=True
    )

    @api.depends("required", "state", "stage_id.before_live")
    def _compute_is_blocking(self):
        for item in self:
            item.is_blocking = (
                item.required and item.state == "open" and item.stage_id.before_live
            )

    @api.depends("asked_by_id", "name", "note", "onboarding_id.name")
    def _compute_waiver(self):
        for item in self:
            item.waiver = item.asked_by_id and self.env._(
                "%(partner)s: leave out “%(item)s”, asked by %(user)s: %(note)s",
                partner=item.onboarding_id.name,
                item=item.name,
                user=item.asked_by_id.name,
                note=item.note,
            )

    # -- CRUD ------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        # Looked at afterwards: a context can give defaults, too.
        for item in items:
            self._check_by_hand(
                {name for name in FOUND if item[name] and item[name] != "open"}
            )
        return items

    def write(self, vals):
        self._check_by_hand(vals.keys() & FOUND)
        if not self.env.su and not vals.keys() <= {"sequence", "hint"}:
            self._check_agreed()
        return super().write(vals)

    def _check_by_hand(self, names):
        """What was seen, asked and declared is written by the methods below alone."""
        if names and not self.env.su:
            raise AccessError(
                self.env._("%s follows from proofs and words.", ", ".join(names))
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_own(self):
        self._check_agreed()

    def _check_agreed(self):
        """What the template asks for is not taken back by hand: that would unlock the
        way to live without anybody seeing it.
        """
        for item in self:
            if item.required or item.state != "open":
                raise UserError(
                    self.env._(
                        "“%s” is required: it can be done or be declared not needed,"
                        " but not be changed or left out.",
                        item.name,
                    )
                )

    # -- proof -----------------------------------------------------------------------

    def _prove(self):
        """Look for the proof of what the system can see."""
        for item in self:
            if item.check == "manual" or item.state == "waived":
                continue
            if item.state == "done" and item.check not in STANDING:
                continue
            evidence = self.env["sync.onboarding.proof"]._of(item)
            if evidence.holds or not item.asked_by_id:
                item._record(evidence)

    def _record(self, evidence):
        """Keep what was found. :param evidence: ``sync_onboarding_proof.Evidence``"""
        values = {"reason": evidence.reason}
        if evidence.holds != (self.state == "done"):
            values |= {
                "state": "done" if evidence.holds else "open",
                "done_at": fields.Datetime.now() if evidence.holds else False,
                "asked_by_id": False,
                "asked_at": False,
            }
        if evidence.record:
            values |= {
                "res_model": evidence.record._name,
                "res_id": evidence.record.id,
            }
        # sudo: what the system sees is written by nobody's hand
        proven = self.sudo()
        changed = {name: one for name, one in values.items() if proven[name] != one}
        if changed:
            proven.write(changed)

    # -- a person's word -------------------------------------------------------------

    def action_done(self):
        """Declare it done, with a note."""
        return self._ask(self.env._("What was done?"), "done")

    def action_waive(self):
        """Say that it is not needed, with the reason."""
        return self._ask(self.env._("Why is it not needed?"), "waived")

    def action_agree(self):
        """Agree that a required item is not needed. Not for whoever said so."""
        for item in self:
            item.onboarding_id.check_access("write")
            if not item.asked_by_id:
                raise UserError(self.env._("Nobody asks to leave “%s” out.", item.name))
            if item.asked_by_id == self.env.user:
                raise AccessError(
                    self.env._("A second person must approve what you ask for.")
                )
            item._close("waived", item.note)
        self.onboarding_id._refresh()

    def _ask(self, title, state):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "sync.onboarding.note",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_item_id": self.id, "default_state": state},
        }

    def _declare(self, state, note):
        """A person's word on it.

        Everybody who manages integrations may say that they did something, and that
        something is not needed; where it is required, another one of them has to agree,
        whoever leads the onboarding.
        """
        self.ensure_one()
        self.onboarding_id.check_access("write")
        if state == "done" and self.check != "manual":
            raise UserError(
                self.env._("The system looks for the proof of “%s” itself.", self.name)
            )
        if state == "waived" and self.required:
            self._ask_to_waive(note)
        else:
            self._close(state, note)
        self.onboarding_id._refresh()

    def _ask_to_waive(self, note):
        # sudo: what was asked is changed by asking alone
        self.sudo().write(
            {
                "asked_by_id": self.env.uid,
                "asked_at": fields.Datetime.now(),
                "note": note,
                "reason": self.env._(
                    "Not needed, says %(user)s: %(note)s Somebody else has to agree.",
                    user=self.env.user.name,
                    note=note,
                ),
            }
        )
        self._log("waiver_asked", note)

    def _close(self, state, note):
        # sudo: what was declared is changed by declaring alone
        self.sudo().write(
            {
                "state": state,
                "note": note,
                "reason": note,
                "done_at": fields.Datetime.now(),
                "done_by_id": self.env.uid,
            }
        )
        self._log(state, note)

    def _log(self, what, note):
        self.env["sync.audit"]._log(
            f"onboarding.item_{what}",
            record=self.onboarding_id,
            after={"item": self.name, "asked_by": self.asked_by_id.login},
            reason=note,
        )

    def action_reopen(self):
        """Take a person's word back."""
        self.onboarding_id.check_access("write")
        taken = self.filtered(lambda item: item.done_by_id or item.asked_by_id)
        for item in taken:
            item._log("reopened", item.note)
        # sudo: as above
        taken.sudo().write(
            {
                "state": "open",
                "asked_by_id": False,
                "asked_at": False,
                "done_at": False,
                "done_by_id": False,
                "reason": False,
            }
        )
        self.onboarding_id._refresh()

    def action_open_evidence(self):
        """Open what proves it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
