# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import datetime, timedelta
from random import Random

from odoo.addons.sync_governance_base.tools.dry_run import Write, replay
from odoo.addons.sync_governance_base.tools.policy import (
    CREATION,
    DELETION,
    Enforcement,
    FieldRule,
    Outcome,
    Owner,
    PolicyRules,
)
from odoo.addons.sync_governance_base.tools.source import Channel, Source

FINANCE = Source(Channel.INBOUND, system_code="finance")
SHOP = Source(Channel.INBOUND, system_code="shop")
PERSON = Source(Channel.UI, user_id=7)
FLOW = Source(Channel.CRON, user_id=1, superuser=True)
NOON = datetime(2026, 3, 1, 12)


def rules(*owners, **values):
    line = FieldRule("credit", owners or (Owner("finance", 1),), Enforcement.BLOCK)
    return PolicyRules(1, "C", 1, Enforcement.BLOCK, fields={"credit": line}, **values)


def test_each_source_has_its_figures():
    writes = [
        Write("credit", PERSON, 3),
        Write("credit", PERSON, 2),
        Write("credit", FINANCE),
        Write("credit", FLOW, 4),
        Write("name", PERSON, 9),
    ]
    assert replay(rules(), writes) == {
        ("credit", PERSON, Outcome.BLOCKED): 5,
        ("credit", FINANCE, Outcome.ALLOWED): 1,
        ("credit", FLOW, Outcome.OBSERVED): 4,
    }


def test_superusers_may_be_bound():
    figures = replay(rules(su_observes=False), [Write("credit", FLOW)])
    assert figures == {("credit", FLOW, Outcome.BLOCKED): 1}


def test_a_lower_rank_waits_for_the_better_owner_to_be_stale():
    ranked = rules(Owner("finance", 1, freshness_hours=24), Owner("shop", 2))
    hours = {0: FINANCE, 1: SHOP, 20: SHOP, 25: SHOP, 30: FINANCE, 40: SHOP}
    writes = [
        Write("credit", source, record=5, at=NOON + timedelta(hours=hour))
        for hour, source in hours.items()
    ]
    Random(1).shuffle(writes)
    assert replay(ranked, writes) == {
        ("credit", FINANCE, Outcome.ALLOWED): 2,
        ("credit", SHOP, Outcome.BLOCKED): 3,
        ("credit", SHOP, Outcome.ALLOWED): 1,
    }
    # another record has its own times
    other = Write("credit", SHOP, record=6, at=NOON + timedelta(hours=1))
    assert replay(ranked, [*writes, other])["credit", SHOP, Outcome.ALLOWED] == 2


def test_creations_and_deletions_count_where_they_are_governed():
    writes = [
        Write(CREATION, PERSON, 10),
        Write(DELETION, PERSON),
        Write(DELETION, FINANCE),
    ]
    assert replay(rules(), writes) == {}
    assert replay(rules(create_refused=True, on_delete="refuse"), writes) == {
        (CREATION, PERSON, Outcome.BLOCKED): 10,
        (DELETION, PERSON, Outcome.BLOCKED): 1,
        (DELETION, FINANCE, Outcome.ALLOWED): 1,
    }
