# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A partner's HTTP server on loopback."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PartnerServer:
    """Answers GETs with ``answer(request) -> (status, headers, text)``.

    ``requests`` are the handlers of what came: ``.path``, ``.headers``.
    """

    def __init__(self):
        self.requests = []
        self.answer = lambda request: (404, {}, "")
        partner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                partner.requests.append(self)
                answer = partner.answer(self)
                if answer is None:  # It has answered by itself.
                    return
                status, headers, text = answer
                body = text.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                """Tests speak for themselves."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
