"""A connection to a broker that publishes with confirms, many under way at a time.

pika's connections belong to one thread: each publisher has its own, which the
dispatcher's threads hand messages to. Nobody waits for a single message's round trip:
the broker confirms in batches whatever was published in between.
"""

import logging
import ssl
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pika
from pika import exceptions
from pika.adapters.select_connection import IOLoop, SelectConnection

from ..tools.amqp import AmqpMessage
from ..tools.outcome import Failure
from .http_client import TlsSettings

# A connection that nobody used for so long is closed; slices follow one another
# within seconds while there is something to send.
IDLE_S = 60.0
HEARTBEAT_S = 30
ACCESS_REFUSED, NO_ROUTE = 403, 312

# What goes wrong with a broker is recorded with each attempt; pika would tell it to the
# log as well, at every step of a connection that fails.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class NotPublished(Exception):
    """A message was not taken over by the broker; ``failure`` says why."""

    def __init__(self, failure: Failure, text: str):
        super().__init__(text)
        self.failure = failure


@dataclass(frozen=True)
class Broker:
    """Where and as whom to connect. ``address`` is the checked one of ``host``; without
    a password the client certificate proves who we are. ``timeout`` is seconds.
    """

    address: str
    port: int
    host: str
    vhost: str
    is_tls: bool
    timeout: float
    user: str = ""
    password: str = field(default="", repr=False)
    tls: TlsSettings = field(default_factory=TlsSettings)

    def parameters(self) -> pika.ConnectionParameters:
        """pika's view of it.

        :raises ssl.SSLError: unusable certificates
        """
        if self.password:
            credentials = pika.PlainCredentials(self.user, self.password)
        else:
            credentials = pika.credentials.ExternalCredentials()
        options = None
        if self.is_tls:
            options = pika.SSLOptions(self.tls.context(), server_hostname=self.host)
        return pika.ConnectionParameters(
            host=self.address,
            port=self.port,
            virtual_host=self.vhost,
            credentials=credentials,
            ssl_options=options,
            heartbeat=HEARTBEAT_S,
            connection_attempts=1,
            socket_timeout=self.timeout,
            stack_timeout=self.timeout,
            blocked_connection_timeout=self.timeout,
            client_properties={"connection_name": "sync-governance"},
        )


@dataclass
class _Outstanding:
    message: AmqpMessage
    future: Future
    is_returned: bool = False


class Publisher:
    """One connection and one channel in confirm mode, in a thread of its own.

    It is dead after the first thing that goes wrong, and after a while without work.
    """

    def __init__(self, broker: Broker, idle: float = IDLE_S):
        """:raises ssl.SSLError: unusable certificates"""
        self._parameters = broker.parameters()
        self._idle = idle
        self._loop = IOLoop()
        self._lock = threading.Lock()
        self._is_dead = False
        self._waiting: deque[_Outstanding] = deque()
        # Below: touched by the publisher's own thread alone.
        self._outstanding: OrderedDict[int, _Outstanding] = OrderedDict()
        self._last_tag = 0
        self._last_use = time.monotonic()
        self._connection = self._channel = None
        threading.Thread(target=self._run, name="sync-amqp", daemon=True).start()

    @property
    def is_dead(self) -> bool:
        """Whether it takes no more messages."""
        return self._is_dead

    def publish(self, message: AmqpMessage) -> Future | None:
        """Hand a message over; the future ends when the broker has confirmed it, or
        with :class:`NotPublished`.

        :return: None if this publisher is dead, and a new one is needed
        """
        item = _Outstanding(message, Future())
        with self._lock:
            if self._is_dead:
                return None
            self._waiting.append(item)
            self._loop.add_callback_threadsafe(self._drain)
        return item.future

    def close(self) -> None:
        """End the connection; what is not confirmed by then has failed."""
        closed = NotPublished(Failure.CONNECTION, "Closed")
        with self._lock:
            if not self._is_dead:
                self._loop.add_callback_threadsafe(partial(self._die, closed))

    # -- in the publisher's thread -----------------------------------------------------

    def _run(self):
        try:
            self._connection = SelectConnection(
                self._parameters,
                on_open_callback=self._on_open,
                on_open_error_callback=lambda _connection, error: self._die(
                    _as_failure(error)
                ),
                on_close_callback=lambda _connection, error: self._die(
                    _as_failure(error)
                ),
                custom_ioloop=self._loop,
            )
            self._loop.start()
        except Exception as error:
            self._die(_as_failure(error))
        finally:
            self._fail_all(NotPublished(Failure.CONNECTION, "The connection ended"))
            self._loop.close()

    def _on_open(self, connection):
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel):
        channel.add_on_close_callback(
            lambda _channel, error: self._die(_as_failure(error))
        )
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(
            self._on_confirm, callback=lambda _frame: self._on_ready(channel)
        )

    def _on_ready(self, channel):
        self._channel = channel
        self._drain()
        self._rest()

    def _drain(self):
        """Publish what waits, without waiting for anything."""
        while self._channel and self._channel.is_open and self._waiting:
            item = self._waiting.popleft()
            if item.future.cancelled():
                # Its attempt has timed out: it will come again.
                continue
            self._last_tag += 1
            self._outstanding[self._last_tag] = item
            self._last_use = time.monotonic()
            message = item.message
            self._channel.basic_publish(
                message.exchange,
                message.routing_key,
                message.body,
                pika.BasicProperties(
                    content_type=message.content_type,
                    content_encoding="utf-8",
                    headers=dict(message.headers),
                    delivery_mode=pika.DeliveryMode.Persistent.value,
                    message_id=message.id,
                    timestamp=message.timestamp,
                    type=message.type,
                    app_id="sync-governance",
                ),
                mandatory=True,
            )

    def _on_return(self, _channel, method, properties, _body):
        """No queue for a message. The broker still confirms it, right after this."""
        for item in self._outstanding.values():
            is_it = item.message.id == properties.message_id and (
                item.message.routing_key == method.routing_key
            )
            if is_it and not item.is_returned:
                item.is_returned = True
                return

    def _on_confirm(self, frame):
        is_taken = isinstance(frame.method, pika.spec.Basic.Ack)
        last = frame.method.delivery_tag
        tags = [last]
        if frame.method.multiple:
            tags = [tag for tag in self._outstanding if tag <= last]
        for tag in tags:
            item = self._outstanding.pop(tag, None)
            if item:
                self._resolve(item, is_taken)

    @staticmethod
    def _resolve(item, is_taken):
        with suppress(InvalidStateError):  # Its attempt has timed out.
            if not is_taken:
                item.future.set_exception(
                    NotPublished(Failure.REJECTED, "The broker refused the message")
                )
            elif item.is_returned:
                item.future.set_exception(
                    NotPublished(
                        Failure.UNROUTABLE,
                        f"{NO_ROUTE} NO_ROUTE: no queue is bound to "
                        f"{item.message.routing_key} of {item.message.exchange!r}",
                    )
                )
            else:
                item.future.set_result(None)

    def _rest(self):
        """Close an idle connection; otherwise look again later."""
        since = time.monotonic() - self._last_use
        with self._lock:
            # Not if somebody has just handed something over: it would have failed.
            is_over = since >= self._idle and not (self._outstanding or self._waiting)
            self._is_dead = self._is_dead or is_over
        if is_over:
            self._let_go()
        else:
            self._loop.call_later(max(0.1, self._idle - since), self._rest)

    def _die(self, error):
        """Fail whatever is not confirmed, then let go of the connection."""
        is_first = self._fail_all(error)
        if not self._connection or self._connection.is_closed:
            self._loop.stop()
        elif is_first:
            self._let_go()

    def _let_go(self):
        with suppress(exceptions.AMQPError):
            self._connection.close()
        # A second for a farewell that the broker may answer, or not.
        self._loop.call_later(1.0, self._loop.stop)

    def _fail_all(self, error):
        """:return: False if that has been done before"""
        with self._lock:
            is_first, self._is_dead = not self._is_dead, True
            items = [*self._outstanding.values(), *self._waiting]
            self._outstanding.clear()
            self._waiting.clear()
        for item in items:
            with suppress(InvalidStateError):
                item.future.set_exception(error)
        return is_first


