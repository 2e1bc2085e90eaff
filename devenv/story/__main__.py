"""Provisions, plays and records the story against a running demo."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import world
from .narrator import Narrator, StoryFailed
from .partner import Partner
from .person import Person
from .plot import Story
from .receipts import Receipts


def main():
    options = _parse()
    folder = options.state / "demo"
    if options.recall and (folder / "story.txt").exists():
        print((folder / "story.txt").read_text())
        return 0
    run = _count_run(folder)
    with world.environment(options.config, options.db) as env:
        doors = world.provision(env, options.receiver_url)
    _hand_out(options, folder, doors)
    narrator = Narrator(options.quiet)
    try:
        _story(options, narrator, folder, doors, run).play()
    except StoryFailed as failure:
        print(f"The story stopped: {failure}", file=sys.stderr)
        return 1
    finally:
        narrator.save(folder)
    return 0


def _parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="Odoo's configuration file")
    parser.add_argument("--db", required=True)
    parser.add_argument("--url", required=True, help="where Odoo answers")
    parser.add_argument("--receiver-url", required=True)
    parser.add_argument("--state", required=True, type=Path, help="state folder")
    parser.add_argument("--quiet", action="store_true", help="print failures only")
    parser.add_argument(
        "--recall", action="store_true", help="print what was told last time"
    )
    return parser.parse_args()


def _count_run(folder):
    """Number of this run: external ids of a second run must be new."""
    folder.mkdir(parents=True, exist_ok=True)
    counter = folder / "runs"
    run = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(run))
    return run


def _hand_out(options, folder, doors):
    """Give the receivers their secrets, and the reader of demo.json the keys."""
    secrets = {code: door["webhook_secret"] for code, door in doors.items()}
    _write_private(folder / "receiver_secrets.json", secrets)
    demo = {
        "url": options.url,
        "db": options.db,
        "login": "admin",
        "password": "admin",
        "systems": doors,
    }
    _write_private(options.state / "demo.json", demo)


def _write_private(path, content):
    """Replace a file that only its owner may read."""
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(content, indent=2))
    os.replace(partial, path)


def _story(options, narrator, folder, doors, run):
    partners = {
        code: Partner(options.url, code, door["token"], door.get("hook_secret"))
        for code, door in doors.items()
    }
    people = {
        "admin": Person(options.url, options.db, "admin", "admin"),
        "steward": Person(options.url, options.db, "sync_steward", "sync_steward"),
    }
    receipts = Receipts(folder / "receivers.jsonl")
    return Story(narrator, partners, people, receipts, run, options.state / "screens")


if __name__ == "__main__":
    sys.exit(main())
