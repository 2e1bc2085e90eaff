"""An outside system as the story plays it: it knows HTTP and its own ids, no Odoo."""

import json
import time
import uuid
from datetime import datetime, timezone

import requests
from standardwebhooks import Webhook

TIMEOUT_S = 30


class Partner:
    """Calls the governed API of one Odoo as one system."""

    def __init__(self, base_url, code, token=None, hook_secret=None):
        self.code = code
        self._base_url = base_url.rstrip("/")
        self._hook_secret = hook_secret
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path, **params):
        """GET a resource below ``/sync/v1``."""
        return self._session.get(self._url(path), params=params, timeout=TIMEOUT_S)

    def post(self, path, body, key=None):
        """POST a JSON body; a fresh idempotency key unless one is given."""
        return self._send("POST", path, body, key)

    def patch(self, path, body, key=None):
        """Send a JSON merge patch (RFC 7396) of what is there now, by its ETag."""
        return self._send(
            "PATCH",
            path,
            body,
            key,
            content_type="application/merge-patch+json",
            if_match=self.get(path).headers.get("ETag"),
        )

    def hook(self, event_type, data, event_id=None):
        """Post a webhook to ``/sync/v1/hooks/<code>``, signed as Standard Webhooks."""
        now = time.time()
        event_id = event_id or f"msg_{uuid.uuid4().hex}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        body = json.dumps({"type": event_type, "timestamp": stamp, "data": data})
        return requests.post(
            self._url(f"hooks/{self.code}"),
            data=body.encode(),
            headers={
                "Content-Type": "application/json",
                "webhook-id": event_id,
                "webhook-timestamp": str(int(now)),
                "webhook-signature": self._sign(event_id, now, body),
            },
            timeout=TIMEOUT_S,
        )

    def _sign(self, event_id, now, body):
        moment = datetime.fromtimestamp(int(now), timezone.utc)
        return Webhook(self._hook_secret).sign(event_id, moment, body)

    def _send(
        self, method, path, body, key, content_type="application/json", if_match=None
    ):
        return self._session.request(
            method,
            self._url(path),
            data=json.dumps(body).encode(),
            headers={
                "Content-Type": content_type,
                "Idempotency-Key": f'"{key or uuid.uuid4()}"',
                "If-Match": if_match,
            },
            timeout=TIMEOUT_S,
        )

    def _url(self, path):
        return f"{self._base_url}/sync/v1/{path.lstrip('/')}"
