"""What the outside systems wrote down of the calls they got."""

import json


class Receipts:
    """Reads the receiver's log, whose path it is given."""

    def __init__(self, path):
        self._path = path

    def with_id(self, system, webhook_id):
        """The calls that a system got of one event, oldest first."""
        if not self._path.exists():
            return []
        calls = map(json.loads, self._path.read_text().splitlines())
        return [
            call
            for call in calls
            if call["system"] == system and call["webhook_id"] == webhook_id
        ]
