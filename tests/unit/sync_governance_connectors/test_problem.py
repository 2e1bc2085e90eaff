import json

import pytest

from odoo.addons.sync_governance_connectors.tools.problem import Problem


def test_document_has_every_member_of_the_contract():
    problem = Problem(404, "not_found", "No customer 'x'.", hint="create it first")
    document = json.loads(problem.as_bytes("req_1"))
    assert document == {
        "type": "urn:sync-governance:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "No customer 'x'.",
        "instance": "req_1",
        "code": "not_found",
        "errors": [],
        "hint": "create it first",
    }


def test_invalid_reports_all_faults_at_once():
    problem = Problem.invalid([("/a", "bad a", "x"), ("/b", "bad b", "y")])
    assert problem.status == 422
    assert [error["pointer"] for error in problem.as_dict()["errors"]] == ["/a", "/b"]


@pytest.mark.parametrize("code", ["quota_exceeded", "temporary_reduced_capacity"])
def test_registered_types_are_used(code):
    kind = Problem(429, code).as_dict()["type"]
    assert kind.startswith("https://iana.org/assignments/http-problem-types#")
