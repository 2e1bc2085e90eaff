"""Background processes that can be stopped surely: theirs, and no one else's."""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process and when it started: a number alone may belong to another by now."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid):
        return cls(pid, _start_time(pid))

    @classmethod
    def load(cls, path):
        """The process a pid file names, or None if it is gone."""
        try:
            process = cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return process if process.is_alive() else None

    def save(self, path):
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.rename(path)

    def is_alive(self):
        return _start_time(self.pid) == self.started

    def stop(self, patience=30):
        """End the process and its children: politely, then surely."""
        for signum, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10)):
            if not self._signal(signum):
                return
            deadline = time.monotonic() + seconds
            while self.is_alive() and time.monotonic() < deadline:
                _reap(self.pid)
                time.sleep(0.1)
        self._signal(signal.SIGKILL)

    def kill(self):
        """End the process and its children with no time for a last word."""
        self._signal(signal.SIGKILL)
        while self.is_alive():
            _reap(self.pid)
            time.sleep(0.05)

    def _signal(self, signum):
        """Odoo's master passes a signal on; a killed one leaves children behind."""
        if not self.is_alive():
            return False
        if signum == signal.SIGKILL:
            os.killpg(self.pid, signum)
        else:
            os.kill(self.pid, signum)
        return True


def _start_time(pid):
    """The kernel's start time of a running process (proc(5), field 22), else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


def _reap(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # someone else's child
