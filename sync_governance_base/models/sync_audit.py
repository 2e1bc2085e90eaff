import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, json_default

from ..tools import hash_chain

#: what an entry's digest covers, in this order: changing the list makes every stored
#: digest wrong
CONTENT = (
    "logged_at",
    "action",
    "res_model",
    "res_id",
    "company_id",
    "user_id",
    "user_login",
    "channel",
    "system_code",
    "request_ref",
    "reason",
    "before",
    "after",
)
SEAL_BATCH = 2000
READ_BATCH = 5000
#: name of the sealer's advisory lock; only has to differ from other locks of this
#: database
SEALER_LOCK = 0x53594E4341554454


class SyncAudit(models.Model):
    """Append-only log of who changed what and why, chained by hashes.

    **Order under concurrency.** A chain has one order; transactions that run side by
    side have none until they commit. Taking the end of the chain inside the business
    transaction would either serialise every audited write of the database or fork the
    chain. So an entry is inserted *unsealed*, with the digest of its own content, in
    the transaction that it reports on: it commits or vanishes with the change, and
    takes no lock. The sealer (:meth:`_seal`, every minute and before each verification)
    then links what has become visible, under an advisory lock and in short transactions
    of its own. The chain's order is thus the order in which the sealer saw the entries
    committed; an entry that took long to commit comes later than its id says, and none
    is ever skipped.

    **What protects what.** The ORM refuses ``write`` and ``unlink``; a trigger refuses
    UPDATE (but for sealing an unsealed entry, once), DELETE and TRUNCATE to everybody
    who does not disable it; the unique index on the position makes a fork impossible
    even if two sealers ran; the chain shows any change made behind the trigger; and the
    heads kept by each verification (``sync.audit.verification``) show a cut tail or a
    chain computed anew. An unsealed entry is protected by the trigger alone, which is
    why it is reported apart.

    ``before`` and ``after`` are canonical JSON in text columns, because jsonb does not
    give back the bytes it was given.
    """

    _name = "sync.audit"
    _description = "Audit Entry"
    _inherit = ["sync.record.pointer"]
    _order = "id desc"
    _rec_name = "action"
    # a change of create_uid by a foreign key would be an UPDATE of the log
    _log_access = False

    logged_at = fields.Datetime(string="When", required=True, readonly=True, index=True)
    action = fields.Char(required=True, readonly=True, index=True)
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="restrict")
    user_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    user_login = fields.Char(
        string="Login", readonly=True, help="The user's login at the time."
    )
    channel = fields.Selection(
        lambda self: self.env["sync.policy.hit"]._fields["channel"].selection,
        string="Way In",
        readonly=True,
    )
    system_code = fields.Char(string="System", readonly=True)
    request_ref = fields.Char(string="Request", readonly=True, index="btree_not_null")
    reason = fields.Char(readonly=True)
    before = fields.Text(readonly=True)
    after = fields.Text(readonly=True)
    digest = fields.Char(string="Content Digest", required=True, readonly=True)
    chain_index = fields.Integer(
        string="Position", readonly=True, help="Place in the chain; empty until sealed."
    )
    chain_link = fields.Char(string="Link", readonly=True)
    sealed_at = fields.Datetime(readonly=True)
    changes = fields.Html(compute="_compute_changes")

    _chain_index_uniq = models.UniqueIndex(
        "(chain_index) WHERE chain_index IS NOT NULL"
    )
    _unsealed_idx = models.Index("(id) WHERE chain_index IS NULL")
    _record_idx = models.Index("(res_model, res_id)")

    def init(self):
        self.env.cr.execute(SQL(_TRIGGERS))

    @api.depends("before", "after")
    def _compute_changes(self):
        for entry in self:
            before, after = _loads(entry.before), _loads(entry.after)
            entry.changes = self.env["ir.qweb"]._render(
                "sync_governance_base.audit_changes",
                {
                    "names": sorted(before.keys() | after.keys()),
                    "before": before,
                    "after": after,
                },
            )

    # -- writing -----------------------------------------------------------------------

    @api.model
    def _log(self, action, record=None, before=None, after=None, reason=None):
        """Append one entry in the current transaction,
        attributed to the current source.

        :param str action: dotted verb such as ``policy.activated``
        :param record: the one record it is about, or None
        :param dict before: values before the change
            (JSON, dates and records' ids allowed)
        :param dict after: values after the change
        :param str reason: why, in a person's words
        :return: the entry (as superuser: no group may create entries by itself)
        """
        source = self.env["sync.system"]._current_source()
        user = self.env["res.users"].sudo().browse(source.user_id or self.env.uid)
        company = (
            record["company_id"]
            if record and "company_id" in record._fields
            else self.env.company
        )
        # sudo: nobody has the right to create entries through RPC; this method is the
        # one way in
        return self.sudo().create(
            {
                "logged_at": fields.Datetime.now(),
                "action": action,
                "res_model": record._name if record else None,
                "res_id": record.id if record else None,
                "company_id": company.id,
                "user_id": user.id,
                "user_login": user.login,
                "channel": source.channel.value,
                "system_code": source.system_code,
                "request_ref": source.request_ref,
                "reason": (reason or source.override_reason or "").replace("\0", "")
                or None,
                "before": _dumps(before),
                "after": _dumps(after),
            }
        )

    @api.model_create_multi
    def create(self, vals_list):
        # whatever else a caller passes, the place in the chain is the sealer's to give
        contents = [
            {name: vals[name] for name in CONTENT if name in vals} for vals in vals_list
        ]
        return super().create(
            [
                {**vals, "digest": hash_chain.content_hash(_content(vals))}
                for vals in contents
            ]
        )

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(
            self.env._("The audit log is append-only: an entry cannot be changed.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("The audit log is append-only: an entry cannot be deleted.")
        )

    # -- sealing -----------------------------------------------------------------------

    @api.model
    def _seal(self):
        """Link every committed unsealed entry to the chain.

        The guard's transaction holds the lock; the links are written in
        transactions that begin after it was taken, so that their snapshot holds
        every link made before.

        :return: number of entries sealed; 0 as well when another sealer is at work
        """
        sealed = 0
        with self.env.registry.cursor() as guard:
            guard.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
            if not guard.fetchone()[0]:
                return 0
            # each batch is whole in itself, and short transactions keep a long backlog
            # from holding rows back
            while count := self._seal_batch_alone():
                sealed += count
        self.invalidate_model(["chain_index", "chain_link", "sealed_at"], flush=False)
        return sealed

    def _seal_batch_alone(self):
        with self.env.registry.cursor() as cr:
            return self.with_env(self.env(cr=cr))._seal_batch()

    def _seal_batch(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT id, digest FROM sync_audit WHERE chain_index IS NULL ORDER BY "
                "id LIMIT %s",
                SEAL_BATCH,
            )
        )
        if not rows:
            return 0
        heads = hash_chain.seal(self._chain_head(), (digest for _id, digest in rows))
        self.env.execute_query(
            SQL(
                """
                UPDATE sync_audit entry
                   SET chain_index = seal.index,
                       chain_link = seal.link,
                       sealed_at = now() AT TIME ZONE 'UTC'
                  FROM unnest(%s::int[], %s::int[], %s::text[]) AS seal(id, index, link)
                 WHERE entry.id = seal.id
             RETURNING entry.id
                """,
                [row_id for row_id, _digest in rows],
                [head.index for head in heads],
                [head.link for head in heads],
            )
        )
        return len(rows)

    @api.model
    def _chain_head(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT chain_index, chain_link FROM sync_audit WHERE chain_index IS "
                "NOT NULL ORDER BY 1 DESC LIMIT 1"
            )
        )
        return hash_chain.Head(*rows[0]) if rows else hash_chain.Head()

    # -- verifying ---------------------------------------------------------------------

    @api.model
    def _verify(self, anchors=None):
        """Check the whole chain in batches, in bounded memory.

        :param dict anchors: ``{chain_index: chain_link}`` seen earlier; by default
            those of the past verifications
        :return: ``(hash_chain.Report, number of unsealed entries)``
        """
        if anchors is None:
            anchors = self.env["sync.audit.verification"]._anchors()
        report = hash_chain.verify(self._sealed_rows(), anchors)
        [(unsealed,)] = self.env.execute_query(
            SQL("SELECT count(*) FROM sync_audit WHERE chain_index IS NULL")
        )
        return report, unsealed

    @api.model
    def _sealed_rows(self):
        self.flush_model()
        columns = SQL(", ").join(SQL.identifier(name) for name in CONTENT)
        last = None
        while rows := self.env.execute_query(
            SQL(
                "SELECT id, chain_index, chain_link, digest, %s FROM sync_audit "
                "WHERE chain_index IS NOT NULL AND %s ORDER BY chain_index LIMIT %s",
                columns,
                SQL("chain_index > %s", last) if last is not None else SQL("TRUE"),
                READ_BATCH,
            )
        ):
            for row_id, index, link, digest, *content in rows:
                yield hash_chain.SealedRow(row_id, index, link, digest, _plain(content))
            last = rows[-1][1]

    def action_verify(self):
        """Seal, verify the chain and show the result ("Verify chain")."""
        if not self.env.user.has_group("sync_governance_base.group_sync_auditor"):
            raise AccessError(self.env._("Only auditors verify the audit log."))
        return self.env["sync.audit.verification"]._run()._action_open()

    def action_open_record(self):
        self.ensure_one()
        if not self.res_model or self.res_model not in self.env:
            raise UserError(
                self.env._("This entry is about no record that still exists.")
            )
        return super().action_open_record()


