"""Send one parcel to a broker, and tell what came of it.

Runs in the dispatcher's threads, hence knows nothing of Odoo and touches no database.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace

from ..tools import addresses
from ..tools.amqp import RoutingKeyError, make_message
from ..tools.outcome import Attempt, Failure
from ..tools.parcel import Parcel
from ..tools.signature import SigningKey, signature_headers
from .amqp_publisher import Broker, NotPublished, Publishers
from .http_client import resolve
from .http_sender import failure_of, sentence, valid_keys

# AMQP's own reply code for success.
REPLY_SUCCESS = 200


@dataclass(frozen=True)
class AmqpTarget:
    """Where and how a subscription wants its messages.

    ``broker`` without an address: it is resolved and checked at each attempt. ``keys``
    as in ``HttpTarget``; a broker's consumers may do without signatures.
    """

    broker: Broker
    exchange: str
    routing_key: str
    keys: tuple[tuple[SigningKey, float | None], ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    allowed: tuple[addresses.Network, ...] = ()


class AmqpSender:
    """Callable that publishes one message and waits for the broker's confirm; it never
    raises.
    """

    def __init__(
        self,
        target: AmqpTarget,
        publishers: Publishers,
        resolver: Callable[[str, int], Iterable[str]] = resolve,
        clock: Callable[[], float] = time.time,
    ):
        self._target = target
        self._publishers = publishers
        self._resolver = resolver
        self._clock = clock

    def __call__(self, parcel: Parcel) -> Attempt:
        """Make the attempt."""
        started, began = self._clock(), time.monotonic()
        described, answer = "", {"status": REPLY_SUCCESS}
        try:
            message = self._message(parcel, int(started))
            described = message.described()
            self._publish(message, began + self._target.broker.timeout)
        except Exception as error:
            answer = {"failure": _failure(error), "error": sentence(error)}
        return Attempt(
            started=started,
            duration=time.monotonic() - began,
            request_headers=described,
            request_size=len(parcel.body.encode()),
            **answer,
        )

    def _message(self, parcel, timestamp):
        keys = valid_keys(self._target.keys, timestamp)
        signature = {"webhook-id": parcel.message.id}
        if keys:
            signature = signature_headers(
                keys, parcel.message.id, timestamp, parcel.body.encode()
            )
        return make_message(
            parcel,
            self._target.exchange,
            self._target.routing_key,
            timestamp,
            dict(self._target.headers) | signature,
        )

    def _publish(self, message, deadline):
        broker = self._target.broker
        found = self._resolver(broker.host, broker.port)
        checked = addresses.check(broker.host, found, self._target.allowed)
        future = self._publishers.publish(replace(broker, address=checked[0]), message)
        try:
            future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            # Not to be published any more, if it has not been.
            if future.cancel():
                raise TimeoutError("The broker did not confirm in time") from None
            future.result()


def _failure(error):
    if isinstance(error, NotPublished):
        return error.failure
    if isinstance(error, RoutingKeyError):
        return Failure.PAYLOAD
    return failure_of(error)
