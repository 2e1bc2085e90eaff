"""Tells the story: each step states what it claims and shows the proof, or stops."""

import json
import time
from contextlib import contextmanager

POLL_S = 0.2


class StoryFailed(Exception):
    """A claim of the story did not hold; the message says which and what was seen."""


class Narrator:
    """Prints chapters and proofs, and keeps the facts that a test asserts again.

    ``facts`` is a flat dict of JSON values: ids, status codes, references.
    """

    def __init__(self, quiet=False):
        self._quiet = quiet
        self.lines = []
        self.facts = {}
        self.chapters = []

    @contextmanager
    def chapter(self, letter, title):
        """Announce a chapter; it counts as told once its last claim held."""
        self._say(f"\n{letter}. {title}")
        yield
        self.chapters.append(letter)

    def claim(self, sentence, holds, seen=""):
        """State a fact with its proof.

        :raise StoryFailed: if it does not hold
        """
        if not holds:
            raise StoryFailed(f"{sentence}: not so; seen: {seen}")
        self._say(f"   [ok] {sentence}" + (f"  ({seen})" if seen != "" else ""))

    def wait_for(self, sentence, probe, seconds):
        """Poll ``probe`` until it returns something true, and return that.

        :raise StoryFailed: if it does not within ``seconds``
        """
        deadline = time.monotonic() + seconds
        while True:
            found = probe()
            if found:
                return found
            if time.monotonic() > deadline:
                raise StoryFailed(f"{sentence}: did not happen within {seconds} s")
            time.sleep(POLL_S)

    def remember(self, **facts):
        """Keep facts for the test, and for chapters that follow."""
        self.facts.update(facts)

    def save(self, folder):
        """Write what was told and what it stands on."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "story.txt").write_text("\n".join(self.lines) + "\n")
        (folder / "story.json").write_text(
            json.dumps({"chapters": self.chapters, **self.facts}, indent=2)
        )

    def _say(self, line):
        self.lines.append(line)
        if not self._quiet:
            print(line, flush=True)