def _dumps(value):
    return hash_chain.canonical(_json(value)) if value else None


def _json(value):
    """The value with what JSON does not know (dates, bytes, lazy translations, ids of
    records) spelled out.
    """
    if isinstance(value, dict):
        return {str(key): _json(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(part) for part in value]
    if isinstance(value, models.BaseModel):
        return value.ids
    if value is None or isinstance(value, str | int | float):
        return value
    return json_default(value)


def _loads(text):
    return json.loads(text) if text else {}


def _content(vals):
    return _plain(vals.get(name) for name in CONTENT)


def _plain(values):
    """Column values as the digest takes them: the ORM's False and SQL's NULL are one,
    times are spelled.
    """
    return [
        fields.Datetime.to_string(value)
        if hasattr(value, "isoformat")
        else value or None
        for value in values
    ]


_TRIGGERS = """
CREATE OR REPLACE FUNCTION sync_audit_refuse() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.chain_index IS NULL AND NEW.chain_index IS NOT NULL
        AND to_jsonb(NEW) - '{chain_index,chain_link,sealed_at}'::text[]
          = to_jsonb(OLD) - '{chain_index,chain_link,sealed_at}'::text[]
    THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege
        USING MESSAGE = 'sync_audit is append-only: ' || TG_OP || ' refused';
END
$$ LANGUAGE plpgsql;
DROP TRIGGER IF EXISTS sync_audit_append_only_row ON sync_audit;
CREATE TRIGGER sync_audit_append_only_row BEFORE UPDATE OR DELETE ON sync_audit
    FOR EACH ROW EXECUTE FUNCTION sync_audit_refuse();
DROP TRIGGER IF EXISTS sync_audit_append_only_table ON sync_audit;
CREATE TRIGGER sync_audit_append_only_table BEFORE TRUNCATE ON sync_audit
    FOR EACH STATEMENT EXECUTE FUNCTION sync_audit_refuse();
"""
