"""Publishing to a real RabbitMQ: what arrives, how, and what if the broker dies."""

import json
import socket
import time
from collections import defaultdict
from contextlib import contextmanager

import pika
import pytest
from standardwebhooks import Webhook

from devenv.certificates import Authority
from devenv.rabbitmq import RabbitMq

QUEUE = "orders"
ARRIVED = {"delivered": 1}


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def broker(world, authority):
    instance = RabbitMq(
        world.folder.parent / "rabbitmq",
        authority=authority.pem,
        server=authority.certificate("localhost"),
    )
    try:
        instance.start()
        yield instance
    finally:
        instance.stop()


class Consumer:
    """The other side of the broker."""

    def __init__(self, broker):
        self._broker = broker

    def declare(self, exchange="erp", key="fault.#"):
        """A durable exchange with an empty durable queue bound to it."""
        with self._channel() as channel:
            channel.exchange_declare(exchange, "topic", durable=True)
            channel.queue_declare(QUEUE, durable=True)
            channel.queue_purge(QUEUE)
            channel.queue_bind(QUEUE, exchange, key)

    def take(self):
        """All messages, as (method, properties, body)."""
        messages = []
        with self._channel() as channel:
            while True:
                message = channel.basic_get(QUEUE, auto_ack=True)
                if message[0] is None:
                    return messages
                messages.append(message)

    @contextmanager
    def _channel(self):
        credentials = pika.PlainCredentials(self._broker.user, self._broker.password)
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                "127.0.0.1", self._broker.port, credentials=credentials
            )
        )
        try:
            yield connection.channel()
        finally:
            connection.close()


@pytest.fixture
def consumer(broker):
    instance = Consumer(broker)
    instance.declare()
    return instance


@pytest.fixture
def publish(outbox, broker):
    """A function: subscribe with some settings; returns its id."""

    def publish(name, **values):
        settings = {
            "transport": "amqp",
            "url": f"amqp://127.0.0.1:{broker.port}",
            "amqp_exchange": "erp",
            "auth_kind": "basic",
            "auth_user": broker.user,
            "auth_secret": broker.password,
            "retry_schedule": "0",
            **values,
        }
        return outbox.prepare([name], **settings)[name]

    return publish


def settle(outbox, subscription, count, seconds=90):
    """Wait until every delivery has ended; return the states."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        states = outbox.states([subscription])
        ended = states.get("delivered", 0) + states.get("dead", 0)
        if ended == count:
            break
    return states


def attempts(outbox, subscription):
    """(error class, error, request headers) of each attempt, in order."""
    return outbox.query(
        "SELECT error_class, error, request_headers FROM sync_delivery_attempt"
        f" WHERE subscription_id = {subscription} ORDER BY id"
    )


def connections(broker):
    """How often somebody has connected so far."""
    logs = (broker.folder / "log").glob("*.log")
    return sum(log.read_text().count("accepting AMQP connection") for log in logs)


def test_messages_arrive_as_agreed(outbox, broker, consumer, publish):
    subscription = publish("/standard", format="standard")
    before = connections(broker)
    events = outbox.emit(keys=20, rounds=3)
    assert settle(outbox, subscription, events) == {"delivered": events}
    assert connections(broker) == before + 1, "one connection for all of them"
    messages = consumer.take()
    assert len(messages) == events
    secret = outbox.world.shell(
        f"subscription = env['sync.subscription'].browse({subscription});"
        "result = subscription._secrets('webhook signing')[0]._reveal()"
    )
    for method, properties, body in messages:
        assert method.routing_key == "fault.happened" == properties.type
        assert properties.delivery_mode == 2
        assert properties.content_type == "application/json"
        assert properties.message_id == properties.headers["webhook-id"]
        assert abs(properties.timestamp - time.time()) < 300
        Webhook(secret).verify(body, properties.headers)
    assert len({properties.message_id for _method, properties, _body in messages}) == (
        events
    )
    [(_class, _error, headers)] = attempts(outbox, subscription)[:1]
    assert "routing-key: fault.happened" in headers
    assert broker.password not in headers


def test_cloudevents(outbox, consumer, publish):
    subscription = publish("/binary", format="cloudevents_binary")
    outbox.emit(keys=1, rounds=1)
    assert settle(outbox, subscription, 1) == ARRIVED
    [(_method, properties, body)] = consumer.take()
    assert properties.headers["cloudEvents_specversion"] == "1.0"
    assert properties.headers["cloudEvents_id"] == properties.message_id
    assert json.loads(body) == {"turn": 0}
    subscription = publish("/structured", format="cloudevents_structured")
    outbox.emit(keys=1, rounds=1)
    assert settle(outbox, subscription, 1) == ARRIVED
    [(_method, properties, body)] = consumer.take()
    assert properties.content_type.startswith("application/cloudevents+json")
    assert json.loads(body)["id"] == properties.message_id


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"amqp_routing_key": "elsewhere"}, "unroutable", "no queue is bound"),
        ({"amqp_exchange": "missing"}, "rejected", "404 NOT_FOUND"),
        ({"auth_secret": "wrong"}, "authorization", ""),
        ({"url": "amqp://127.0.0.1:1"}, "connection", ""),
        ({"url": "amqp://10.255.255.1"}, "refused_address", "allowed_networks"),
        ({"amqp_routing_key": "x" * 256}, "payload", "255"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_the_broker_does_not_take_has_failed(
    values, error, words, outbox, consumer, publish
):
    subscription = publish("/failing", **values)
    outbox.emit(keys=1, rounds=1)
    assert settle(outbox, subscription, 1) == {"dead": 1}
    [(found, text, headers)] = attempts(outbox, subscription)
    assert found == error
    assert words in (text or "")
    assert "wrong" not in text + headers
    assert consumer.take() == []


def test_a_broker_that_says_nothing_costs_the_timeout(outbox, publish):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://127.0.0.1:{silent.getsockname()[1]}"
        subscription = publish("/silent", url=url, timeout_s=1.0)
        outbox.emit(keys=1, rounds=1)
        assert settle(outbox, subscription, 1) == {"dead": 1}
    assert attempts(outbox, subscription)[0][0] == "timeout"


def test_an_exchange_that_is_missing_fails_alone(outbox, broker, consumer, publish):
    """The broker closes the channel on which it was named: not that of the others."""
    good = publish("/good", max_concurrency=32)
    missing = outbox.world.shell(
        f"""
