import pytest

from odoo.addons.sync_governance_webhooks.tools.outcome import (
    Attempt,
    Failure,
    Verdict,
    error_class,
    is_outage,
    is_throttled,
    judge,
)


def attempt(status=0, failure=None, directive=""):
    return Attempt(
        started=0, duration=0, status=status, failure=failure, directive=directive
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (301, Verdict.DEAD),
        (302, Verdict.DEAD),
        (400, Verdict.DEAD),
        (401, Verdict.DEAD),
        (404, Verdict.DEAD),
        (408, Verdict.RETRY),
        (409, Verdict.RETRY),
        (410, Verdict.GONE),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (501, Verdict.RETRY),
        (503, Verdict.RETRY),
    ],
)
def test_status_decides(status, verdict):
    assert judge(attempt(status)) is verdict


@pytest.mark.parametrize("failure", list(Failure))
def test_failures_are_retried_unless_ours(failure):
    ours = failure in (Failure.REFUSED_ADDRESS, Failure.PAYLOAD)
    assert judge(attempt(failure=failure)) is (Verdict.DEAD if ours else Verdict.RETRY)
    assert error_class(attempt(failure=failure)) == failure.value


def test_directives_of_the_receiver():
    assert judge(attempt(200, directive="disable")) is Verdict.GONE
    assert judge(attempt(503, directive="abort-message")) is Verdict.DEAD


def test_a_bad_message_is_no_outage():
    assert [is_outage(attempt(code)) for code in (400, 404, 429, 410)] == [False] * 4
    assert [is_outage(attempt(code)) for code in (408, 500, 503)] == [True] * 3
    assert is_outage(attempt(failure=Failure.DNS))


def test_throttling():
    assert [is_throttled(attempt(code)) for code in (429, 502, 504)] == [True] * 3
    assert is_throttled(attempt(failure=Failure.TIMEOUT))
    assert not is_throttled(attempt(500))
