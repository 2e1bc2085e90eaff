from collections import Counter
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.policy import Outcome
from ..tools.source import Channel

_KEY = "sync_policy_hits"


class SyncPolicyHit(models.Model):
    """How often a source wrote a governed field, and what became of it.

    Rows are only ever inserted, once a transaction, so that writers never wait for each
    other; a nightly job adds up the rows of one day.
    """

    _name = "sync.policy.hit"
    _description = "Policy Hit"
    _order = "day desc, id desc"
    _log_access = False
    _rec_name = "field_name"

    day = fields.Date(required=True, index=True, readonly=True)
    policy_id = fields.Many2one(
        "sync.policy", required=True, ondelete="cascade", index=True, readonly=True
    )
    model_id = fields.Many2one(related="policy_id.model_id")
    field_name = fields.Char(
        required=True,
        readonly=True,
        string="Technical Name",
        help="(create) and (delete) for records as a whole.",
    )
    field_label = fields.Char(string="Field", compute="_compute_field_label")
    channel = fields.Selection(
        [
            (Channel.UI.value, "Web client"),
            (Channel.IMPORT.value, "Import"),
            (Channel.XMLRPC.value, "XML-RPC"),
            (Channel.JSON2.value, "JSON-2"),
            (Channel.CRON.value, "Scheduled action"),
            (Channel.AUTOMATION.value, "Automation rule"),
            (Channel.INBOUND.value, "Connector"),
            (Channel.JOB.value, "Queue job"),
            (Channel.INTERNAL.value, "Internal"),
        ],
        required=True,
        readonly=True,
    )
    system_id = fields.Many2one("sync.system", ondelete="set null", readonly=True)
    user_id = fields.Many2one("res.users", ondelete="set null", readonly=True)
    superuser = fields.Boolean(
        readonly=True, help="The write ran with access rights off."
    )
    outcome = fields.Selection(
        [
            (Outcome.ALLOWED.value, "Allowed"),
            (Outcome.OBSERVED.value, "Observed"),
            (Outcome.WARNED.value, "Warned"),
            (Outcome.PROPOSED.value, "Proposed"),
            (Outcome.BLOCKED.value, "Blocked"),
        ],
        required=True,
        readonly=True,
    )
    count = fields.Integer(required=True, default=1, readonly=True, aggregator="sum")

    @api.depends("field_name", "model_id")
    @api.depends_context("lang")
    def _compute_field_label(self):
        policies = self.env["sync.policy"]
        for hit in self:
            # the model's name is no secret to whoever may see the count
            hit.field_label = policies._label(hit.model_id.sudo().model, hit.field_name)

    @api.model
    def _count(self, rules, field_name: str, source, outcome: Outcome) -> None:
        """Count one write; stored with the transaction."""
        data = self.env.cr.precommit.data
        hits = data.get(_KEY)
        if hits is None:
            hits = data[_KEY] = Counter()
            self.env.cr.precommit.add(partial(self._store_counted, data))
        hits[self._key(rules, field_name, source, outcome)] += 1

    @api.model
    def _count_refused(self, refused, source) -> None:
        """Count writes that are refused right now.

        The refusal rolls back the caller's transaction, or a savepoint of it (an import
        does): the count is stored afterwards, whichever way the transaction ends.

        :param refused: iterable of (rules, field name)
        """
        cr = self.env.cr
        hits = cr.postrollback.data.get(_KEY)
        if hits is None:
            hits = cr.postrollback.data[_KEY] = Counter()
            store = partial(self._store_refused, hits)
            cr.postrollback.add(store)
            cr.postcommit.add(store)
        hits.update(
            self._key(rules, field_name, source, Outcome.BLOCKED)
            for rules, field_name in refused
        )

    @api.model
    def _store_refused(self, hits: Counter) -> None:
        with self.env.registry.cursor() as cr:
            self.with_env(self.env(cr=cr))._insert(hits)

    @api.model
    def _key(self, rules, field_name, source, outcome):
        return (
            rules.policy_id,
            field_name,
            source.channel.value,
            source.system_id,
            source.user_id,
            source.superuser,
            outcome.value,
        )

    @api.model
    def _store_counted(self, data) -> None:
        self._insert(data.pop(_KEY))

    @api.model
    def _insert(self, hits: Counter) -> None:
        rows = [
            SQL("(%s, %s, %s, %s::int, %s::int, %s, %s, %s)", *key, count)
            for key, count in hits.items()
        ]
        # the join leaves out policies that this transaction cannot see, or has deleted
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sync_policy_hit (
                            day, policy_id, field_name, channel, system_id,
                            user_id, superuser, outcome, count)
                SELECT %(day)s, hit.policy_id, hit.field_name, hit.channel,
                       hit.system_id, hit.user_id, hit.superuser, hit.outcome,
                       hit.count
                  FROM (VALUES %(rows)s) AS hit(
                            policy_id, field_name, channel, system_id,
                            user_id, superuser, outcome, count)
                  JOIN sync_policy ON sync_policy.id = hit.policy_id
                """,
                day=fields.Date.today(),
                rows=SQL(", ").join(rows),
            )
        )

    @api.autovacuum
    def _gc_add_up(self):
        """Add up the rows of past days: one for each key and day."""
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM sync_policy_hit
                     WHERE day IN (SELECT day FROM sync_policy_hit
                                    WHERE day < %(today)s
                                    GROUP BY day, policy_id, field_name, channel,
                                             system_id, user_id, superuser, outcome
                                   HAVING count(*) > 1)
                    RETURNING *
                )
                INSERT INTO sync_policy_hit (
                            day, policy_id, field_name, channel, system_id,
                            user_id, superuser, outcome, count)
                SELECT day, policy_id, field_name, channel, system_id,
                       user_id, superuser, outcome, sum(count)
                  FROM gone
                 GROUP BY day, policy_id, field_name, channel, system_id,
                          user_id, superuser, outcome
                """,
                today=fields.Date.today(),
            )
        )
