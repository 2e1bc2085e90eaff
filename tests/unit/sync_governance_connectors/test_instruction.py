import pytest

from odoo.addons.sync_governance_connectors.tools.instruction import awaited
from odoo.addons.sync_governance_connectors.tools.problem import FieldError

BODY = {
    "customer": {"external_id": "C-1"},
    "currency": "USD",
    "lines": [{"product": {"external_id": "P-1"}}, {"product": {"ref": "prd_1"}}],
}


@pytest.mark.parametrize(
    ("pointers", "expected"),
    [
        (["/customer"], "C-1"),
        (["/lines/0/product", "/customer"], "P-1"),
        # time does not mend these
        ([], ""),
        (["/currency"], ""),
        (["/customer", "/currency"], ""),
        (["/lines/1/product"], ""),
        (["/lines/7/product"], ""),
        (["/lines/x/product"], ""),
        (["/nowhere/at/all"], ""),
    ],
)
def test_what_a_body_waits_for(pointers, expected):
    errors = [FieldError(one, "Not there.", "unknown_reference") for one in pointers]
    assert awaited(BODY, errors) == expected


def test_nothing_is_waited_for_while_something_else_is_wrong():
    errors = [
        FieldError("/customer", "Not there.", "unknown_reference"),
        FieldError("/totals/total", "Does not add up.", "totals_mismatch"),
    ]
    assert awaited(BODY, errors) == ""
