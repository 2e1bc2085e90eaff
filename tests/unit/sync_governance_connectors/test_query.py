from datetime import datetime

import pytest

from odoo.addons.sync_governance_connectors.tools import query
from odoo.addons.sync_governance_connectors.tools.problem import Problem


def test_times_become_what_odoo_stores():
    parsed = query.parse({"updated_since": "2026-05-01T02:00:00+02:00"}, ())
    assert parsed == {"updated_since": datetime(2026, 5, 1)}


def test_a_resource_may_know_more():
    assert query.parse({"types": "order.*"}, ["types"]) == {"types": "order.*"}


@pytest.mark.parametrize(
    "asked, name",
    [
        ({"limt": "5"}, "limt"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": "9" * 50}, "limit"),
        ({"cursor": "a\nb"}, "cursor"),
        ({"updated_since": "2026-05-01"}, "updated_since"),
    ],
)
def test_bad_parameters_are_named(asked, name):
    with pytest.raises(Problem) as refused:
        query.parse(asked, ())
    assert refused.value.status == 400
    assert [fault.pointer for fault in refused.value.errors] == [name]
