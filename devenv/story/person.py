"""A person at the web client, as far as the story needs one: a session and calls."""

import requests

TIMEOUT_S = 60


class Refused(Exception):
    """Odoo answered with an error; the message is what the person would read."""


class Person:
    """Speaks the web client's own protocol with the person's own rights."""

    def __init__(self, base_url, database, login, password):
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self.uid = self._rpc(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password},
        )["uid"]

    def call(self, model, method, *args, **kwargs):
        """Call a public method as the web client does."""
        return self._rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def search(self, model, domain, fields, **options):
        """Return the records as a list of dicts."""
        return self.call(model, "search_read", domain, fields, **options)

    def _rpc(self, path, params):
        answer = self._session.post(
            self.base_url + path,
            json={"jsonrpc": "2.0", "method": "call", "params": params},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        content = answer.json()
        if "error" in content:
            raise Refused(content["error"]["data"].get("message") or content["error"])
        return content["result"]
