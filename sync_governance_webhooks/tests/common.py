import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.tests import TransactionCase


class Receiver:
    """A webhook receiver on loopback.

    ``answers`` are (status, headers, body) for the next requests, then 200 for all;
    ``refused`` are pieces of text: a body with one of them is answered 500, once.
    ``messages`` are (headers, body) as they came; ``on_post`` is called at each.
    """

    def __init__(self):
        self.answers = deque()
        self.refused = []
        self.messages = []
        self.on_post = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.messages.append(
                    ({k.lower(): v for k, v in self.headers.items()}, body)
                )
                if receiver.on_post:
                    receiver.on_post()
                status, headers, answer = receiver.answer_to(body)
                self.send_response(status)
                for name, value in {"content-length": len(answer), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                """Keep the test log clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer_to(self, body):
        for text in self.refused:
            if text in body:
                self.refused.remove(text)
                return 500, {}, b""
        return self.answers.popleft() if self.answers else (200, {}, b"ok")

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def bodies(self):
        return [json.loads(body) for _headers, body in self.messages]

    def ids(self):
        return [headers["webhook-id"] for headers, _body in self.messages]


class WebhookCase(TransactionCase):
    """Subscriptions to a loopback receiver, and event types on partners."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", "127.0.0.0/8"
        )
        cls.env["sync.subscription"].search([]).active = False
        cls.env["sync.event.type"].search(
            [("operation", "!=", "explicit")]
        ).active = False
        fields = cls.env["ir.model.fields"]
        cls.partner_updated = cls.env["sync.event.type"].create(
            {
                "name": "testpartner.updated",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "operation": "write",
                "watched_field_ids": [
                    (6, 0, [fields._get("res.partner", n).id for n in ("name", "city")])
                ],
                "payload_line_ids": [
                    (0, 0, {"key": "name", "path": "name"}),
                    (0, 0, {"key": "address.city", "path": "city"}),
                    (0, 0, {"key": "country", "path": "country_id.code"}),
                    (0, 0, {"key": "contacts", "path": "child_ids.name"}),
                ],
            }
        )
        cls.system = cls.env["sync.system"].create(
            {"name": "Test shop", "code": "testshop", "kind": "shop"}
        )

    def setUp(self):
        super().setUp()
        self.receiver.answers.clear()
        self.receiver.refused.clear()
        self.receiver.messages.clear()

    def subscribe(self, **values):
        subscription = self.env["sync.subscription"].create(
            {
                "name": "Test",
                "url": self.receiver.url,
                "patterns": "testpartner.*",
                "retry_schedule": "0,0,0",
                "system_id": self.system.id,
                **values,
            }
        )
        self.secret = subscription._rotate_secret()
        subscription.action_activate()
        self.commit()
        return subscription

    def commit(self):
        """End the transaction as far as the outbox is concerned."""
        self.env.cr.flush()
        self.env.cr.postrollback.run()
        self.env.cr.postcommit.clear()

    def dispatch(self, **options):
        """Run slices in this test's transaction until nothing is due.

        :param options: for ``dispatcher.slice.Slice``
        :return: seconds until something is, or None
        """
        self.commit()
        for _slice in range(20):
            with self.enter_registry_test_mode():
                seconds = self.env["sync.dispatcher"]._dispatch(linger=0.0, **options)
            if seconds != 0.0:
                break
        self.env.invalidate_all()
        return seconds

    def events(self, record, name=None):
        self.env.cr.flush()
        domain = [("res_model", "=", record._name), ("res_id", "in", record.ids)]
        if name:
            domain.append(("name", "=", name))
        return self.env["sync.event"].search(domain, order="id")

    def deliveries(self, subscription):
        self.env.cr.flush()
        return self.env["sync.delivery"].search(
            [("subscription_id", "=", subscription.id)], order="id"
        )
