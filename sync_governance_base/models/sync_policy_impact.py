from markupsafe import Markup

from odoo import api, fields, models

from ..tools.policy import decide
from ..tools.source import Channel, Source


class SyncPolicy(models.Model):
    """The dry run: what a version would do to the writes on record."""

    _inherit = "sync.policy"

    @api.depends("line_ids", "enforcement", "su_mode")
    def _compute_impact(self):
        """A dry run on the writes counted under any version of this policy."""
        for policy in self:
            cells = [
                Markup(
                    "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>"
                )
                % row
                for row in policy._impact_rows()
            ]
            header = Markup(
                "<tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr>"
            ) % (
                self.env._("Field"),
                self.env._("Written by"),
                self.env._("Way in"),
                self.env._("Writes"),
                self.env._("Would be"),
            )
            table = Markup('<table class="table table-sm">%s%s</table>')
            policy.impact = table % (header, Markup().join(cells)) if cells else False

    def _impact_rows(self) -> list[tuple]:
        """Field, writer, way in, writes and outcome; what would be stopped first."""
        self.ensure_one()
        rules = self._to_rules()
        hits = self.env["sync.policy.hit"]
        since = fields.Date.subtract(fields.Date.today(), days=7)
        groups = hits._read_group(
            [
                ("day", ">", since),
                ("policy_id", "in", self.search(self._sibling_domain()).ids),
                ("field_name", "in", list(rules.fields)),
            ],
            ["field_name", "channel", "system_id", "user_id", "superuser"],
            ["count:sum"],
        )
        channels = dict(hits._fields["channel"]._description_selection(self.env))
        outcomes = dict(hits._fields["outcome"]._description_selection(self.env))
        rows = []
        for name, channel, system, user, superuser, count in groups:
            # systems' and users' names explain the figures to whoever may see them
            source = Source(
                Channel(channel),
                system_code=system.sudo().code or None,
                superuser=superuser,
            )
            outcome = decide(rules, rules.fields[name], source)
            writer = system.sudo().name or user.sudo().name or ""
            label = self._label(self.model_name, name)
            rows.append((outcome, (label, writer, channels[channel], count)))
        rows.sort(key=lambda row: (-row[0].severity, -row[1][3]))
        return [(*row, outcomes[outcome.value]) for outcome, row in rows]
