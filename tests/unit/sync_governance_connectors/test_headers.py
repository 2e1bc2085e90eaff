from datetime import datetime, timezone

import http_sf
import pytest

from odoo.addons.sync_governance_connectors.tools import headers
from odoo.addons.sync_governance_connectors.tools.ratelimit import Limit, Meter, take


@pytest.mark.parametrize("bad", ["", "a b", "a\r\nX-Evil: 1", "x" * 129, "é", None])
def test_request_id_is_echoed_only_when_harmless(bad):
    assert headers.request_id(bad) is None
    assert headers.request_id("abc-1.2:3") == "abc-1.2:3"


def test_traceparent():
    good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert headers.traceparent(good) == good
    assert headers.traceparent(good.replace("4bf", "xyz")) is None
    assert headers.traceparent("00-" + "0" * 32 + "-00f067aa0ba902b7-01") is None


def test_media_type():
    kind = headers.media_type('Application/JSON; charset="UTF-8"')
    assert kind == ("application/json", "utf-8")
    assert headers.media_type(None) == ("", "")


@pytest.mark.parametrize(
    "accept, answer",
    [
        (None, True),
        ("*/*", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("text/html, application/json;q=0.5", True),
        ("application/json;q=0", False),
        ("text/html", False),
    ],
)
def test_accept(accept, answer):
    assert headers.accepts_json(accept) is answer


def test_prefer():
    assert headers.prefers_async("wait=10, respond-async")
    assert not headers.prefers_async("return=minimal")


def test_rate_limit_fields_are_structured_fields():
    limit = Limit(per_minute=60, burst=5, per_day=1000)
    fields = headers.rate_limit("default", limit, take(limit, Meter(), 1e9))
    for name, value in fields.items():
        parsed = http_sf.parse(value.encode(), tltype="list")
        assert parsed[0][0] == "default", name
    assert fields["RateLimit"] == '"default";r=4;t=1'
    assert headers.rate_limit("x", Limit(), take(Limit(), Meter(), 1e9)) == {}


def test_dates_of_deprecation():
    moment = datetime(2026, 11, 24, 5, tzinfo=timezone.utc)
    assert headers.deprecation(moment) == "@1795496400"
    assert headers.http_date(moment) == "Tue, 24 Nov 2026 05:00:00 GMT"


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+01:00"]
)
def test_times_beyond_the_calendar_are_no_times(text):
    with pytest.raises(ValueError):
        headers.utc_time(text)
