"""Systems that call the API, each with a key of its own."""

import uuid
from types import NoneType

import pytest
import requests

ISSUE = """
code, reach, scopes, company = {code!r}, {reach!r}, {scopes!r}, {company!r}
if company:
    found = env["res.company"].search([("name", "=", company)])
    company = found or env["res.company"].create({{"name": company}})
    env = env(context=dict(env.context, allowed_company_ids=company.ids))
plan = env["sync.plan"].search([("code", "=", "e2e")]) or env["sync.plan"].create(
    {{"name": "End to end", "code": "e2e", "per_minute": 60000, "burst": 10000,
      "per_day": 1000000, "concurrency": 0, "max_body_kb": 8192}})
system = env["sync.system"].search([("code", "=", code)])
system = system or env["sync.system"].create(
    {{"name": code, "code": code, "kind": "shop", "state": "live", "reach": reach,
      "company_id": env.company.id}})
account = env["sync.service.account"]._create_for(system, "e2e")
credential, key = env["sync.credential"]._issue(
    account, scopes, plan=plan, allowed_networks={networks!r})
env.cr.commit()
result = key
"""
MERGE_PATCH = "application/merge-patch+json"


class Api:
    """Calls the API of a world with one key, as an engineer does by hand."""

    def __init__(self, world, key):
        self.base = f"{world.url}/sync/v1"
        self.key = key

    def call(self, method, path, body=None, **headers):
        """One call; POST and PATCH get a fresh key, PATCH the state that is there.

        :param body: a dict is sent as JSON, bytes as they are
        :param headers: in snake case; None leaves one out
        """
        sent = {"Authorization": f"Bearer {self.key}"}
        if method in ("POST", "PATCH"):
            sent["Idempotency-Key"] = uuid.uuid4().hex
        if method in ("PUT", "PATCH"):
            sent["If-Match"] = "*"
        if body is not None:
            json_type = "application/json"
            sent["Content-Type"] = MERGE_PATCH if method == "PATCH" else json_type
        sent |= {name.replace("_", "-").title(): v for name, v in headers.items()}
        raw = {"json": body} if isinstance(body, (dict, NoneType)) else {"data": body}
        return requests.request(
            method, self.base + path, headers=sent, timeout=60, **raw
        )

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, {} if body is None else body, **headers)


@pytest.fixture(scope="session")
def api_of(world):
    """A function: a system (made if need be) with a new account and key."""

    def api_of(code, scopes=("*:*",), reach="company", company=None, networks=False):
        """:param company: name of a company of its own; None for the main one"""
        issued = ISSUE.format(
            code=code,
            scopes=list(scopes),
            reach=reach,
            company=company,
            networks=networks,
        )
        return Api(world, world.shell(issued))

    return api_of
