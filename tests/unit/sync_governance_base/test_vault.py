import pytest

from odoo.addons.sync_governance_base.tools.vault import (
    InvalidKeyError,
    MissingKeyError,
    UnreadableError,
    Vault,
    generate_key,
    split_keys,
)


def test_round_trip_and_no_two_tokens_alike():
    vault = Vault([generate_key()])
    first, second = vault.encrypt("pässword"), vault.encrypt("pässword")
    assert first != second
    assert vault.decrypt(first) == vault.decrypt(second) == "pässword"
    assert "pässword" not in first


def test_a_new_key_in_front_still_reads_the_old_tokens():
    old, new = generate_key(), generate_key()
    token = Vault([old]).encrypt("secret")
    both = Vault([new, old])
    assert both.decrypt(token) == "secret"
    assert Vault([new]).decrypt(both.rotate(token)) == "secret"
    with pytest.raises(UnreadableError):
        Vault([new]).decrypt(token)
    with pytest.raises(UnreadableError):
        Vault([new]).rotate(token)


def test_an_altered_token_is_refused_without_telling_it():
    vault = Vault([generate_key()])
    token = vault.encrypt("secret")
    with pytest.raises(UnreadableError) as error:
        vault.decrypt(token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])
    assert token not in str(error.value)


def test_missing_and_malformed_keys():
    with pytest.raises(MissingKeyError):
        Vault([])
    with pytest.raises(InvalidKeyError) as error:
        Vault(["my-password"])
    assert "my-password" not in str(error.value)


def test_split_keys():
    assert split_keys(None) == split_keys(" , ") == []
    assert split_keys("new, old,") == ["new", "old"]


def test_fingerprint_is_short_stable_and_keyed():
    key = generate_key()
    assert Vault([key]).fingerprint("a") == Vault([key]).fingerprint("a")
    assert Vault([key]).fingerprint("a") != Vault([key]).fingerprint("b")
    assert Vault([key]).fingerprint("a") != Vault([generate_key()]).fingerprint("a")
    assert len(Vault([key]).fingerprint("a")) == 16