missing = env["sync.subscription"].browse({good}).copy({{
    "name": "/missing", "amqp_exchange": "missing",
    "auth_user": "{broker.user}", "auth_secret": "{broker.password}"}})
missing._rotate_secret()
missing.action_activate()
env.cr.commit()
result = missing.id
"""
    )
    events = outbox.emit(keys=100, rounds=5)
    assert settle(outbox, good, events) == {"delivered": events}
    assert len(consumer.take()) == events
    assert {row[0] for row in attempts(outbox, good)} == {None}
    assert "404" in attempts(outbox, missing)[0][1]


def test_messages_do_not_wait_for_each_others_confirm(outbox, consumer, publish):
    subscription = publish("/fast", max_concurrency=64)
    outbox.pause()
    events = outbox.emit(keys=500, rounds=8)
    outbox.go_on()
    assert settle(outbox, subscription, events) == {"delivered": events}
    assert len(consumer.take()) == events
    [(seconds,)] = outbox.query(
        "SELECT extract(epoch FROM max(started_at + duration_ms * INTERVAL '1 ms')"
        " - min(started_at))::float FROM sync_delivery_attempt"
        f" WHERE subscription_id = {subscription}"
    )
    print(f"{events / seconds:.0f} messages/s, each confirmed")
    # A disk is asked for each batch of confirms; one by one would be a tenth of it.
    assert events / seconds > 150


def test_tls_with_password_or_certificate(outbox, broker, consumer, publish, authority):
    secure = {
        "url": f"amqps://localhost:{broker.tls_port}/",
        "trusted_authorities": authority.pem,
    }
    by_certificate = {
        "auth_kind": "none",
        "auth_user": False,
        "auth_secret": False,
        "client_certificate": authority.certificate(broker.user),
    }
    for values in (secure, secure | by_certificate):
        subscription = publish("/secure", **values)
        outbox.emit(keys=1, rounds=1)
        assert settle(outbox, subscription, 1) == ARRIVED
        assert len(consumer.take()) == 1
    subscription = publish("/untrusted", **secure | {"trusted_authorities": False})
    outbox.emit(keys=1, rounds=1)
    assert settle(outbox, subscription, 1) == {"dead": 1}
    assert attempts(outbox, subscription)[0][0] == "tls"


def test_a_killed_broker_loses_and_reorders_nothing(outbox, broker, consumer, publish):
    subscription = publish(
        "/killed",
        format="cloudevents_structured",
        ordered=True,
        max_concurrency=16,
        retry_schedule=",".join(["0"] + ["1"] * 60),
    )
    keys, rounds = 25, 60
    events = outbox.emit(keys, rounds)
    arrived = []
    for _kill in range(2):
        goal = outbox.states([subscription]).get("delivered", 0) + 150
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if outbox.states([subscription]).get("delivered", 0) >= goal:
                break
        broker.kill()
        broker.start()
    states = settle(outbox, subscription, events, seconds=150)
    assert states == {"delivered": events}
    arrived = consumer.take()
    ids = [properties.message_id for _method, properties, _body in arrived]
    # taken over by the broker before it died, or sent again: never lost
    assert len(set(ids)) == events
    failed = [row[0] for row in attempts(outbox, subscription) if row[0]]
    assert failed, "it died while something was under way"
    seen, sequences = set(), defaultdict(list)
    for _method, properties, body in arrived:
        event = json.loads(body)
        if properties.message_id not in seen:
            seen.add(properties.message_id)
            sequences[event["partitionkey"]].append(event["sequence"])
    assert len(sequences) == keys
    assert all(found == sorted(found) for found in sequences.values())
