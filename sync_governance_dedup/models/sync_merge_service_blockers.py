# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class SyncMergeService(models.AbstractModel):
    """What stands against a merge. Extension point: :meth:`_blockers`."""

    _inherit = "sync.merge.service"

    @api.model
    def _blockers(self, records, survivor):
        """Why these records cannot be merged as they are.

        :return: list of ``{"code", "message", "record_ids"}``; ``record_ids``
            are those to leave out, or to look at, for the merge to go through
        """
        records = (
            records.sudo()
        )  # reasons may lie in records the user does not see, e.g. users
        found = [self._blocked_by_company(records)]
        if records._name == "res.partner":
            found += [
                self._blocked_by_family(records),
                self._blocked_by_users(records, survivor),
                self._blocked_by_sealed_entries(records, survivor),
            ]
        return [blocker for blocker in found if blocker]

    @api.model
    def _blocked_by_company(self, records):
        if "company_id" not in records._fields or len(records.company_id) < 2:
            return None
        return {
            "code": "company",
            "message": self.env._(
                "The records belong to different companies (%s): their documents would"
                " change hands. Merge within one company, or share the records first.",
                ", ".join(records.company_id.mapped("name")),
            ),
            "record_ids": records.filtered("company_id").ids,
        }

    @api.model
    def _blocked_by_family(self, partners):
        inside = partners.filtered(lambda partner: partner._ancestors() & partners)
        if not inside:
            return None
        return {
            "code": "family",
            "message": self.env._(
                "%s is a contact of another record of this group: a contact is not a"
                " duplicate of its company. Leave it out.",
                ", ".join(inside.mapped("display_name")),
            ),
            "record_ids": inside.ids,
        }

    @api.model
    def _blocked_by_users(self, partners, survivor):
        with_users = partners.with_context(active_test=False).filtered("user_ids")
        if len(with_users.user_ids) < 2:
            return None
        return {
            "code": "users",
            "message": self.env._(
                "More than one login hangs on these records (%s). Leave all but one out"
                " of the merge, or give the other login a contact of its own first.",
                ", ".join(with_users.user_ids.mapped("login")),
            ),
            "record_ids": (with_users - survivor).ids or with_users.ids[1:],
        }

    @api.model
    def _blocked_by_sealed_entries(self, partners, survivor):
        """The hash that seals posted entries covers the partner: moving them
        to another one would break the chain that an auditor relies on."""
        if "account.move.line" not in self.env:
            return None
        lines = self.env["account.move.line"].sudo()
        sealed = lines._read_group(
            [
                ("partner_id", "in", (partners - survivor).ids),
                ("move_id.inalterable_hash", "!=", False),
            ],
            ["partner_id"],
        )
        if not sealed:
            return None
        retired = self.env["res.partner"].union(*(partner for (partner,) in sealed))
        return {
            "code": "sealed",
            "message": self.env._(
                "Journal entries of %s are sealed by a hash that covers the customer."
                " Let this record survive, or leave it out.",
                ", ".join(retired.mapped("display_name")),
            ),
            "record_ids": retired.ids,
        }
