from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError


class SyncServiceAccount(models.Model):
    """A technical user under whose name a system calls Odoo."""

    _name = "sync.service.account"
    _description = "Service Account"
    _inherit = ["mail.thread", "sync.company.guard"]
    _order = "system_id, name"
    _check_company_auto = True

    name = fields.Char(required=True)
    user_id = fields.Many2one(
        "res.users",
        required=True,
        ondelete="restrict",
        tracking=True,
        help="A user without password."
        " Whatever it writes counts as written by the system.",
    )
    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="restrict", index=True, tracking=True
    )
    owner_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, tracking=True
    )
    purpose = fields.Text()
    review_date = fields.Date(
        default=lambda self: fields.Date.add(fields.Date.context_today(self), days=180),
        help="When its rights are to be looked at again.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    active = fields.Boolean(default=True, tracking=True)

    _user_unique = models.Constraint(
        "UNIQUE(user_id)", "This user is already the service account of a system."
    )

    @api.constrains("user_id")
    def _check_user(self):
        for account in self:
            if account.user_id._is_superuser() or account.user_id._is_admin():
                raise ValidationError(
                    self.env._(
                        "%(user)s is an administrator. A service account has the least"
                        " rights that do.",
                        user=account.user_id.name,
                    )
                )
            if account.user_id == self.env.user or account._governs():
                raise ValidationError(
                    self.env._(
                        "%(user)s is a person of this suite. Nobody acts in person and"
                        " as a system at once.",
                        user=account.user_id.name,
                    )
                )

    def _governs(self) -> bool:
        """Whether the user has a duty in this suite, which is for people."""
        return any(
            self.user_id.has_group(f"sync_governance_base.group_sync_{duty}")
            for duty in ("viewer", "auditor")
        )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return accounts

    def write(self, vals):
        result = super().write(vals)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return result

    def unlink(self):
        result = super().unlink()
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return result

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _create_for(self, system, purpose):
        """A service account with a technical user of its own for the system.

        The user is internal and nothing more: the rights it needs are given on purpose.
        It has no password, so that only keys and credentials open the door.
        """
        number = self.with_context(active_test=False).search_count(
            [("system_id", "=", system.id)]
        )
        name = self.env._(
            "%(system)s service %(number)s", system=system.name, number=number + 1
        )
        company = system.company_id or self.env.company
        # creating users is for administrators; this one gets no right of its own
        user = (
            self.env["res.users"]
            .sudo()
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": name,
                    "login": f"sync-{system.code}-{number + 1}",
                    "company_id": company.id,
                    "company_ids": [fields.Command.set(company.ids)],
                    "group_ids": [
                        fields.Command.set(self.env.ref("base.group_user").ids)
                    ],
                    "notification_type": "inbox",
                }
            )
        )
        return self.create(
            {
                "name": name,
                "user_id": user.id,
                "system_id": system.id,
                "purpose": purpose,
                "company_id": company.id,
            }
        )

    @api.model
    def _system_of_user(self, user_id: int) -> tuple[int | None, str | None]:
        """Id and code of the system for which a user acts, (None, None) for people."""
        return self._systems_by_user().get(user_id, (None, None))

    @api.model
    @tools.ormcache()
    def _systems_by_user(self) -> dict[int, tuple[int, str]]:
        # everybody's writes are attributed, whoever may read service accounts
        accounts = self.sudo().search([])  # pylint: disable=no-search-all; cached, few
        return {
            account.user_id.id: (account.system_id.id, account.system_id.code)
            for account in accounts
        }
