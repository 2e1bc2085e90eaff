"""Room for callers that wait: the queue of connections of Odoo's server."""

import socket

from odoo.service import server

# The system may allow fewer (net.core.somaxconn).
WAITING = 1024


def lengthen_queue():
    """Let a crowd of callers wait in line instead of being turned away.

    Odoo's prefork server lets eight connections a worker wait. What comes beyond is
    dropped by the kernel, and tried again by the caller's after one, three, seven
    seconds: some wait very long, although others come and are served meanwhile. A
    second ``listen`` on the same socket changes nothing but the length of its queue.
    """
    listening = getattr(server.server, "socket", None)
    if isinstance(listening, socket.socket):
        listening.listen(WAITING)
