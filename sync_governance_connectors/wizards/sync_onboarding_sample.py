# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import jsonbody
from ..tools.problem import Problem
from ..tools.sample import SampleError


class SyncOnboardingSample(models.TransientModel):
    _name = "sync.onboarding.sample"
    _description = "Try a Sample Message"

    onboarding_id = fields.Many2one("sync.onboarding", required=True, readonly=True)
    system_id = fields.Many2one(related="onboarding_id.system_id")
    contract_id = fields.Many2one(
        "sync.contract",
        domain="[('direction', '=', 'consumer')]",
        help="What the message is about, in our own words.",
    )
    mapping_id = fields.Many2one(
        "sync.mapping",
        domain="[('system_id', '=', system_id), ('state', '!=', 'superseded')]",
        help="The message is in the partner's words; it is read by this mapping first.",
    )
    message = fields.Text()
    result_html = fields.Html(string="Result", readonly=True, sanitize=False)
    is_sound = fields.Boolean(readonly=True)

    @api.onchange("contract_id", "mapping_id", "message")
    def _onchange_message(self):
        self.result_html = self.is_sound = False

    def action_make(self):
        """A sample by the contract, or the one that the mapping keeps."""
        self.ensure_one()
        self.write({"message": self._made(), "result_html": False, "is_sound": False})
        return self._again()

    def _made(self):
        if self.mapping_id.sample:
            return self.mapping_id.sample
        version = self.contract_id.active_version_id
        if not version:
            raise UserError(
                self.env._("Choose a contract in force: the sample is made from it.")
            )
        try:
            return self.env["sync.sample"]._make(self.system_id, version)
        except SampleError as error:
            raise UserError(
                self.env._("No sample can be made: %(error)s", error=error)
            ) from error

    def action_check(self):
        """Say line by line what is wrong; nothing is written."""
        self.ensure_one()
        findings = self._findings()
        self.write(
            {
                "is_sound": not findings,
                "result_html": self.env["ir.qweb"]._render(
                    "sync_governance_connectors.sync_sample_result",
                    {"findings": findings},
                ),
            }
        )
        return self._again()

    def _findings(self):
        samples, text = self.env["sync.sample"], self.message or ""
        if self.mapping_id:
            return samples._of_message(self.mapping_id, text)
        if not self.contract_id:
            raise UserError(self.env._("Choose a contract, or a mapping."))
        try:
            body = jsonbody.parse(text.encode())
        except Problem as problem:
            return samples._of_problem("contract", problem)
        resource, operation = samples._subject(self.contract_id)
        return samples._findings(self.system_id, resource, operation, body)

    def _again(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try a Sample Message"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }
