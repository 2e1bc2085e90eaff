# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import uuid
from contextlib import contextmanager
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..merge import (
    CONTEXT_KEY,
    Catalog,
    MergeRun,
    ReferenceMover,
    RowRecorder,
    RowRule,
)

#: The core wizard refuses more in one go; bigger groups are folded in slices.
CORE_MERGE_LIMIT = 3


class SyncMergeService(models.AbstractModel):
    """Merges records of any model: journaled, without losing a row, as one event.

    Partners go through the core wizard, so that every module's override still runs;
    other models use the same moves and are then deleted. Every merge, also one that
    a user starts from the core wizard's own screen, passes here.

    Extension points: :meth:`_row_rules`, :meth:`_history_models`,
    :meth:`_merged_event_name`, :meth:`_named_for_others`. What stands against a merge,
    and taking one back, are in files of their own beside this one.
    """

    _name = "sync.merge.service"
    _description = "Merge Service"

    # -- extension points --------------------------------------------------------------

    @api.model
    def _row_rules(self):
        """What to do with two rows of which only one can belong to the survivor.

        :return: ``{table: RowRule}``; a table not named folds equal rows only
        """
        return {
            # reading state of the same message, membership in the same channel
            "mail_notification": RowRule.KEEP_SURVIVOR,
            "discuss_channel_member": RowRule.KEEP_SURVIVOR,
            # colours and ticks of a calendar's side bar
            "calendar_filters": RowRule.KEEP_SURVIVOR,
            # the core wizard folds accounts of the same
            # number and leaves the twin archived
            "res_partner_bank": RowRule.KEEP_SURVIVOR,
            # variants of a merged product with the same attribute values
            "product_product": RowRule.KEEP_SURVIVOR,
        }

    @api.model
    def _history_models(self):
        """:return: models whose (model, id) pairs go on naming the retired
        record, because they tell what happened to it, or because they have a
        merge of their own"""
        return {
            "sync.audit",
            "sync.crosswalk",
            "sync.event",
            "sync.merge.journal",
            "sync.duplicate.member",
            "sync.duplicate.prevention",
        }

    @api.model
    def _merged_event_name(self, model_name):
        """:return: name of the event that tells of a merge, or ``None``"""
        return {"res.partner": "customer.merged"}.get(model_name)

    @api.model
    def _updated_event_name(self, model_name):
        return {"res.partner": "customer.updated"}.get(model_name)

    # -- merge -------------------------------------------------------------------------

    @api.model
    def _merge(
        self, records, survivor, values=None, group=None, reason=None, automatic=False
    ):
        """Merge ``records`` into ``survivor``
        and journal it, in the current transaction.

        :param values: ``{field name: record id}``:
            which record gives the survivor which field
        :return: the ``sync.merge.journal``
        :raise UserError: the merge is blocked, or a row could not be kept
        :raise LockError: another transaction works on one of the records
        """
        records |= survivor
        records.sudo().lock_for_update()
        blockers = self._blockers(records, survivor)
        if blockers:
            raise UserError("\n\n".join(blocker["message"] for blocker in blockers))
        return self._merge_unchecked(
            records, survivor, values, group, reason, automatic
        )

    @api.model
    def _merge_unchecked(self, records, survivor, values, group, reason, automatic):
        retired = records - survivor
        chosen = self._chosen_values(records, values or {})
        head = {
            "model_name": records._name,
            "survivor_id": survivor.id,
            "survivor_name": survivor.display_name,
            "retired_ids": retired.ids,
            "retired_names": ", ".join(retired.mapped("display_name")),
            "company_ids": [fields.Command.set(self._companies_of(records).ids)],
            "group_id": group.id if group else False,
            "rule_id": group.rule_id.id if group else False,
            "reason": reason,
            "is_automatic": automatic,
            "values": values or {},
            "reversible_until": self._reversible_until(records._name, group),
        }
        gone = self._named_for_others(retired)
        journal = (
            self.env["sync.merge.journal"]
            .sudo()
            .create(dict(head, ref=f"mrg_{uuid.uuid4().hex}"))
        )
        with self._run(journal, records) as run:
            # sudo: the steward may write all the records; what hangs on
            # them (a login, a posted entry) moves along whoever may edit it
            merging = survivor.sudo().with_context(
                **{CONTEXT_KEY: run, "sync_source": self._source(run)}
            )
            self._merge_rows(retired.with_env(merging.env), merging)
            if chosen:
                merging.write(chosen)
            self._refresh_stored(merging)
            self.env.flush_all()
            self._close_journal(journal, run)
        self._announce(journal, survivor, gone)
        return journal

    @api.model
    def _source(self, run):
        """The writes of a merge are a steward's override and are told as one event."""
        source = self.env["sync.system"]._current_source()
        return replace(source, merge_ref=run.ref, override_reason=run.reason)

    @contextmanager
    def _run(self, journal, records):
        self.env.flush_all()
        catalog = Catalog(self.env, self._history_models())
        recorder = RowRecorder(self.env, catalog)
        mover = ReferenceMover(self.env, catalog, recorder, self._row_rules())
        run = MergeRun(
            journal.ref,
            journal.reason or self.env._("Merge of duplicates"),
            mover,
            recorder,
        )
        recorder.watch(records._table, records.ids, whole=True)
        yield run
        self.env.invalidate_all()

    @api.model
    def _merge_rows(self, retired, survivor):
        if survivor._name == "res.partner":
            return self._merge_partners(retired, survivor)
        Wizard = survivor.env["base.partner.merge.automatic.wizard"]
        self._repoint_crosswalk(retired, survivor)
        Wizard._update_foreign_keys_generic(survivor._name, retired, survivor)
        Wizard._update_reference_fields_generic(survivor._name, retired, survivor)
        retired.sudo().unlink()

    @api.model
    def _merge_partners(self, retired, survivor):
        """Core and every module that extends its
        wizard do their part, a slice at a time."""
        wizard = survivor.env["base.partner.merge.automatic.wizard"]
        step = CORE_MERGE_LIMIT - 1
        for start in range(0, len(retired), step):
            part = retired[start : start + step]
            wizard._merge((part | survivor).ids, survivor, extra_checks=False)

    @api.model
    def _repoint_crosswalk(self, retired, survivor):
        run = MergeRun.current(survivor.env)
        moves = (
            survivor.env["sync.crosswalk"]
            .sudo()
            ._repoint(
                survivor._name, retired.ids, survivor.id, run.reason, merge_ref=run.ref
            )
        )
        run.crosswalk_moves.extend(moves)

    @api.model
    def _refresh_stored(self, survivor):
        """The moves are raw SQL: what is stored on
        the children that moved is recomputed."""
        if survivor._name != "res.partner":
            return
        children = survivor.with_context(active_test=False).child_ids
        for name in (
            "complete_name",
            "commercial_partner_id",
            "commercial_company_name",
        ):
            self.env.add_to_compute(children._fields[name], children)

    @api.model
    def _close_journal(self, journal, run):
        changes = run.recorder.changes()
        self._keep_files(journal, changes)
        journal.write(
            {
                "changes": changes,
                "crosswalk_moves": run.crosswalk_moves,
                "moved_count": sum(len(entry["ids"]) for entry in changes["changed"])
                + sum(len(entry["added"]) for entry in changes["links"]),
                "folded_count": sum(len(entry["rows"]) for entry in changes["deleted"])
                - len(journal.retired_ids),
            }
        )

    @api.model
    def _keep_files(self, journal, changes):
        """Files of deleted attachments would be swept from the file store in a day; a
        copy of the row on the journal keeps them as long as the merge can be undone."""
        deleted = [
            entry["rows"]
            for entry in changes["deleted"]
            if entry["table"] == "ir_attachment"
        ]
        for row in (row for rows in deleted for row in rows if row["store_fname"]):
            copy = (
                self.env["ir.attachment"]
                .sudo()
                .create(
                    {
                        "name": row["name"],
                        "res_model": journal._name,
                        "res_id": journal.id,
                    }
                )
            )
            # the same file, not read and written again
            copy._write(
                {
                    "store_fname": row["store_fname"],
                    "checksum": row["checksum"],
                    "file_size": row["file_size"],
                    "mimetype": row["mimetype"],
                }
            )

    # -- survivorship values -----------------------------------------------------------

    @api.model
    def _chosen_values(self, records, values):
        """:return: values to write on the survivor, read before the others are gone;
        its own too, because core fills what is empty in it with whatever it finds"""
        by_id = {record.id: record for record in records}
        return {
            name: records._fields[name].convert_to_write(
                by_id[record_id][name], by_id[record_id]
            )
            for name, record_id in values.items()
            if record_id in by_id
        }

    @api.model
    def _companies_of(self, records):
        if "company_id" not in records._fields:
            return self.env["res.company"]
        return records.sudo().company_id

    @api.model
    def _reversible_until(self, model_name, group):
        rule = (
            group.rule_id
            if group
            else self.env["sync.duplicate.rule"]._for_model(model_name)[:1]
        )
        return fields.Datetime.add(
            fields.Datetime.now(), days=rule.reversible_days or 30
        )

    # -- telling -----------------------------------------------------------------------

    @api.model
    def _external_ids(self, records):
        """:return: ``{record id: {system code: [external id, …]}}``
        of living external ids"""
        found = {record_id: {} for record_id in records.ids}
        links = (
            self.env["sync.crosswalk"]
            .sudo()
            .search(
                [
                    ("res_model", "=", records._name),
                    ("res_id", "in", records.ids),
                    ("state", "=", "active"),
                ]
            )
        )
        for link in links:
            found[link.res_id].setdefault(link.system_id.code, []).append(
                link.external_id
            )
        return found

    @api.model
    def _named_for_others(self, records):
        """How other systems know records, before they are merged: for the event.

        :return: ``[{"external_ids": {system code: [external id, …]}}]``
        """
        return [{"external_ids": ids} for ids in self._external_ids(records).values()]

    @api.model
    def _announce(self, journal, survivor, gone):
        self.env["sync.audit"].sudo()._log(
            "merge",
            record=survivor,
            after={"merge": journal.ref, "retired": journal.retired_ids},
            reason=journal.reason,
        )
        self._emit(
            self._merged_event_name(survivor._name),
            survivor,
            {
                "merge": journal.ref,
                "survivor": self._named_for_others(survivor)[0],
                "retired": gone,
            },
        )

    @api.model
    def _emit(self, name, record, data=None):
        """Tell other systems, if the webhooks module is there to do it."""
        if name and "sync.event.type" in self.env:
            self.env["sync.event.type"].sudo()._emit(name, record, data=data)
