# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# How far a shipment has come; an exception can happen at any time.
MILESTONE_RANK = {"dispatched": 1, "in_transit": 2, "delivered": 3}


class StockPicking(models.Model):
    _inherit = "stock.picking"

    sync_milestone = fields.Selection(
        [
            ("dispatched", "Dispatched"),
            ("in_transit", "In transit"),
            ("delivered", "Delivered"),
            ("exception", "Exception"),
        ],
        string="Milestone",
        copy=False,
        tracking=True,
        index="btree_not_null",
        help="The last thing that the carrier or the warehouse reported.",
    )
    sync_milestone_at = fields.Datetime(string="Milestone Reached", copy=False)
    sync_milestone_note = fields.Char(string="Milestone Note", copy=False)
    sync_carrier_name = fields.Char(
        string="Carrier Name",
        copy=False,
        help="A carrier's system may report on the deliveries that name it here.",
    )
    sync_tracking_number = fields.Char(
        string="Tracking Number", copy=False, index="btree_not_null"
    )

    def _pre_action_done_hook(self):
        """Check before validating as a part of the flow ``_action_done``."""
        flow = self.env["sync.system"]._enter_flow(self)
        result = super(StockPicking, flow)._pre_action_done_hook()
        return self.env["sync.system"]._leave_flow(result, self)

    def _action_done(self):
        """Validate as a flow of Odoo's own: see ``sync.system._enter_flow``.

        Goods that leave by a person's hand are dispatched too.
        """
        flow = self.env["sync.system"]._enter_flow(self)
        result = super(StockPicking, flow)._action_done()
        dispatched = flow.filtered(
            lambda picking: picking.state == "done"
            and picking.picking_type_code == "outgoing"
            and not picking.sync_milestone
        )
        dispatched.write(
            {"sync_milestone": "dispatched", "sync_milestone_at": fields.Datetime.now()}
        )
        return result

    def _sync_reach_milestone(self, milestone, reached_at, note=None):
        """Notes a milestone; validates the transfer when goods must have left.

        A message that is older than the last milestone, or that says less than is
        known, changes nothing: messages of a carrier overtake each other.

        :param reached_at: naive UTC
        :return: whether anything changed
        :raise UserError: the goods cannot have left
        """
        self.ensure_one()
        if not self._sync_is_news(milestone, reached_at):
            return False
        if milestone in MILESTONE_RANK and self.state != "done":
            self._sync_validate()
        self.write(
            {
                "sync_milestone": milestone,
                "sync_milestone_at": reached_at,
                "sync_milestone_note": note or False,
            }
        )
        return True

    def _sync_is_news(self, milestone, reached_at):
        if not self.sync_milestone:
            return True
        if self.sync_milestone == "delivered":
            return False
        if milestone == self.sync_milestone:
            return False
        further = MILESTONE_RANK.get(milestone, 0) > MILESTONE_RANK.get(
            self.sync_milestone, 0
        )
        later = not self.sync_milestone_at or reached_at >= self.sync_milestone_at
        return further or later

    def _sync_validate(self):
        """Validates a ready transfer by Odoo's own method, with nobody to ask.

        What was not picked becomes a backorder.
        """
        if self.state != "assigned":
            raise UserError(
                self.env._(
                    "Delivery %(number)s is not ready: its goods are not reserved.",
                    number=self.name,
                )
            )
        question = self.with_context(
            skip_backorder=True, skip_sms=True
        ).button_validate()
        if self.state != "done":
            # A wizard of another module wants an answer that only a person can give.
            raise UserError(
                self.env._(
                    "Delivery %(number)s needs a person: Odoo asks “%(question)s”.",
                    number=self.name,
                    question=question["name"] if isinstance(question, dict) else "",
                )
            )

    def action_sync_status(self):
        """Open what governance knows about this transfer."""
        return self.env["sync.record.status"]._open(self)

    @api.model
    def _sync_number_domain(self, number, system):
        """Outgoing deliveries that a system can mean by a delivery number.

        Whose reach is its own records speaks of deliveries that it carries, or has an
        id for already: a number is easily guessed.
        """
        domain = (
            Domain("name", "=", number)
            & Domain("picking_type_code", "=", "outgoing")
            & Domain("company_id", "=", self.env.company.id)
        )
        if system.reach == "company":
            return domain
        known = self.env["sync.resource.table"]._known_to(system, self._name)
        return domain & (
            Domain("id", "in", known)
            | Domain("sync_carrier_name", "in", system._carrier_names())
        )
