"""The demo's outside systems as receivers of webhooks: one small HTTP server.

``POST /<system>`` verifies the Standard Webhooks signature with the published
``standardwebhooks`` library, as a partner's engineer would, and appends one JSON
line per call to a log file. A planned outage makes the first calls of a type fail,
so that retries can be seen.

Run: ``python -m devenv.story.receiver --port 0 --log FILE --secrets FILE``; the
first line on standard output is the port it listens on.
"""

import argparse
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY_BYTES = 1 << 20


class PlannedOutages:
    """How often each (system, event type) still answers 503, thread-safe."""

    def __init__(self, outages):
        self._left = dict(outages)
        self._lock = threading.Lock()

    def strikes(self, system, event_type):
        """Tell whether this call falls into the outage, and count it."""
        with self._lock:
            left = self._left.get((system, event_type), 0)
            if left:
                self._left[system, event_type] = left - 1
            return bool(left)


class ReceiverHandler(BaseHTTPRequestHandler):
    """Verifies, logs and answers one delivery."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self):
        system = self.path.strip("/")
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(413)
            return
        body = self.rfile.read(length)
        verified, event = self._verify(system, body)
        event_type = event.get("type", "")
        if not verified:
            status = 401
        elif self.server.outages.strikes(system, event_type):
            status = 503
        else:
            status = 200
        self.server.record(
            {
                "system": system,
                "status": status,
                "verified": verified,
                "type": event_type,
                "webhook_id": self.headers.get("webhook-id"),
                "webhook_timestamp": self.headers.get("webhook-timestamp"),
                "body": body.decode("utf-8", "replace"),
            }
        )
        self._answer(status)

    def _verify(self, system, body):
        """Return (signature holds, parsed body)."""
        secret = self.server.secret_of(system)
        if not secret:
            return False, {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            return True, Webhook(secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            return False, {}

    def _answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """The JSON log replaces the access log on standard error."""


class Receiver(ThreadingHTTPServer):
    """Holds what all handlers share: secrets, outages and the log file."""

    daemon_threads = True

    def __init__(self, address, log_path, secrets_path, outages):
        super().__init__(address, ReceiverHandler)
        self._log_path = Path(log_path)
        self._secrets_path = Path(secrets_path)
        self._log_lock = threading.Lock()
        self.outages = PlannedOutages(outages)

    def secret_of(self, system):
        """Read at each call: the story writes secrets after the server starts."""
        try:
            return json.loads(self._secrets_path.read_text()).get(system)
        except FileNotFoundError:
            return None

    def record(self, entry):
        line = json.dumps(entry, sort_keys=True) + "\n"
        with self._log_lock, self._log_path.open("a") as log:
            log.write(line)


def parse_outage(text):
    """``wms:order.confirmed:2`` -> ``(("wms", "order.confirmed"), 2)``."""
    system, event_type, times = text.split(":")
    return (system, event_type), int(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", required=True)
    parser.add_argument("--secrets", required=True)
    parser.add_argument("--outage", action="append", default=[], type=parse_outage)
    options = parser.parse_args()
    receiver = Receiver(
        ("127.0.0.1", options.port), options.log, options.secrets, options.outage
    )
    print(receiver.server_port, flush=True)
    if os.getppid() == 1:
        raise SystemExit("the parent died before the receiver was up")
    receiver.serve_forever()


if __name__ == "__main__":
    main()
