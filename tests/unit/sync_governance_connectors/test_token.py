import pytest

from odoo.addons.sync_governance_connectors.tools import token


def fixed(size):
    return bytes(range(size))


def test_key_round_trips_and_only_its_digest_is_stored():
    key = token.generate(fixed)
    text = token.render(key)
    assert text.startswith("sgk_") and token.parse(text) == key
    stored = token.digest(key.secret)
    assert key.secret not in stored
    assert token.matches(key.secret, stored)
    assert not token.matches("b" + key.secret[1:], stored)


def test_unknown_prefix_is_compared_too_and_never_matches(monkeypatch):
    compared = []
    real = token.hmac.compare_digest
    monkeypatch.setattr(
        token.hmac, "compare_digest", lambda a, b: compared.append(1) or real(a, b)
    )
    assert not token.matches("anything", None)
    assert compared == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sgk_",
        "sgk_short_x",
        "SGK_aaaaaaaa_" + "a" * 52,
        "sgk_aaaaaaaa_" + "a" * 53,
        "sgk_aaaaaaaa_" + "a" * 52 + "\n",
        "sgk_аaaaaaaa_" + "a" * 52,  # a Cyrillic look-alike
    ],
)
def test_anything_else_is_no_token(text):
    assert token.parse(text) is None


def test_authorization_scheme_in_any_case():
    text = token.render(token.generate(fixed))
    assert token.parse_authorization(f"bearer {text}")
    assert token.parse_authorization(f"BEARER  {text}")
    assert token.parse_authorization(f"Basic {text}") is None
    assert token.parse_authorization(None) is None


def test_access_token_expires_and_dies_with_its_key():
    claims = token.AccessClaims(1_000, ("customer:read",))
    sealed = token.parse(token.render(token.seal(claims, "aaaaaaaa", b"key")))
    assert token.unseal(sealed, "key", now=999) == claims
    assert token.unseal(sealed, "key", now=1_000) is None
    assert token.unseal(sealed, "rotated", now=999) is None


def test_access_token_is_bound_to_its_prefix():
    sealed = token.seal(token.AccessClaims(1_000, ()), "aaaaaaaa", b"key")
    moved = token.Bearer(sealed.kind, "bbbbbbbb", sealed.secret)
    assert token.unseal(moved, "key", now=1) is None


@pytest.mark.parametrize("payload", [b"", b"[", b"{}", b'{"exp": "x"}', b"\xff"])
def test_what_anybody_could_seal_is_not_read(payload):
    """Without a credential there is no key; the stand-in for it is no secret."""
    body = token._base64(payload)
    signature = token._signature(body, "aaaaaaaa", token.NO_DIGEST.encode())
    forged = token.Bearer(token.ACCESS_TAG, "aaaaaaaa", f"{body}.{signature}")
    assert token.unseal(forged, None, now=1) is None
