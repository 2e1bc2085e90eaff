# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models

from .sync_resource_table import CANONICAL_REF


class SyncEventType(models.Model):
    _inherit = "sync.event.type"

    def _localise_payload(self, payload, system):
        """Puts the receiver's own id beside each canonical reference that it knows.

        Of a record that several systems name (a merge tells of those), each hears its
        own ids alone.
        """
        payload = super()._localise_payload(payload, system)
        nodes = list(_named_nodes(payload))
        for node in [node for node in nodes if "external_ids" in node]:
            nodes.remove(node)
            own = node["external_ids"].get(system.code, [])
            node.update(external_ids=own, external_id=own[0] if own else None)
        known = self.env["sync.crosswalk"]._ids_behind(
            {node["ref"] for node in nodes}, system
        )
        for node in nodes:
            node["external_id"] = known.get(node["ref"])
        return payload


def _named_nodes(node):
    """Objects of a body that carry a canonical reference, at any depth."""
    if isinstance(node, list):
        for item in node:
            yield from _named_nodes(item)
    elif isinstance(node, dict):
        if isinstance(node.get("ref"), str) and CANONICAL_REF.fullmatch(node["ref"]):
            yield node
        for value in node.values():
            yield from _named_nodes(value)
