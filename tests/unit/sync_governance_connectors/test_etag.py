import pytest

from odoo.addons.sync_governance_connectors.tools import etag
from odoo.addons.sync_governance_connectors.tools.problem import Problem

TAG = etag.strong(b"body")


def status_of(function, *args):
    try:
        function(*args)
    except Problem as problem:
        return problem.status
    return None


@pytest.mark.parametrize(
    "header, current, required, status",
    [
        (None, TAG, True, 428),
        (None, TAG, False, None),
        (TAG, TAG, True, None),
        (f'"other", {TAG}', TAG, True, None),
        ('"other"', TAG, True, 412),
        (f"W/{TAG}", TAG, True, 412),  # weak tags never match strongly
        ("*", TAG, True, None),
        ("*", None, True, 412),
        (f'W/"x", {TAG}', TAG, True, None),
        ("garbage", TAG, True, 400),
        ("", TAG, False, 400),
        (f"{TAG}\n", TAG, True, 400),
    ],
)
def test_if_match(header, current, required, status):
    assert status_of(etag.check_if_match, header, current, required) == status


def test_if_none_match():
    assert etag.not_modified(TAG, TAG)
    assert etag.not_modified(f"W/{TAG}", TAG)
    assert etag.not_modified("*", TAG)
    assert not etag.not_modified('"x"', TAG)
    assert not etag.not_modified(None, TAG)
    assert status_of(etag.check_if_none_match_any, "*", True) == 412
    assert status_of(etag.check_if_none_match_any, "*", False) is None
