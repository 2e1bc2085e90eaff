import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools import idempotency
from odoo.addons.sync_governance_connectors.tools.call import Answer
from odoo.addons.sync_governance_connectors.tools.problem import Problem


@pytest.mark.parametrize(
    "header, key",
    [
        (None, None),
        ("8e03978e-40d5", "8e03978e-40d5"),
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ('  "a b"  ', "a b"),
        (r'"a\"b"', 'a"b'),
        ("x" * 255, "x" * 255),
    ],
)
def test_keys_quoted_or_bare(header, key):
    assert idempotency.parse_key(header) == key


@pytest.mark.parametrize(
    "header", ["", '""', "x" * 256, '"open', "a b", "a,b", "kеy", '"a\nb"', '"a"b"']
)
def test_malformed_keys_are_400(header):
    with pytest.raises(Problem) as caught:
        idempotency.parse_key(header)
    assert caught.value.status == 400


def test_key_of_another_route_or_credential_never_hits():
    post = idempotency.key_hash("POST", "customers", "1")
    assert post != idempotency.key_hash("PATCH", "customers", "1")
    assert post != idempotency.key_hash("POST", "orders", "1")
    assert idempotency.lock_id(1, post) != idempotency.lock_id(2, post)


@given(st.integers(1, 10**6), st.text())
def test_lock_id_fits_postgresql_bigint(credential_id, hashed):
    assert -(2**63) <= idempotency.lock_id(credential_id, hashed) < 2**63


def test_fingerprint_sees_every_part_and_no_shift_between_parts():
    base = ("POST", "/a", "", "application/json", b"{}")
    prints = {idempotency.fingerprint(*base)}
    for index in range(5):
        changed = list(base)
        changed[index] = b"{ }" if index == 4 else base[index] + "x"
        prints.add(idempotency.fingerprint(*changed))
    prints.add(idempotency.fingerprint("POST", "/", "a", "application/json", b"{}"))
    assert len(prints) == 7


CLAIM = idempotency.Claim("hash", "print", "req_2")
KNOWN = idempotency.Outcome("print", "req_1", Answer(201, b"{}"))


def test_a_free_key_is_worked_on_and_a_held_one_is_not():
    assert idempotency.judge(CLAIM, None, locked=True) is None
    refused = idempotency.judge(CLAIM, None, locked=False)
    assert (refused.status, refused.code) == (409, "idempotency_key_in_use")
    assert refused.headers["Retry-After"] == "1"


@pytest.mark.parametrize("locked", [True, False])
def test_what_came_of_a_key_is_repeated_for_the_same_call_alone(locked):
    assert idempotency.judge(CLAIM, KNOWN, locked) is KNOWN
    other = CLAIM._replace(fingerprint="other")
    refused = idempotency.judge(other, KNOWN, locked)
    assert (refused.status, refused.code) == (422, "idempotency_key_reused")
