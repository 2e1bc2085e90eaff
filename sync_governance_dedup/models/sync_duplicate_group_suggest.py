# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import defaultdict

import psycopg2

from odoo import api, models
from odoo.tools import SQL, mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ..tools.copying import array_text, copy_text
from ..tools.grouping import plan_groups


class SyncDuplicateGroup(models.Model):
    """How the engine makes groups and keeps them: by the thousand, in a few
    statements a table."""

    _inherit = "sync.duplicate.group"

    @api.model
    def _suggest(self, rule, found, checked_ids=()):
        """Make or extend the open groups of a rule.

        :param found: list of :class:`~..tools.types.Group`
        :param checked_ids: records that were checked: those found
            in no group any more leave the one that they were in
        :return: the groups that were made or changed
        :raise RetryableJobError: another transaction
            grouped one of these records meanwhile
        """
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return self.sudo()._suggest_batch(rule, found, checked_ids)
        except psycopg2.errors.UniqueViolation as error:
            raise RetryableJobError(
                "A record was grouped by another job meanwhile", 5
            ) from error

    @api.model
    def _suggest_batch(self, rule, found, checked_ids):
        self.env.flush_all()
        touched = {record_id for group in found for record_id in group.record_ids}
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(
            rule.model_name, touched
        )
        plan = plan_groups(
            found,
            self._open_members(rule, touched | set(checked_ids)),
            checked_ids,
            denied,
        )
        self.browse(plan.dissolved).exists().unlink()
        # leavers first: a record waits in one group, and may be needed in another one
        self._remove_leavers(plan.extended)
        made = self._insert_groups(rule, plan.new)
        changed = self._extend_groups(rule, plan.extended)
        groups = self.browse(made) | changed
        groups._refresh_stakes()
        return groups

    @api.model
    def _analyze(self):
        """Tell PostgreSQL's planner how large the tables of the groups have become."""
        self.env.cr.execute(
            "ANALYZE sync_duplicate_group, sync_duplicate_member"
            ", sync_duplicate_evidence (group_id)"
        )

    @api.model
    def _open_members(self, rule, record_ids):
        """:return: ``{group id: set of record ids}``
        of the open groups of these records"""
        rows = self.env.execute_query(
            SQL(
                "SELECT other.group_id, other.record_id"
                " FROM sync_duplicate_member AS other"
                " WHERE other.group_id IN ("
                "   SELECT member.group_id FROM sync_duplicate_member AS member"
                "   WHERE member.rule_id = %s AND member.is_open"
                " AND member.record_id = ANY(%s))",
                rule.id,
                list(record_ids),
            )
        )
        members = defaultdict(set)
        for group_id, record_id in rows:
            members[group_id].add(record_id)
        return members

    @api.model
    def _insert_groups(self, rule, found):
        """Rows by the thousand: one statement a table.

        :return: ids of the new groups, in the order of ``found``
        """
        if not found:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO sync_duplicate_group
                       (rule_id, model_name, state, score, member_count, value_at_stake,
                        external_id_count, is_automatic, suggested_at, create_uid,
                        create_date, write_uid, write_date)
                SELECT %s, %s, 'suggested', row.score, row.members, 0,
                       0, FALSE, now.at, %s, now.at, %s, now.at
                  FROM unnest(%s::float[], %s::int[]) WITH ORDINALITY AS row(score,
                  members, place),
                       (SELECT now() AT TIME ZONE 'UTC' AS at) AS now
              ORDER BY row.place
             RETURNING id
                """,
                rule.id,
                rule.model_name,
                self.env.uid,
                self.env.uid,
                [group.probability for group in found],
                [len(group.record_ids) for group in found],
            )
        )
        ids = [group_id for (group_id,) in rows]
        self._insert_members(
            rule,
            [
                (group_id, record_id)
                for group_id, group in zip(ids, found, strict=True)
                for record_id in group.record_ids
            ],
        )
        self._insert_evidence(zip(ids, found, strict=True))
        return ids

    @api.model
    def _insert_members(self, rule, pairs):
        Model = self.env[rule.model_name]
        prints = rule._fingerprints({record_id for _group_id, record_id in pairs})
        has_company = (
            "company_id" in Model._fields and Model._fields["company_id"].column_type
        )
        company = SQL("record.company_id") if has_company else SQL("NULL::int")
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sync_duplicate_member
                       (group_id, rule_id, model_name, record_id, company_id,
                       fingerprint,
                        is_open, is_survivor)
                SELECT row.group_id, %s, %s, row.record_id, %s, row.fingerprint, TRUE,
                FALSE
                  FROM unnest(%s::int[], %s::int[], %s::text[]) AS row(group_id,
                  record_id, fingerprint)
                  JOIN %s AS record ON record.id = row.record_id
                """,
                rule.id,
                rule.model_name,
                company,
                array_text(group_id for group_id, _record_id in pairs),
                array_text(record_id for _group_id, record_id in pairs),
                array_text(prints.get(record_id) for _group_id, record_id in pairs),
                SQL.identifier(Model._table),
            )
        )

    @api.model
    def _insert_evidence(self, groups):
        """:param groups: iterable of ``(group id, types.Group)``"""
        rows = (
            (
                group_id,
                pair.left_id,
                pair.right_id,
                pair.probability,
                line.field,
                line.level,
                line.weight,
                line.left,
                line.right,
                line.left_original,
                line.right_original,
                is_cut,
            )
            for group_id, group in groups
            for is_cut, pairs in ((False, group.pairs), (True, group.cut))
            for pair in pairs
            for line in pair.evidence
        )
        self.env.cr.copy_expert(
            "COPY sync_duplicate_evidence (group_id, left_id, right_id, probability,"
            " field_name, level, weight, left_value, right_value, left_original,"
            " right_original, is_cut) FROM STDIN",
            copy_text(rows),
        )

    @api.model
    def _remove_leavers(self, extended):
        """:param extended: see :class:`~..tools.grouping.Plan`"""
        self.env.cr.execute(
            SQL(
                "DELETE FROM sync_duplicate_member AS known"
                " WHERE known.group_id = ANY(%s)"
                " AND (known.group_id, known.record_id) NOT IN (%s)",
                [group_id for group_id, _members, _found in extended],
                self._wanted(extended),
            )
        )

    @api.model
    def _wanted(self, extended):
        """SQL: (group id, record id) of the members that groups are to have."""
        pairs = [
            (group_id, record_id)
            for group_id, members, _found in extended
            for record_id in sorted(members)
        ]
        return SQL(
            "SELECT * FROM unnest(%s::int[], %s::int[])",
            [group_id for group_id, _record_id in pairs],
            [record_id for _group_id, record_id in pairs],
        )

    @api.model
    def _extend_groups(self, rule, extended):
        """Add those that are new among the members; evidence of pairs that were scored
        again is replaced.

        :param extended: see :class:`~..tools.grouping.Plan`; leavers have gone
        :return: the groups
        """
        groups = self.browse([group_id for group_id, _members, _found in extended])
        if not groups:
            return groups
        fresh = self._insert_fresh(rule, extended)
        self._refresh_prints(rule, groups)
        self._drop_old_evidence(extended)
        self._insert_evidence(
            (one, found) for one, _members, found in extended if found
        )
        self.env.cr.execute(
            SQL(
                "UPDATE sync_duplicate_group AS known"
                " SET member_count = row.members,"
                " score = coalesce(row.score, known.score),"
                " write_date = now() AT TIME ZONE 'UTC'"
                " FROM unnest(%s::int[], %s::int[], %s::float[])"
                " AS row(id, members, score)"
                " WHERE known.id = row.id",
                groups.ids,
                [len(members) for _group_id, members, _found in extended],
                [
                    found and found.probability
                    for _group_id, _members, found in extended
                ],
            )
        )
        self.env.invalidate_all()
        self.browse(fresh).filtered(lambda group: group.state == "deferred").write(
            {"state": "suggested", "deferred_until": False}
        )
        return groups

    @api.model
    def _insert_fresh(self, rule, extended):
        """:return: ids of the groups that have new members"""
        known = set(
            self.env.execute_query(
                SQL(
                    "SELECT group_id, record_id FROM sync_duplicate_member"
                    " WHERE group_id = ANY(%s)",
                    [group_id for group_id, _members, _found in extended],
                )
            )
        )
        fresh = [
            (group_id, record_id)
            for group_id, members, _found in extended
            for record_id in sorted(members)
            if (group_id, record_id) not in known
        ]
        if fresh:
            self._insert_members(rule, fresh)
        return sorted({group_id for group_id, _record_id in fresh})

    @api.model
    def _refresh_prints(self, rule, groups):
        records = self.env.execute_query(
            SQL(
                "SELECT record_id FROM sync_duplicate_member WHERE group_id = ANY(%s)",
                groups.ids,
            )
        )
        prints = rule._fingerprints([record_id for (record_id,) in records])
        self.env.cr.execute(
            SQL(
                "UPDATE sync_duplicate_member AS known SET fingerprint = row.print"
                " FROM unnest(%s::int[], %s::text[]) AS row(record_id, print)"
                " WHERE known.group_id = ANY(%s) AND known.record_id = row.record_id"
                " AND known.fingerprint IS DISTINCT FROM row.print",
                list(prints),
                list(prints.values()),
                groups.ids,
            )
        )

    @api.model
    def _drop_old_evidence(self, extended):
        """Evidence of pairs that were scored again, or that have left their group."""
        rescored = [
            (group_id, pair.left_id, pair.right_id)
            for group_id, _members, found in extended
            if found
            for pair in found.pairs
        ]
        self.env.cr.execute(
            SQL(
                "DELETE FROM sync_duplicate_evidence AS known"
                " WHERE known.group_id = ANY(%(groups)s) AND ("
                " (known.group_id, known.left_id, known.right_id)"
                " IN (SELECT * FROM unnest(%(one)s::int[], %(two)s::int[],"
                " %(three)s::int[]))"
                " OR (known.group_id, known.left_id) NOT IN (%(wanted)s)"
                " OR (known.group_id, known.right_id) NOT IN (%(wanted)s))",
                groups=[group_id for group_id, _members, _found in extended],
                one=[row[0] for row in rescored],
                two=[row[1] for row in rescored],
                three=[row[2] for row in rescored],
                wanted=self._wanted(extended),
            )
        )

    def _refresh_stakes(self):
        """Money, external ids and source system of the groups,
        in a few queries for all of them."""
        members = self._member_records()
        for model_name, groups in self.grouped("model_name").items():
            by_group = {group: members[group.id] for group in groups}
            ids = sorted({record_id for ids in by_group.values() for record_id in ids})
            values = self.env["sync.duplicate.stake"]._values(model_name, ids)
            links = self._living_links(model_name, ids)
            rows = [
                (
                    group.id,
                    sum(values.get(record_id, 0.0) for record_id in record_ids),
                    sum(links[one][0] for one in record_ids if one in links),
                    next(
                        (
                            links[one][1]
                            for one in sorted(record_ids, reverse=True)
                            if one in links
                        ),
                        None,
                    ),
                )
                for group, record_ids in by_group.items()
            ]
            self.env.cr.execute(
                SQL(
                    "UPDATE sync_duplicate_group AS known"
                    " SET value_at_stake = row.value, external_id_count = row.links,"
                    " system_id = row.system_id"
                    " FROM unnest(%s::int[], %s::float[], %s::int[], %s::int[])"
                    " AS row(id, value, links, system_id)"
                    " WHERE known.id = row.id AND"
                    " (known.value_at_stake, known.external_id_count, known.system_id)"
                    " IS DISTINCT FROM (row.value, row.links, row.system_id)",
                    *[list(column) for column in zip(*rows, strict=True)],
                )
            )
        self.invalidate_recordset(["value_at_stake", "external_id_count", "system_id"])

    def _member_records(self):
        """:return: ``{group id: [record id, …]}``, of thousands of groups at once"""
        self.env["sync.duplicate.member"].flush_model(["group_id", "record_id"])
        members = defaultdict(list)
        for group_id, record_id in self.env.execute_query(
            SQL(
                "SELECT group_id, record_id FROM sync_duplicate_member"
                " WHERE group_id = ANY(%s) ORDER BY group_id, record_id",
                self.ids,
            )
        ):
            members[group_id].append(record_id)
        return members

    @api.model
    def _living_links(self, model_name, record_ids):
        """:return: ``{record id: (number of living external ids,
        system id of the newest)}``"""
        rows = (
            self.env["sync.crosswalk"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", model_name),
                    ("res_id", "in", record_ids),
                    ("state", "=", "active"),
                    ("system_id.kind", "!=", "odoo"),
                ],
                ["res_id", "system_id"],
                ["__count", "id:max"],
                order="id:max",
            )
        )
        links = {}
        for record_id, system, count, _newest in rows:
            links[record_id] = (links.get(record_id, (0, None))[0] + count, system.id)
        return links

    @api.model
    def _refresh_open_stakes(self, batch=500):
        """What hangs on a group changes while it waits: the queue is put in order."""
        states = self.env["sync.duplicate.rule"]._open_states()
        waiting = self.search([("state", "in", states)]).ids
        for start in range(0, len(waiting), batch):
            self.browse(waiting[start : start + batch])._refresh_stakes()

    @api.model
    def _forget_records(self, model_name, record_ids):
        """Deleted records leave their open groups;
        who is left alone has no duplicate."""
        members = self.env["sync.duplicate.member"].search(
            [
                ("model_name", "=", model_name),
                ("record_id", "in", record_ids),
                ("is_open", "=", True),
            ]
        )
        groups = members.group_id
        members.unlink()
        for group in groups:
            group.member_count = len(group.member_ids)
        groups.filtered(lambda group: group.member_count < 2).unlink()
