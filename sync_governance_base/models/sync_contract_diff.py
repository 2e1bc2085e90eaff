import json

from odoo import api, fields, models

from ..tools.schema_diff import Severity, touches

SEVERITIES = [
    (Severity.BREAKING.value, "Breaking"),
    (Severity.NON_BREAKING.value, "Compatible"),
    (Severity.INFO.value, "Description only"),
]


class SyncContractDiff(models.Model):
    """One difference between a version and the one
    before it; computed, never written by hand.
    """

    _name = "sync.contract.diff"
    _description = "Contract Difference"
    _order = "version_id, sequence, id"
    _rec_name = "message"

    version_id = fields.Many2one(
        "sync.contract.version",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    sequence = fields.Integer(readonly=True)
    path = fields.Char(string="Field", readonly=True)
    kind = fields.Char(readonly=True)
    severity = fields.Selection(SEVERITIES, required=True, readonly=True)
    before = fields.Char(readonly=True)
    after = fields.Char(readonly=True)
    message = fields.Char(compute="_compute_message", string="What Changes")
    consumers = fields.Char(
        compute="_compute_consumers",
        help="Who reads this field, with the time of the last use.",
    )

    @api.depends("path", "kind", "before", "after")
    @api.depends_context("lang")
    def _compute_message(self):
        for line in self:
            line.message = line._describe()

    def _describe(self):
        """The difference as a sentence about the field."""
        before, after = self.before, self.after
        sentences = {
            "property_added": self.env._("is new"),
            "property_removed": self.env._("is gone"),
            "required_added": self.env._("is now always required"),
            "required_removed": self.env._("is not always there any more"),
            "enum_value_added": self.env._("may now be %(value)s", value=after),
            "enum_value_removed": self.env._(
                "is never %(value)s any more", value=before
            ),
            "additional_properties": self.env._(
                "accepts other fields: %(value)s", value=after
            ),
        }
        return sentences.get(self.kind) or self.env._(
            "%(keyword)s: %(before)s → %(after)s",
            keyword=self.kind,
            before=before,
            after=after,
        )

    @api.depends("version_id.contract_id", "path", "severity")
    def _compute_consumers(self):
        for version, lines in self.grouped("version_id").items():
            consumers = version.contract_id._consumers()
            for line in lines:
                line.consumers = ", ".join(
                    consumer.name
                    for consumer in consumers
                    if not consumer.paths
                    or any(touches(line.path or "", path) for path in consumer.paths)
                )


def spell(value, width=60):
    """A part of a schema as a reader wants to see it: short, and a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        text = ", ".join(value)
    else:
        text = (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        )
    return text if len(text) <= width else f"{text[: width - 1]}…"
