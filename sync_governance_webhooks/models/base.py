from odoo import api, models


class Base(models.AbstractModel):
    _inherit = "base"

    @api.private
    def _sync_payload(self, event_type):
        """The ``data`` of an event about this record, as JSON values.

        A model overrides it to send its canonical form; the default sends the fields
        that the event type lists.

        :param event_type: a ``sync.event.type`` record
        :rtype: dict
        """
        self.ensure_one()
        return event_type._listed_payload(self)

    @api.private
    def _sync_payloads(self, event_type):
        """:meth:`_sync_payload` of many records, in their order.

        A model overrides it where reading all at once is cheaper.

        :rtype: list[dict]
        """
        return [record._sync_payload(event_type) for record in self]

    @api.private
    def _sync_payload_schema(self, event_type):
        """JSON Schema (2020-12) of what
        :meth:`_sync_payload` returns, for the catalogue.

        :rtype: dict
        """
        return event_type._listed_schema()

    @api.private
    def _sync_payload_example(self, event_type):
        """A payload that is valid by :meth:`_sync_payload_schema`, or nothing.

        :rtype: dict
        """
        return {}
