"""Inbound webhooks: the vendors' schemes, with their published vectors."""

import base64
import hashlib
import hmac

import pytest

from odoo.addons.sync_governance_connectors.tools.verify_inbound import (
    STRATEGIES,
    Inbound,
    Rejected,
)

NOW = 1_731_705_121.0
# Published by Svix (MIT) for Standard Webhooks.
SVIX = {
    "secret": "whsec_plJ3nmyCDGBKInavdOK15jsl",
    "headers": {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    },
    "body": b'{"event_type":"ping","data":{"success":true}}',
}
# GitHub's documentation, "Validating webhook deliveries".
GITHUB = {
    "secret": "It's a Secret to Everybody",
    "headers": {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-github-event": "push",
    },
    "body": b"Hello, World!",
}


def stripe_case(stamp=int(NOW), secret="whsec_test_secret"):
    body = b'{"id":"evt_1","type":"charge.succeeded"}'
    digest = hmac.new(
        secret.encode(), b"%d." % stamp + body, hashlib.sha256
    ).hexdigest()
    return {
        "secret": secret,
        "headers": {"stripe-signature": f"t={stamp},v1={digest},v0=ignored"},
        "body": body,
    }


def shopify_case():
    body = b'{"id":820982911946154508}'
    digest = hmac.new(b"hush", body, hashlib.sha256).digest()
    return {
        "secret": "hush",
        "headers": {
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "x-shopify-topic": "orders/create",
        },
        "body": body,
    }


CASES = {
    "standard": SVIX,
    "github": GITHUB,
    "stripe": stripe_case(),
    "shopify": shopify_case(),
    "shared_secret": {
        "secret": "s3cret",
        "headers": {"x-sync-secret": "s3cret", "x-event-id": "E-1"},
        "body": b"{}",
    },
    "basic": {
        "secret": "Aladdin:open sesame",  # RFC 7617, section 2
        "headers": {"authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        "body": b'{"id":"E-2","type":"x"}',
    },
}


def verify(strategy, case, now=NOW, **changed):
    case = {**case, **changed}
    inbound = Inbound(case["headers"], case["body"], now)
    return STRATEGIES[strategy](inbound, [case["secret"]])


@pytest.mark.parametrize(
    ("strategy", "event_id", "event_type"),
    [
        ("standard", "msg_loFOjxBNrRLzqYUf", ""),
        ("github", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "push"),
        ("stripe", "evt_1", "charge.succeeded"),
        ("shopify", "98880550-7158-44d4-b7cd-2c97c8a091b5", "orders/create"),
        ("shared_secret", "E-1", ""),
        ("basic", "E-2", "x"),
    ],
)
def test_accepts(strategy, event_id, event_type):
    verified = verify(strategy, CASES[strategy])
    assert (verified.event_id, verified.event_type) == (event_id, event_type)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_empty_secret_refuses(strategy):
    with pytest.raises(Rejected) as caught:
        verify(strategy, CASES[strategy], secret="")
    assert caught.value.code == "no_secret"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_wrong_secret_refuses(strategy):
    with pytest.raises(Rejected) as caught:
        verify(strategy, CASES[strategy], secret="whsec_d3Jvbmc=")
    assert caught.value.code.endswith("mismatch")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_missing_header_refuses(strategy):
    with pytest.raises(Rejected) as caught:
        verify(strategy, CASES[strategy], headers={})
    assert caught.value.code == "header_missing"


@pytest.mark.parametrize("strategy", ["standard", "github", "stripe", "shopify"])
def test_changed_body_refuses(strategy):
    with pytest.raises(Rejected) as caught:
        verify(strategy, CASES[strategy], body=CASES[strategy]["body"] + b" ")
    assert caught.value.code == "signature_mismatch"


@pytest.mark.parametrize("strategy", ["standard", "stripe"])
@pytest.mark.parametrize(
    ("shift", "code"), [(301, "timestamp_stale"), (-301, "timestamp_future")]
)
def test_stale_and_future_refuse(strategy, shift, code):
    with pytest.raises(Rejected) as caught:
        verify(strategy, CASES[strategy], now=NOW + shift)
    assert caught.value.code == code


def test_second_secret_during_rotation():
    inbound = Inbound(SVIX["headers"], SVIX["body"], NOW)
    assert STRATEGIES["standard"](inbound, ["whsec_b3RoZXI=", SVIX["secret"]]).event_id


def test_unknown_signature_versions_are_skipped():
    headers = {**SVIX["headers"]}
    headers["webhook-signature"] = "v1a,AAAA v2 " + headers["webhook-signature"]
    assert verify("standard", SVIX, headers=headers)


def test_body_without_id_is_known_by_its_content():
    first = verify(
        "shared_secret", CASES["shared_secret"], headers={"x-sync-secret": "s3cret"}
    )
    other = verify(
        "shared_secret",
        CASES["shared_secret"],
        headers={"x-sync-secret": "s3cret"},
        body=b'{"a":1}',
    )
    assert first.event_id.startswith("sha256-")
    assert first.event_id != other.event_id
