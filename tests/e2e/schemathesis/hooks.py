"""What schemathesis cannot know: a new call has a new key."""

import re
import uuid

import schemathesis

VALID_KEY = re.compile(r"[!#-+\--~]{1,255}")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Give each call a key of its own; a used one is answered 422, or as before.

    A key that shall be refused for its form stays as it is.
    """
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and VALID_KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
