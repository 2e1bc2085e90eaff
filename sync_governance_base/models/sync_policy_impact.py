from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.dry_run import Write, replay
from ..tools.policy import CREATION, DELETION, Outcome
from ..tools.source import Channel, Source

_DAYS = 7
_STOPPED = (Outcome.PROPOSED, Outcome.BLOCKED)


class SyncPolicy(models.Model):
    """The dry run: what a version would have done to the writes on record.

    Writes to fields that an active policy governs are counted anyway
    (``sync.policy.hit``). The others are known where they are recorded
    (``sync.write.sample``), which an integration manager can ask for.
    """

    _inherit = "sync.policy"

    sampling_until = fields.Datetime(
        string="Recording Writes until",
        readonly=True,
        copy=False,
        help="Until then it is recorded who changes which field of the model, for the"
        " dry run. Values are not recorded.",
    )
    impact = fields.Html(
        compute="_compute_impact",
        help="What this version would have done to the writes of the last seven days.",
    )

    @api.depends("line_ids", "enforcement", "su_mode", "on_create", "on_delete")
    def _compute_impact(self):
        for policy in self:
            rows = policy._impact_rows() if policy.model_name else []
            policy.impact = policy._impact_table(rows) if rows else False

    def action_record_writes(self):
        """Record for seven days who changes which field of the model."""
        for policy in self:
            if policy.state == "superseded":
                raise UserError(
                    self.env._(
                        "%(policy)s is superseded: there is nothing to try any more.",
                        policy=policy.display_name,
                    )
                )
        until = fields.Datetime.add(fields.Datetime.now(), days=_DAYS)
        self._move({"sampling_until": until})
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return True

    def action_stop_recording(self):
        """Record no more writes; what is recorded stays for the dry run."""
        self._move({"sampling_until": False})
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return True

    def action_open_recorded(self):
        """Show the recorded writes of the model."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_base.sync_write_sample_action"
        )
        return {**action, "domain": [("res_model", "=", self.model_name)]}

    def _impact_rows(self) -> list[tuple]:
        """Field, writer, way in, writes and outcome; what would be stopped first."""
        self.ensure_one()
        figures = replay(self._to_rules(), self._writes_on_record())
        hits = self.env["sync.policy.hit"]
        channels = dict(hits._fields["channel"]._description_selection(self.env))
        outcomes = dict(hits._fields["outcome"]._description_selection(self.env))
        rows = []
        for (name, source, outcome), count in figures.items():
            label = self._label(self.model_name, name)
            way = channels[source.channel.value]
            row = (label, self._writer(source), way, count, outcomes[outcome.value])
            rows.append((-outcome.severity, -count, row))
        return [row for _severity, _count, row in sorted(rows)]

    def _writes_on_record(self) -> list[Write]:
        """The writes of the last seven days, recorded ones and counted ones.

        A recorded write says more than a counted one. Where a field has recorded
        writes, counted ones add only what was refused, which is never recorded.
        """
        recorded = self._recorded_writes()
        names = {write.field for write in recorded}
        return recorded + [
            write
            for write, outcome in self._counted_writes()
            if write.field not in names or outcome in _STOPPED
        ]

    def _recorded_writes(self) -> list[Write]:
        since = fields.Datetime.subtract(fields.Datetime.now(), days=_DAYS)
        # names of fields and writers explain the figures to whoever may read policies
        samples = self.env["sync.write.sample"].sudo()
        return [
            Write(
                name,
                self._source(
                    sample.channel, sample.system_id, sample.user_id, sample.superuser
                ),
                sample.weight,
                sample.res_id,
                sample.written_at,
            )
            for sample in samples.search(
                [
                    ("res_model", "=", self.model_name),
                    ("written_at", ">", since),
                    *self._bound_companies(),
                ]
            )
            for name in sample.field_names
        ]

    def _bound_companies(self) -> list[tuple]:
        """The companies that this version is for, as a domain."""
        if self.company_id:
            return [("company_id", "=", self.company_id.id)]
        # a company's own policy binds there; rules bind whoever may read policies
        own = self.sudo().search(
            [
                ("model_name", "=", self.model_name),
                ("state", "=", "active"),
                ("company_id", "!=", False),
            ]
        )
        return [("company_id", "not in", own.company_id.ids)]

    def _counted_writes(self) -> list[tuple[Write, Outcome]]:
        since = fields.Date.subtract(fields.Date.today(), days=_DAYS)
        governed = [*self.line_ids.mapped("field_name"), CREATION, DELETION]
        groups = self.env["sync.policy.hit"]._read_group(
            [
                ("day", ">", since),
                ("policy_id", "in", self.search(self._sibling_domain()).ids),
                ("field_name", "in", governed),
            ],
            ["field_name", "channel", "system_id", "user_id", "superuser", "outcome"],
            ["count:sum"],
        )
        return [
            (Write(name, self._source(*who), count), Outcome(outcome))
            for name, *who, outcome, count in groups
        ]

    @api.model
    def _source(self, channel, system, user, superuser) -> Source:
        # systems' and users' names explain the figures to whoever may see them
        return Source(
            Channel(channel),
            system_code=system.sudo().code or None,
            system_id=system.id or None,
            user_id=user.id or None,
            superuser=superuser,
        )

    @api.model
    def _writer(self, source: Source) -> str:
        systems, users = self.env["sync.system"].sudo(), self.env["res.users"].sudo()
        writer = (
            systems.browse(source.system_id).name or users.browse(source.user_id).name
        )
        if not source.superuser:
            return writer or ""
        return self.env._("%(writer)s (superuser)", writer=writer or "Odoo")

    def _impact_table(self, rows) -> Markup:
        head = (
            self.env._("Field"),
            self.env._("Written by"),
            self.env._("Way in"),
            self.env._("Writes"),
            self.env._("Would be"),
        )
        return Markup('<p>%s</p><table class="table table-sm">%s%s</table>') % (
            self._impact_sentence(rows),
            _table_row("th", head),
            Markup().join(_table_row("td", row) for row in rows),
        )

    def _impact_sentence(self, rows) -> str:
        labels = dict(
            self.env["sync.policy.hit"]
            ._fields["outcome"]
            ._description_selection(self.env)
        )
        stopping = {labels[outcome.value] for outcome in _STOPPED}
        stopped = [row for row in rows if row[4] in stopping]
        return self.env._(
            "Of %(all)s changes, %(stopped)s by %(writers)s writers would have been"
            " stopped.",
            all=sum(row[3] for row in rows),
            stopped=sum(row[3] for row in stopped),
            writers=len({row[1] for row in stopped}),
        )


def _table_row(tag: str, cells) -> Markup:
    cell = Markup("<{0}>%s</{0}>").format(tag)
    return Markup("<tr>%s</tr>") % Markup().join(cell % one for one in cells)
