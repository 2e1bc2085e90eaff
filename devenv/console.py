"""What the person sees: progress lines, one-sentence problems, commands that ran."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

TICK = 20  # seconds between two signs of life


class Problem(Exception):
    """Something the person can fix; printed as one sentence, without a traceback."""


def say(message):
    print(f"-- {message}", flush=True)


@contextmanager
def step(message):
    """Announce a long step, show that it lives, then say how long it took."""
    say(f"{message} ...")
    start = time.monotonic()
    ended = threading.Event()

    def tick():
        while not ended.wait(TICK):
            say(f"{message}: {time.monotonic() - start:.0f} s so far")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
    say(f"{message}: done in {time.monotonic() - start:.0f} s")


def run(command, log=None, problem=None, **options):
    """Run a command to its end; its output goes to ``log``, or nowhere if it works.

    :raise Problem: with ``problem`` and the last lines of output if it fails
    """
    command = [str(part) for part in command]
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as stream:
            done = subprocess.run(
                command, stdout=stream, stderr=subprocess.STDOUT, **options
            )
        output = log.read_text(errors="replace") if done.returncode else ""
    else:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        output = done.stdout
    if done.returncode:
        print("\n".join(output.splitlines()[-30:]), file=sys.stderr)
        where = f" (all of it: {log})" if log else ""
        raise Problem(f"{problem or 'This failed: ' + ' '.join(command)}{where}")
    return output
