# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A private SFTP server on loopback (asyncssh), serving one folder.

Another implementation than the one we speak with, so that agreement means something.
"""

import asyncio
import threading

import asyncssh


class SftpServer:
    """Serves ``folder`` to one user, by password or key, until :meth:`stop`.

    :ivar host_key: the server's public key, as ``ssh-keyscan`` would print it
    :ivar private_key: the user's, as OpenSSH text
    """

    user = "wms"
    password = "only for tests"

    def __init__(self, folder):
        self.folder = folder
        self.port = 0
        self.accepts_login = True
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.private_key = user_key.export_private_key().decode()
        self.public_key = user_key.export_public_key().decode()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = None

    @property
    def host_key(self):
        return self._host_key.export_public_key().decode().strip()

    def start(self):
        """Listen, on the same port as before after a :meth:`close`."""
        if not self._thread.is_alive():
            self._thread.start()
        self._server = self._do(self._listen())
        self.port = self._server.get_port()

    def close(self):
        """Take no more connections."""
        self._do(self._shut())

    def change_host_key(self):
        """Be another server from the next start on."""
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")

    def stop(self):
        self.close()
        self._do(self._end_sessions())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _listen(self):
        return await asyncssh.create_server(
            lambda: _Login(self),
            "127.0.0.1",
            self.port,
            server_host_keys=[self._host_key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(
                channel, chroot=str(self.folder)
            ),
        )

    async def _shut(self):
        self._server.close()
        await self._server.wait_closed()

    async def _end_sessions(self):
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


class _Login(asyncssh.SSHServer):
    """Lets the one user in."""

    def __init__(self, server):
        self._served = server

    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        server = self._served
        return server.accepts_login and (username, password) == (
            server.user,
            server.password,
        )

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        server = self._served
        known = asyncssh.import_public_key(server.public_key)
        return server.accepts_login and username == server.user and key == known