class Publishers:
    """The publishers of this process, one a broker, user, TLS settings and exchange.

    One an exchange, as a broker closes the channel on which one was named that does not
    exist or is not ours: messages of others must not fail along with it. It also leaves
    no doubt which of two messages of the same event a broker returns.
    """

    def __init__(self, idle: float = IDLE_S):
        self._idle = idle
        self._publishers: dict[tuple[Broker, str], Publisher] = {}
        self._lock = threading.Lock()

    def publish(self, broker: Broker, message: AmqpMessage) -> Future:
        """Hand a message to its exchange's publisher, a new one if need be.

        :raises ssl.SSLError: unusable certificates
        """
        key = broker, message.exchange
        with self._lock:
            publisher = self._publishers.get(key)
            future = publisher and publisher.publish(message)
            if not future:
                self._forget_dead()
                publisher = self._publishers[key] = Publisher(broker, self._idle)
                future = publisher.publish(message)
        return future

    def _forget_dead(self):
        """Addresses and passwords change; what was known of old ones is no use."""
        self._publishers = {
            key: publisher
            for key, publisher in self._publishers.items()
            if not publisher.is_dead
        }

    def close(self) -> None:
        """End all connections, e.g. after a test."""
        with self._lock:
            for publisher in self._publishers.values():
                publisher.close()
            self._publishers.clear()


def _as_failure(error) -> NotPublished:
    """What pika says, in our terms."""
    causes = list(_causes(error))
    for kinds, failure in _FAILURES:
        cause = next((cause for cause in causes if isinstance(cause, kinds)), None)
        if cause:
            return NotPublished(failure, _text(cause))
    cause = causes[-1]
    code = getattr(cause, "reply_code", 0)
    if code == ACCESS_REFUSED:
        return NotPublished(Failure.AUTHORIZATION, _text(cause))
    if isinstance(cause, exceptions.ChannelClosed):
        return NotPublished(Failure.REJECTED, _text(cause))
    return NotPublished(Failure.CONNECTION, _text(cause))


_FAILURES = (
    (
        (
            exceptions.AuthenticationError,
            exceptions.ProbableAuthenticationError,
            exceptions.ProbableAccessDeniedError,
        ),
        Failure.AUTHORIZATION,
    ),
    (ssl.SSLError, Failure.TLS),
)


def _causes(error) -> Iterator[BaseException]:
    """The error and those it wraps; pika keeps them in different places."""
    yield error
    wrapped = getattr(error, "exceptions", None) or [getattr(error, "exception", None)]
    for inner in (*wrapped, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _text(error) -> str:
    code = getattr(error, "reply_code", 0)
    if code:
        return f"{code} {error.reply_text}"
    return str(error) or type(error).__name__
