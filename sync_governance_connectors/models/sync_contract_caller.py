# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models
from odoo.tools import SQL

from .sync_contract import CONTRACT_OF

DAYS = 90


class SyncContractCaller(models.Model):
    """Who still calls by which version of a contract: figures over the requests.

    A caller does not choose a version: his body is valid by the one in force, or only
    by one that is deprecated. Those are the ones to talk to before its sunset.
    """

    _name = "sync.contract.caller"
    _description = "Caller of a Contract Version"
    _auto = False
    _order = "last_call_at desc"

    version_id = fields.Many2one("sync.contract.version", readonly=True)
    contract_id = fields.Many2one(related="version_id.contract_id")
    version_state = fields.Selection(related="version_id.state", string="State")
    sunset_date = fields.Date(related="version_id.sunset_date")
    system_id = fields.Many2one("sync.system", readonly=True)
    owner_id = fields.Many2one(related="system_id.owner_id")
    company_id = fields.Many2one("res.company", readonly=True)
    calls = fields.Integer(readonly=True)
    last_call_at = fields.Datetime("Last Call", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """SELECT min(r.id) AS id, v.id AS version_id, r.system_id, r.company_id,
                      count(*) AS calls, max(r.create_date) AS last_call_at
                 FROM sync_request r
                 JOIN sync_contract c ON c.code = r.resource || '.' || %s
                 JOIN sync_contract_version v
                   ON v.contract_id = c.id AND v.number = r.contract_version
                WHERE r.contract_version IS NOT NULL
                      -- a bulk call has no body of its own, its items do
                  AND (r.operation <> 'bulk' OR r.parent_id IS NOT NULL)
                  AND r.create_date > now() AT TIME ZONE 'UTC'
                                      - make_interval(days => %s)
                GROUP BY v.id, r.system_id, r.company_id""",
            self._contract_suffix(),
            DAYS,
        )

    def _contract_suffix(self):
        """What an operation's contract is called, as SQL."""
        cases = [
            SQL("WHEN %s THEN %s", operation, suffix)
            for operation, suffix in CONTRACT_OF.items()
            if suffix
        ]
        return SQL("CASE r.operation %s ELSE r.operation END", SQL(" ").join(cases))

    def action_open_requests(self):
        """The calls behind a figure."""
        self.ensure_one()
        contract = self.sudo().contract_id
        resource, _dot, suffix = contract.code.partition(".")
        operations = [one for one, name in CONTRACT_OF.items() if name == suffix]
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_connectors.sync_request_action"
        )
        domain = [
            ("system_id", "=", self.system_id.id),
            ("resource", "=", resource),
            ("operation", "in", operations or [suffix]),
            ("contract_version", "=", self.version_id.number),
            "|",
            ("operation", "!=", "bulk"),
            ("parent_id", "!=", False),
        ]
        return {**action, "domain": domain, "context": {}}
