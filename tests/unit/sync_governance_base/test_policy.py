# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import date

import pytest

from odoo.addons.sync_governance_base.tools.policy import (
    Enforcement,
    FieldRule,
    Outcome,
    Owner,
    PolicyRules,
    decide,
    decide_record,
    may_write,
)
from odoo.addons.sync_governance_base.tools.source import (
    Channel,
    Source,
    channel_of_path,
)

FINANCE = Source(Channel.INBOUND, system_code="finance")
SHOP = Source(Channel.INBOUND, system_code="shop")
PERSON = Source(Channel.UI, user_id=7)


def rule(*owners, enforcement=Enforcement.BLOCK):
    return FieldRule("credit", tuple(owners), enforcement)


def rules(**values):
    return PolicyRules(1, "Customers", 1, Enforcement.BLOCK, **values)


@pytest.mark.parametrize("enforcement", Enforcement)
def test_owner_may_and_others_meet_the_enforcement(enforcement):
    governed = rule(Owner("finance", 1), enforcement=enforcement)
    assert decide(rules(), governed, FINANCE) is Outcome.ALLOWED
    expected = {
        "observe": "observed",
        "warn": "warned",
        "propose": "proposed",
        "block": "blocked",
    }
    assert decide(rules(), governed, PERSON).value == expected[enforcement.value]


def test_people_are_odoo():
    assert may_write(rule(Owner("odoo", 1)), PERSON)


def test_unowned_field_is_free():
    assert decide(rules(), rule(), SHOP) is Outcome.ALLOWED


@pytest.mark.parametrize("observes", [True, False])
def test_superuser_follows_the_policy(observes):
    source = Source(Channel.CRON, superuser=True)
    outcome = decide(rules(su_observes=observes), rule(Owner("finance", 1)), source)
    assert outcome is (Outcome.OBSERVED if observes else Outcome.BLOCKED)


@pytest.mark.parametrize(
    "source", [PERSON.overriding("typo"), Source(Channel.UI, merge_ref="mrg_1")]
)
def test_overrides_and_merges_pass(source):
    assert decide(rules(), rule(Owner("finance", 1)), source) is Outcome.ALLOWED
    assert decide_record(rules(), source) is Outcome.ALLOWED


@pytest.mark.parametrize(
    ("ages", "allowed"),
    [
        (None, True),
        ({"finance": 25.0}, True),
        ({"finance": 23.0}, False),
        ({"finance": 24.0}, False),
    ],
)
def test_second_owner_waits_for_the_first_to_be_stale(ages, allowed):
    ranked = rule(Owner("finance", 1, freshness_hours=24), Owner("shop", 2))
    assert may_write(ranked, SHOP, ages) is allowed
    assert may_write(ranked, FINANCE, ages)


def test_without_freshness_the_first_owner_never_gives_way():
    assert not may_write(
        rule(Owner("finance", 1), Owner("shop", 2)), SHOP, {"finance": 1e9}
    )


def test_records_cannot_be_half_proposed():
    proposing = PolicyRules(1, "P", 1, Enforcement.PROPOSE)
    assert decide_record(proposing, SHOP) is Outcome.BLOCKED


def test_dates_include_both_ends():
    dated = rules(effective_from=date(2026, 1, 1), effective_to=date(2026, 1, 31))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [dated.in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("path", "channel"),
    [
        ("/json/2/res.partner/write", Channel.JSON2),
        ("/xmlrpc/2/object", Channel.XMLRPC),
        ("/jsonrpc", Channel.XMLRPC),
        ("/queue_job/runjob", Channel.JOB),
        ("/sync/v1/customers", Channel.INBOUND),
        ("/web/dataset/call_kw/res.partner/web_save", Channel.UI),
    ],
)
def test_channel_of_a_path(path, channel):
    assert channel_of_path(path) is channel
    assert channel_of_path("/web/dataset/call_kw", importing=True) is Channel.IMPORT
