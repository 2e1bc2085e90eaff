"""Who is behind a write: the value that travels with every change.

A :class:`Source` is made by Python code only.  It travels in the Odoo context, and a
context value is believed only if it *is* a ``Source``: JSON and XML-RPC callers can
send any dictionary, but never an instance of this class.
"""

from dataclasses import dataclass, replace
from enum import Enum

ODOO_CODE = "odoo"
RPC_PATHS = ("/xmlrpc", "/jsonrpc")


class Channel(str, Enum):
    """The way in which a write took."""

    UI = "ui"
    IMPORT = "import"
    XMLRPC = "rpc"
    JSON2 = "json2"
    CRON = "cron"
    AUTOMATION = "automation"
    INBOUND = "inbound"
    JOB = "job"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of a write.

    :param system_code: code of the writing system; None for a person or Odoo itself
    :param superuser: the write ran with access rights off (``sudo``)
    :param request_ref: reference of the inbound request that caused it
    :param override_reason: set when a steward overrules the policy, and why
    :param merge_ref: reference of the merge of records this write belongs to
    """

    channel: Channel
    system_code: str | None = None
    system_id: int | None = None
    user_id: int | None = None
    superuser: bool = False
    request_ref: str | None = None
    override_reason: str | None = None
    merge_ref: str | None = None

    @property
    def overrules(self) -> bool:
        """Whether policies let this write pass: a steward's override or merge."""
        return bool(self.override_reason or self.merge_ref)

    @property
    def owner_code(self) -> str:
        """The code under which this source can own a field: people are Odoo."""
        return self.system_code or ODOO_CODE

    def overriding(self, reason: str) -> "Source":
        """This source, overruling policies for the given reason."""
        return replace(self, override_reason=reason)


def channel_of_path(path: str, *, importing: bool = False) -> Channel:
    """The channel of an HTTP request, from its path.

    :param importing: the call loads a file (only tells apart the web client's calls)
    """
    if path.startswith("/json/2/"):
        return Channel.JSON2
    if path.startswith(RPC_PATHS):
        return Channel.XMLRPC
    if path.startswith("/queue_job/"):
        return Channel.JOB
    if path.startswith("/sync/"):
        return Channel.INBOUND
    return Channel.IMPORT if importing else Channel.UI
