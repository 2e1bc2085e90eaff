# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from dataclasses import dataclass, field

from odoo import models

#: Context key under which the watch over an import travels. It is believed only if its
#: value is an :class:`ImportWatch`, which no RPC caller can send.
CONTEXT_KEY = "sync_import_watch"


@dataclass
class ImportWatch:
    """Looks at each record of a file between its conversion and its creation.

    :ivar first: line of the file's first record in this batch, 0 for the first
    :ivar ask: look for matches (a test), or only carry out the choices
    :ivar matches: ``[{"line", "name", "matches"}]`` of new records
        that are probably there already
    :ivar noted: choices that were carried out
    :ivar last: last line that was read, counted in this batch
    """

    model_name: str
    first: int
    choices: dict
    ask: bool
    matches: list = field(default_factory=list)
    noted: list = field(default_factory=list)
    last: int = -1

    def pass_through(self, env, converted):
        """:param converted: records as ``BaseModel._convert_records`` yields them"""
        for record_id, xid, values, info in converted:
            line = self.first + info["rows"]["from"]
            self.last = max(self.last, info["rows"]["to"])
            choice = self.choices.get(str(line)) or {}
            if self.ask and not record_id and not self._known(env, xid):
                self._look(env, line, values)
            if choice:
                self.noted.append(choice)
            if choice.get("action") == "skip":
                continue
            if choice.get("action") == "update":
                # an empty cell says nothing about a record that is there
                values = {name: value for name, value in values.items() if value}
                record_id, xid = int(choice["id"]), False
            yield record_id, xid, values, info

    def _known(self, env, xid):
        return bool(
            xid and env["ir.model.data"]._xmlid_to_res_id(xid, raise_if_not_found=False)
        )

    def _look(self, env, line, values):
        door = env["sync.duplicate.door"]
        candidates = door._matches(self.model_name, values)
        if candidates:
            self.matches.append(
                {
                    "line": line,
                    "name": values.get(env[self.model_name]._rec_name) or "",
                    "matches": door._described(self.model_name, candidates),
                }
            )


class Base(models.AbstractModel):
    _inherit = "base"

    def _convert_records(self, records, *, log=lambda a: None, savepoint):
        converted = super()._convert_records(records, log=log, savepoint=savepoint)
        watch = self.env.context.get(CONTEXT_KEY)
        if isinstance(watch, ImportWatch) and watch.model_name == self._name:
            return watch.pass_through(self.env, converted)
        return converted
