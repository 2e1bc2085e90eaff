from odoo import fields, models


class SyncSecretReveal(models.TransientModel):
    """Shows a new signing secret, once. It is never stored here."""

    _name = "sync.secret.reveal"
    _description = "New Signing Secret"

    secret = fields.Char(store=False, readonly=True)
