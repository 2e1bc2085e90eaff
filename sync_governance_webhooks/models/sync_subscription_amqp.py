from urllib.parse import unquote, urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..dispatcher.amqp_publisher import Broker
from ..dispatcher.amqp_sender import AmqpSender, AmqpTarget
from ..tools.amqp import (
    DEFAULT_ROUTING_KEY,
    MAX_SHORT,
    RoutingKeyError,
    check_template,
)
from .sync_authentication_mixin import PURPOSE_CERTIFICATE

PORTS = {"amqp": 5672, "amqps": 5671}


class SyncSubscription(models.Model):
    """Publishing to a broker: a transport as a module of its own would add it."""

    _inherit = "sync.subscription"

    amqp_exchange = fields.Char(
        string="Exchange",
        tracking=True,
        help="It must exist. Empty: the default exchange, whose routing keys are names "
        "of queues.",
    )
    amqp_routing_key = fields.Char(
        string="Routing Key",
        default=DEFAULT_ROUTING_KEY,
        tracking=True,
        help="{type} stands for the event's name, {key} for the record it is about. A "
        "message that no queue is bound to has failed.",
    )

    @api.model
    def _transports(self):
        return super()._transports() + [("amqp", "AMQP 0-9-1 (RabbitMQ)")]

    @api.model
    def _url_schemes(self):
        return super()._url_schemes() | {"amqp": tuple(PORTS)}

    @api.constrains("transport", "auth_kind", "amqp_exchange", "amqp_routing_key")
    def _check_amqp(self):
        for subscription in self.filtered(lambda record: record.transport == "amqp"):
            if subscription.auth_kind not in ("none", "basic"):
                raise ValidationError(
                    self.env._(
                        "A broker wants user and password, or a client certificate."
                    )
                )
            if len((subscription.amqp_exchange or "").encode()) > MAX_SHORT:
                raise ValidationError(self.env._("The exchange's name is too long."))
            try:
                check_template(subscription.amqp_routing_key or "")
            except RoutingKeyError as error:
                raise ValidationError(
                    self.env._(
                        "A routing key may hold {type} and {key}, not %(unknown)s.",
                        unknown=error,
                    )
                ) from error

    def _missing_authentication(self):
        if (
            self.transport == "amqp"
            and self.auth_kind == "none"
            and not self._secrets(PURPOSE_CERTIFICATE)
        ):
            return self.env._(
                "%(name)s needs user and password, or a client certificate.",
                name=self.name,
            )
        return super()._missing_authentication()

    def _dispatch_transport_amqp(self, deadlines):
        """A callable that publishes one parcel and waits for the broker's confirm."""
        from .sync_dispatcher import publishers

        if problem := self._missing_authentication():
            raise UserError(problem)
        url = urlsplit(self.url)
        is_basic = self.auth_kind == "basic"
        broker = Broker(
            address="",
            port=url.port or PORTS[url.scheme],
            host=url.hostname,
            # As in RabbitMQ's URI specification: no path is the vhost "/".
            vhost=unquote(url.path[1:]) or "/",
            is_tls=url.scheme == "amqps",
            timeout=self.timeout_s,
            user=self.auth_user if is_basic else "",
            password=self._password() if is_basic else "",
            tls=self._tls_settings(),
        )
        target = AmqpTarget(
            broker=broker,
            exchange=self.amqp_exchange or "",
            routing_key=self.amqp_routing_key or "",
            keys=self._signing_keys(),
            headers=self._sent_headers(),
            allowed=self._allowed_networks(),
        )
        return AmqpSender(target, publishers)
