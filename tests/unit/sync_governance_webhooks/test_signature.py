import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools.signature import (
    SecretFormatError,
    SignatureError,
    SigningKey,
    generate_secret,
    signature_headers,
    verify,
)

# Published by Svix (MIT): secret, id, timestamp, body, signature.
VECTORS = [
    (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1731705121,
        b'{"event_type":"ping","data":{"success":true}}',
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ),
]


@pytest.mark.parametrize(
    ("secret", "message_id", "timestamp", "body", "expected"), VECTORS
)
def test_published_vectors(secret, message_id, timestamp, body, expected):
    key = SigningKey.parse(secret)
    headers = signature_headers([key], message_id, timestamp, body)
    assert headers["webhook-signature"] == expected
    verify([key], message_id, str(timestamp), expected, body, now=timestamp + 300)


def test_the_reference_libraries_accept_ours():
    standardwebhooks = pytest.importorskip("standardwebhooks")
    svix = pytest.importorskip("svix.webhooks")
    import time

    old, new = (generate_secret(lambda n, i=i: bytes(range(i, i + n))) for i in (0, 50))
    keys = [SigningKey.parse(old), SigningKey.parse(new)]
    body = json.dumps({"type": "order.confirmed", "data": {"name": "Käse"}}).encode()
    headers = signature_headers(keys, "evt_1", int(time.time()), body)
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(body, headers)["type"]
        svix.Webhook(secret).verify(body, headers)
    with pytest.raises(Exception, match="."):
        standardwebhooks.Webhook(old).verify(body + b" ", headers)


def test_public_half_of_the_svix_key():
    import base64

    raw = base64.b64decode(VECTORS[2][0].removeprefix("whsk_"))
    assert base64.b64decode(SigningKey.parse(VECTORS[2][0]).public()[5:]) == raw[32:]
    assert SigningKey.parse(VECTORS[0][0]).public() == ""


@pytest.mark.parametrize("offset", [-301, 301])
def test_too_old_and_too_new_are_refused(offset):
    secret, message_id, timestamp, body, signature = VECTORS[0]
    with pytest.raises(SignatureError, match="too far"):
        verify(
            [SigningKey.parse(secret)],
            message_id,
            str(timestamp),
            signature,
            body,
            timestamp + offset,
        )


@pytest.mark.parametrize(
    "entry", ["", "v1", "v1,!!", "v2,AAAA", "nonsense", "v1a,AAAA"]
)
def test_entries_that_are_not_ours_never_pass_nor_crash(entry):
    secret, message_id, timestamp, body, _signature = VECTORS[0]
    keys = [SigningKey.parse(secret), SigningKey.parse(VECTORS[2][0])]
    with pytest.raises(SignatureError):
        verify(keys, message_id, str(timestamp), entry, body, timestamp)


def test_no_key_accepts_nothing():
    _secret, message_id, timestamp, body, signature = VECTORS[0]
    with pytest.raises(SignatureError):
        verify([], message_id, str(timestamp), signature, body, timestamp)


@pytest.mark.parametrize(
    "secret", ["", "abc", "whsec_", "whsec_AAAA", "whsec_???", "whsk_AAAA", "whpk_AAAA"]
)
def test_bad_secrets_are_refused_without_being_repeated(secret):
    with pytest.raises(SecretFormatError) as caught:
        SigningKey.parse(secret)
    assert len(secret) < 8 or secret not in str(caught.value)


@given(st.binary(), st.sampled_from(["v1", "v1a"]))
def test_sign_then_verify(body, version):
    secret = generate_secret(lambda n: b"k" * n, version)
    key = SigningKey.parse(secret)
    headers = signature_headers([key], "evt_x", 1_700_000_000, body)
    args = ("evt_x", headers["webhook-timestamp"], headers["webhook-signature"])
    verify([key], *args, body, 1_700_000_000)
    with pytest.raises(SignatureError):
        verify([key], *args, body + b"x", 1_700_000_000)
