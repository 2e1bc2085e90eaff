# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import contextlib
import socket
from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests.common import BaseCase, tagged

from odoo.addons.sync_governance_connectors import server


@tagged("post_install", "-at_install")
class TestServer(BaseCase):
    CROWD = 64

    def waiting(self, listening, stack):
        """How many of a crowd get into the line of a server that is busy."""
        inside = 0
        for _caller in range(self.CROWD):
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                caller.connect(listening.getsockname())
                inside += 1
        return inside

    def test_a_crowd_waits_in_line(self):
        with contextlib.ExitStack() as stack:
            short = stack.enter_context(
                socket.create_server(("127.0.0.1", 0), backlog=4)
            )
            self.assertLess(self.waiting(short, stack), self.CROWD)
            long = stack.enter_context(
                socket.create_server(("127.0.0.1", 0), backlog=4)
            )
            with patch.object(server.server, "server", SimpleNamespace(socket=long)):
                server.lengthen_queue()
            self.assertEqual(self.waiting(long, stack), self.CROWD)

    def test_servers_without_a_socket_of_their_own_are_left_alone(self):
        for kind in (None, SimpleNamespace(socket=None), SimpleNamespace()):
            with patch.object(server.server, "server", kind):
                server.lengthen_queue()
