from odoo import api, fields, models


class SyncCorrectionAsk(models.AbstractModel):
    """Asks for a failed message's right payload, and why.

    A wizard names the corrections it asks for (``_correction_model``, a model with
    ``sync.correction.mixin``) and has that model's many2one to the message.
    """

    _name = "sync.correction.ask"
    _description = "Ask for a Correction"

    #: model of the corrections
    _correction_model = ""

    payload = fields.Text(
        compute="_compute_payload",
        store=True,
        # as the user: a payload is as open as its message
        compute_sudo=False,
        readonly=False,
        required=True,
    )
    reason = fields.Char(required=True)

    @api.model
    def _message_names(self):
        """The field with the message, for decorators; none on this mixin itself."""
        if not self._correction_model:
            return []
        return [self.env[self._correction_model]._message_field]

    def _message(self):
        (name,) = self._message_names()
        return self[name]

    @api.depends(lambda self: self._message_names())
    def _compute_payload(self):
        self._check_message()
        corrections = self.env[self._correction_model]
        for wizard in self:
            wizard.payload = corrections._payload_text(wizard._message())

    @api.constrains(lambda self: self._message_names())
    def _check_message(self):
        """A payload is shown in full to whoever could correct it."""
        # sudo(False): constraints run with all rights
        wizards = self.sudo(False)
        wizards.env[self._correction_model]._check_role()
        for wizard in wizards:
            wizard._message().check_access("read")

    def action_request(self):
        """Hand the correction to a second person."""
        self.ensure_one()
        correction = self.env[self._correction_model]._request(
            self._message(), self.payload, self.reason
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": correction._name,
            "res_id": correction.id,
            "views": [(False, "form")],
        }
