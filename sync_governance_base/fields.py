"""Field classes of the suite."""

import json

from odoo import fields
from odoo.tools import json_default


class JsonValue(fields.Json):
    """A JSON field that tells a value from none.

    ``fields.Json`` stores 0, an empty text, an empty list and false as NULL. Here they
    are values like any other; only None is nothing, which reads as False.
    """

    def convert_to_cache(self, value, record, validate=True):
        if value is None:
            return None
        return json.loads(json.dumps(value, ensure_ascii=False, default=json_default))

    def convert_to_export(self, value, record):
        return "" if value is None else json.dumps(value)
