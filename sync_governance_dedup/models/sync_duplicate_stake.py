# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import defaultdict
from dataclasses import dataclass, field

from odoo import api, models
from odoo.fields import Domain


@dataclass(frozen=True)
class Stake:
    """A kind of document that hangs on a record.

    :ivar link: field of ``model`` that points at the record
    :ivar domain: documents that count
    :ivar amount: field with the money at stake, or ``None`` if they are only counted
    """

    key: str
    label: str
    model: str
    link: str
    domain: list = field(default_factory=list)
    amount: str | None = None


class SyncDuplicateStake(models.AbstractModel):
    """What hangs on the records of a group: the queue's order and the steward's care.

    Extension point: :meth:`_stakes`.
    """

    _name = "sync.duplicate.stake"
    _description = "Documents at Stake"

    @api.model
    def _stakes(self, model_name):
        """:return: list of :class:`Stake` for a model; those
        whose model is not installed are left out by the callers"""
        if model_name != "res.partner":
            return []
        return [
            Stake(
                "orders",
                self.env._("Open orders"),
                "sale.order",
                "partner_id",
                [
                    ("state", "in", ("draft", "sent", "sale")),
                    ("invoice_status", "!=", "invoiced"),
                ],
                "amount_total",
            ),
            Stake(
                "receivables",
                self.env._("Open invoices"),
                "account.move",
                "commercial_partner_id",
                [
                    ("move_type", "in", ("out_invoice", "out_refund")),
                    ("state", "=", "posted"),
                    ("payment_state", "in", ("not_paid", "partial", "in_payment")),
                ],
                "amount_residual_signed",
            ),
            Stake(
                "purchases",
                self.env._("Purchase orders"),
                "purchase.order",
                "partner_id",
                [("state", "in", ("draft", "sent", "to approve", "purchase"))],
                "amount_total",
            ),
            Stake("users", self.env._("Logins"), "res.users", "partner_id"),
            Stake("contacts", self.env._("Contacts"), "res.partner", "parent_id"),
            Stake(
                "banks", self.env._("Bank accounts"), "res.partner.bank", "partner_id"
            ),
        ]

    @api.model
    def _installed(self, model_name):
        return [stake for stake in self._stakes(model_name) if stake.model in self.env]

    @api.model
    def _figures(self, stake, record_ids):
        """:return: ``{record id: (count, amount)}``"""
        aggregates = ["__count"] + ([f"{stake.amount}:sum"] if stake.amount else [])
        # sudo: a steward decides by how much hangs on a record, not by which documents
        rows = (
            self.env[stake.model]
            .sudo()
            ._read_group(
                Domain(stake.link, "in", record_ids) & Domain(stake.domain),
                [stake.link],
                aggregates,
            )
        )
        return {row[0].id: (row[1], row[2] if stake.amount else 0.0) for row in rows}

    @api.model
    def _values(self, model_name, record_ids):
        """:return: ``{record id: money at stake}`` of the records that have any"""
        values = defaultdict(float)
        for stake in self._installed(model_name):
            if stake.amount:
                for record_id, (_count, amount) in self._figures(
                    stake, record_ids
                ).items():
                    values[record_id] += abs(amount or 0.0)
        return dict(values)

    @api.model
    def _documents(self, model_name, record_ids):
        """:return: ``{record id: [{"key", "label",
        "count", "amount", "model", "domain"}]}``"""
        found = {record_id: [] for record_id in record_ids}
        for stake in self._installed(model_name):
            for record_id, (count, amount) in self._figures(stake, record_ids).items():
                found[record_id].append(
                    {
                        "key": stake.key,
                        "label": stake.label,
                        "count": count,
                        "amount": amount or 0.0,
                        "model": stake.model,
                        "domain": [(stake.link, "=", record_id), *stake.domain],
                    }
                )
        return found
