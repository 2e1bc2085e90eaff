import json
from datetime import datetime
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ..tools import event_name
from ..tools.schema_diff import Direction


class Consumer(NamedTuple):
    """Somebody who reads what a contract describes.

    :param paths: what they read, spelled as in a
        body (``lines[].uom``); empty: everything
    """

    name: str
    system_id: int | None = None
    paths: frozenset[str] = frozenset()
    last_used: datetime | None = None
    res_model: str | None = None
    res_id: int | None = None


class SyncContract(models.Model):
    """What two sides have agreed on: the shape
    of one event or one resource, in versions.
    """

    _name = "sync.contract"
    _description = "Data Contract"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "code"

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(required=True, copy=False, tracking=True)
    active = fields.Boolean(default=True)
    description = fields.Text(translate=True)
    domain_id = fields.Many2one("sync.domain", tracking=True, ondelete="restrict")
    owner_id = fields.Many2one(
        "res.users",
        tracking=True,
        default=lambda self: self.env.user,
        help="Answers questions.",
    )
    direction = fields.Selection(
        [
            (Direction.PRODUCER.value, "Odoo writes, others read"),
            (Direction.CONSUMER.value, "Others write, Odoo reads"),
        ],
        required=True,
        default=Direction.PRODUCER.value,
        tracking=True,
        help="Decides what breaks the other side: what Odoo sends may not widen, "
        "what it accepts may not narrow.",
    )
    event_name = fields.Char(
        string="Event",
        tracking=True,
        help="noun.past_participle, such as order.confirmed",
    )
    board_id = fields.Many2one(
        "sync.board",
        compute="_compute_board_id",
        store=True,
        readonly=False,
        tracking=True,
        ondelete="restrict",
    )
    version_ids = fields.One2many(
        "sync.contract.version", "contract_id", string="Versions"
    )
    active_version_id = fields.Many2one(
        "sync.contract.version", compute="_compute_active_version_id", string="In Force"
    )
    consumer_count = fields.Integer(
        compute="_compute_consumer_count", string="Consumers"
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "Another contract has this code.")

    @api.depends("domain_id")
    def _compute_board_id(self):
        boards = self.env["sync.board"].sudo()
        for contract in self.filtered(lambda contract: not contract.board_id):
            contract.board_id = contract.domain_id and boards.search(
                [("domain_ids", "parent_of", contract.domain_id.ids)], limit=1
            )

    @api.depends("version_ids.state")
    def _compute_active_version_id(self):
        for contract in self:
            contract.active_version_id = contract.version_ids.filtered(
                lambda version: version.state == "active"
            )

    def _compute_consumer_count(self):
        for contract in self:
            contract.consumer_count = len(contract._consumers())

    @api.constrains("event_name")
    def _check_event_name(self):
        for contract in self.filtered("event_name"):
            if problem := event_name.problem(contract.event_name):
                raise ValidationError(
                    self.env._(
                        "The event name “%(name)s” %(problem)s.",
                        name=contract.event_name,
                        problem=problem,
                    )
                )

    # -- what other modules use --------------------------------------------------------

    def _consumers(self):
        """Who reads what this contract describes: a list of :class:`Consumer`.

        Modules that know readers (subscriptions, callers of the API) add theirs.
        """
        self.ensure_one()
        return []

    @api.model
    @tools.ormcache("code")
    def _schema_in_force(self, code):
        """The JSON Schema of a contract's active
        version as a dict, or None. Do not change it.

        :param str code: the contract's code
        """
        version = (
            self.env["sync.contract.version"]
            .sudo()
            .search(
                [("contract_id.code", "=", code), ("state", "=", "active")], limit=1
            )
        )
        return json.loads(version.schema_text) if version else None

    @api.model
    def _seed(self, code, values, number, schema):
        """Ship a contract with a module: create it with a first version that is in
        force at once.

        There is nobody to protect from a first version. A contract that exists is left
        alone: what follows is the board's to decide.

        :param dict values: further values of the contract
        :param str number: semantic version
        :param dict schema: JSON Schema
        :return: the contract
        """
        # sudo: modules seed during their installation
        contract = self.sudo().search([("code", "=", code)])
        if not contract:
            contract = self.sudo().create({**values, "code": code})
            version = contract.version_ids.create(
                {
                    "contract_id": contract.id,
                    "number": number,
                    "schema_text": json.dumps(schema),
                }
            )
            version._advance("active", activated_at=fields.Datetime.now())
        return contract

    # -- actions -----------------------------------------------------------------------

    def action_new_version(self):
        """Draft the next version from the one in force."""
        self.ensure_one()
        base = self.active_version_id or self.version_ids[:1]
        draft = self.version_ids.create(
            {
                "contract_id": self.id,
                "number": base._next_number("minor") if base else "1.0.0",
                "schema_text": base.schema_text or "{}",
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": draft._name,
            "res_id": draft.id,
            "views": [(False, "form")],
        }
