"""A webhook receiver: verify, keep once, answer at once; work happens later.

    WEBHOOK_SECRET=whsec_… INBOX=inbox python3 receiver.py 8000

WEBHOOK_SECRET may hold two secrets, a blank between, while one replaces the other.
Standard library only; https://www.standardwebhooks.com lists ready-made packages.
"""

import base64
import hashlib
import hmac
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOLERANCE_S = 300
MAX_BYTES = 1 << 20
SECRETS = [
    base64.b64decode(secret.removeprefix("whsec_"))
    for secret in os.environ["WEBHOOK_SECRET"].split()
]
INBOX = Path(os.environ.get("INBOX", "inbox"))


def is_genuine(headers, body):
    """Whether one of our secrets has signed these very bytes, and just now."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[A-Za-z0-9_-]+", message_id):
        return False
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = [
        b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
        for secret in SECRETS
    ]
    given = headers.get("webhook-signature", "").encode().split()
    # in constant time: how long it takes must not tell how much was right
    return any(hmac.compare_digest(one, other) for one in given for other in expected)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)  # as they came: do not parse and dump them again
        if not is_genuine(self.headers, body):
            return self.answer(401)
        try:
            # "x" fails if the file exists: the sender may repeat itself, we do not
            with (INBOX / f"{self.headers['webhook-id']}.json").open("xb") as file:
                file.write(body)
        except FileExistsError:
            pass
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    INBOX.mkdir(exist_ok=True)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
