"""What an operator may see of a body: everything but secrets, and personal data cut
down to what is needed to recognise it."""

import json
import re
from typing import Any

MASK = "•••"
MAX_CHARS = 20_000
_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|api_?key|authorization|credential|cvc|cvv",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"e?mail|phone|mobile|iban|account_number|acc_number|card|tax_id|vat|birth",
    re.IGNORECASE,
)


def mask(value: Any, name: str = "") -> Any:
    """A copy of a JSON value with secrets gone and personal data shortened."""
    if isinstance(value, dict):
        return {
            key: MASK if _SECRET.search(key) and item is not None else mask(item, key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [mask(item, name) for item in value]
    if isinstance(value, str) and _PERSONAL.search(name):
        return _shorten(value)
    return value


def mask_text(raw: str) -> str:
    """Masked, indented JSON of a body; a text that is no JSON is only measured."""
    try:
        masked = mask(json.loads(raw))
        shown = json.dumps(masked, ensure_ascii=False, indent=2)[:MAX_CHARS]
    except ValueError:
        return f"({len(raw)} characters, not JSON)" if raw else ""
    except RecursionError:
        return f"({len(raw)} characters, nested too deeply)"
    # Halves of surrogate pairs, which the gate refuses, are no text for a database.
    return shown.encode("utf-8", "replace").decode()


def _shorten(text: str) -> str:
    """``ada@example.com`` -> ``a•••@example.com``; other text keeps 2 + 2."""
    local, at, domain = text.rpartition("@")
    if at:
        return f"{local[:1]}{MASK}@{domain}"
    return f"{text[:2]}{MASK}{text[-2:]}" if len(text) > 6 else MASK
