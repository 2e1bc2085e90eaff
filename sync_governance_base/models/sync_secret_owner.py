from odoo import api, models


class SyncSecretOwner(models.AbstractModel):
    """A record that has secrets. They are written on it and never read back: they live
    encrypted in ``sync.secret``, and leave it only for what they are used for.
    """

    _name = "sync.secret.owner"
    _description = "Role: has secrets"

    def _secrets(self, purpose=None):
        """The usable secrets, for one purpose or all, the active one first."""
        # sudo: secrets are out of reach for everybody; whoever may see the record may
        # know whether it has one, never what it is
        return (
            self.env["sync.secret"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    *([("purpose", "=", purpose)] if purpose else []),
                ]
            )
            ._usable()
        )

    def _renew_secret(self, plaintext, name, purpose):
        """Keep a secret in place of the one before, which stays valid for the usual
        overlap, so that the other side can follow.

        :raises UserError: an earlier one is still overlapping
        """
        self.ensure_one()
        current = self._secrets(purpose).filtered(
            lambda secret: secret.state == "active"
        )
        if current:
            current[0]._rotate(plaintext)
        else:
            self.env["sync.secret"]._store(plaintext, name, purpose, record=self)

    @api.ondelete(at_uninstall=True)
    def _unlink_revokes_secrets(self):
        self._secrets()._revoke(self.env._("Deleted"))
