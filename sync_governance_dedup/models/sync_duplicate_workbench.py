# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import html2plaintext
from odoo.tools.misc import format_date, format_datetime

from ..tools.survivorship import differing

#: Records that are looked for in the queue by words.
FOUND = 500


class SyncDuplicateWorkbench(models.AbstractModel):
    """Everything that a steward's screen shows of a group, in one call."""

    _name = "sync.duplicate.workbench"
    _description = "Duplicate Workbench"

    @api.model
    def _levels(self):
        """:return: what the engine's words for agreement mean to a person"""
        return {
            "prior": self.env._("any two records"),
            "missing": self.env._("missing"),
            "equal": self.env._("equal"),
            "typo": self.env._("almost equal"),
            "similar": self.env._("similar"),
            "differs": self.env._("differs"),
            # names
            "short_form": self.env._("nickname or initial"),
            "contained": self.env._("contained in the other"),
            "mostly": self.env._("mostly the same"),
            "partly": self.env._("partly the same"),
            "other_person": self.env._("another person"),
            "number_differs": self.env._("another number"),
            # e-mails
            "mailbox": self.env._("same mailbox, another domain"),
            "domain": self.env._("same domain"),
            # addresses
            "near": self.env._("almost equal"),
            "same_street": self.env._("same street"),
            "same_place": self.env._("same place"),
            "other_street": self.env._("another street"),
            "same_house_other_place": self.env._("same street, another place"),
            "other_place": self.env._("another place"),
            # relations
            "contact_of": self.env._("contact of the other"),
            "siblings": self.env._("contacts of one company"),
            "other_company": self.env._("contacts of different companies"),
            "persons": self.env._("both persons"),
            "companies": self.env._("both companies"),
            "other_line": self.env._("mobile and landline"),
            # households
            "two": self.env._("another name, two things shared"),
            "three": self.env._("another name, three things shared"),
        }

    # -- the queue ---------------------------------------------------------------------

    @api.model
    @api.readonly
    def get_queue(
        self, order="value", mine=False, words="", without=(), limit=80, first=None
    ):
        """Groups that wait, the most urgent first.

        :param order: ``value`` (money, then external ids at stake), ``age``
            or ``score``
        :param mine: only those that the user took or was asked to decide on
        :param words: only groups with a record that is found by these words
        :param without: ids of groups that the user is just deciding on, or sees
        :param first: id of a group that is listed in any case, if it waits
        :return: ``{"total", "groups": [{"id", "name", "score", "value", "links",
            "members", "state", "age_days", "system", "steward", "safe"}]}``
        """
        Group = self.env["sync.duplicate.group"]
        states = self.env["sync.duplicate.rule"]._open_states()
        domain = [("state", "in", [state for state in states if state != "deferred"])]
        if mine:
            domain.append(("steward_id", "=", self.env.uid))
        if words:
            domain.append(("member_ids", "any", self._found(words)))
        orders = {
            "value": "value_at_stake desc, external_id_count desc, score desc, id",
            "age": "suggested_at, id",
            "score": "score desc, value_at_stake desc, id",
        }
        domain.append(("id", "not in", without))
        groups = Group.search(
            domain, order=orders.get(order, orders["value"]), limit=limit
        )
        if first and first not in groups.ids:
            groups = Group.search(domain + [("id", "=", first)]) + groups
        return {
            "total": Group.search_count(domain),
            "groups": [self._queued(group) for group in groups],
        }

    @api.model
    def _found(self, words):
        rules = self.env["sync.duplicate.rule"].search([])  # pylint: disable=no-search-all; few
        return Domain.OR(
            Domain("model_name", "=", model_name)
            & Domain("record_id", "in", self._found_ids(model_name, words))
            for model_name in set(rules.mapped("model_name"))
        )

    @api.model
    def _found_ids(self, model_name, words):
        Model = self.env[model_name].with_context(active_test=False)
        if not Model.has_access("read"):
            return []
        return [record_id for record_id, _name in Model.name_search(words, limit=FOUND)]

    @api.model
    def _queued(self, group):
        now = fields.Datetime.now()
        return {
            "id": group.id,
            "name": group.name,
            "score": group.score,
            "value": group.value_at_stake,
            "links": group.external_id_count,
            "members": group.member_count,
            "state": group.state,
            "age_days": (now - (group.suggested_at or now)).days,
            "system": group.sudo().system_id.name or "",
            "steward": group.steward_id.name or "",
            "safe": self._looks_safe(group),
        }

    @api.model
    def _looks_safe(self, group):
        """Probable beyond the band, and no money; blockers are looked for in the end"""
        return group.score >= group.rule_id.auto_threshold and not group.value_at_stake

    @api.model
    @api.readonly
    def get_stewards(self):
        """:return: ``[{"id", "name"}]``: whom a group may be given to"""
        self.env["sync.duplicate.group"].check_access("read")
        steward = self.env.ref("sync_governance_base.group_sync_steward")
        # sudo: names of colleagues; who is in the group is no secret among them
        users = steward.sudo().all_user_ids.filtered("active")
        return [{"id": user.id, "name": user.name} for user in users]

    # -- thresholds --------------------------------------------------------------------

    @api.model
    @api.readonly
    def get_scores(self, rule_id, threshold, examples=5):
        """Scores of the rule's latest scan and the pairs nearest to a threshold.

        :return: ``{"buckets": [[lower bound, pairs]], "asked": pairs from the threshold
            on, "above": [pair], "below": [pair]}``; a pair is ``{"left", "right",
            "probability"}``, both records readable
        """
        rule = self.env["sync.duplicate.rule"].browse(rule_id)
        rule.check_access("read")
        # sudo: scored pairs are plain ids; names are read as the user below
        engine, Pair = (
            self.env["sync.duplicate.engine"].sudo(),
            self.env["sync.duplicate.pair"].sudo(),
        )
        buckets = engine._histogram(rule.sudo())
        if not any(count for _low, count in buckets):
            return {"buckets": [], "asked": 0, "above": [], "below": []}
        scan = (
            self.env["sync.duplicate.scan"]
            .sudo()
            .search(
                [
                    ("rule_id", "=", rule.id),
                    ("state", "=", "done"),
                    ("mode", "=", "full"),
                ],
                limit=1,
            )
        )
        sides = {
            "above": ([("probability", ">=", threshold)], "probability, id"),
            "below": ([("probability", "<", threshold)], "probability desc, id"),
        }
        return {
            "buckets": buckets,
            "asked": Pair.search_count(
                [("scan_id", "=", scan.id), ("probability", ">=", threshold)]
            ),
            **{
                side: self._examples(
                    rule.model_name,
                    Pair.search(
                        [("scan_id", "=", scan.id), *domain],
                        order=order,
                        limit=examples,
                    ),
                )
                for side, (domain, order) in sides.items()
            },
        }

    @api.model
    def _examples(self, model_name, pairs):
        ids = pairs.mapped("left_id") + pairs.mapped("right_id")
        readable = self.env[model_name].search([("id", "in", ids)])
        names = {record.id: record.display_name for record in readable}
        return [
            {
                "left": names[pair.left_id],
                "right": names[pair.right_id],
                "probability": pair.probability,
            }
            for pair in pairs
            if {pair.left_id, pair.right_id} <= names.keys()
        ]

    # -- one group ---------------------------------------------------------------------

    @api.model
    def get_group(self, group_id):
        """A group side by side.

        :return: dict with ``members``, ``rows`` (one a field), ``pairs`` (evidence),
            ``splits`` (why likely records are no members), ``blockers``,
            ``survivor_id`` and the head of the group
        :raise AccessError: one of the members is none of the user's business
        :raise UserError: there is no such group any more
        """
        group = self.env["sync.duplicate.group"].browse(group_id).exists()
        if not group:
            raise UserError(
                self.env._(
                    "This group is gone: its records were merged or deleted, or are no"
                    " longer alike."
                )
            )
        group.check_access("read")
        records = self._records(group)
        records.check_access("read")
        proposal = self.env["sync.duplicate.survivorship"]._proposal(records)
        survivor = records.browse(proposal["survivor_id"])
        return {
            "id": group.id,
            "name": group.name,
            "model": group.model_name,
            "state": group.state,
            "score": group.score,
            "value": group.value_at_stake,
            "rule": group.rule_id.name,
            "steward": group.steward_id.name or "",
            "decision": self._decision(group),
            "can_decide": group.can_decide,
            "safe": self._looks_safe(group),
            "survivor_id": survivor.id,
            "members": self._members(group, records),
            "rows": self._rows(group, records, proposal),
            "pairs": self._pairs(group, records),
            "splits": group._split_sentences(),
            "blockers": self.env["sync.merge.service"]._blockers(records, survivor),
        }

    @api.model
    def _decision(self, group):
        """:return: what became of a group, in words, unless it waits"""
        if group.state == "deferred":
            return self.env._(
                "Deferred until %s", format_date(self.env, group.deferred_until)
            )
        if group._is_open():
            return ""
        state = dict(group._fields["state"]._description_selection(self.env))
        return " · ".join(
            filter(
                None,
                (
                    state[group.state],
                    group.decided_by_id.name,
                    format_datetime(self.env, group.decided_at),
                    group.decision_reason,
                ),
            )
        )

    @api.model
    def get_blockers(self, group_id, survivor_id, record_ids):
        """What stands against merging these members into that one."""
        group = self.env["sync.duplicate.group"].browse(group_id)
        group.check_access("read")
        records = self._records(group).filtered(lambda record: record.id in record_ids)
        records.check_access("read")
        survivor = records.filtered(lambda record: record.id == survivor_id)
        return self.env["sync.merge.service"]._blockers(records, survivor)

    @api.model
    def _records(self, group):
        # in the order of the members; deleted ones are gone, archived ones are not
        return (
            self.env[group.model_name]
            .browse(group.member_ids.mapped("record_id"))
            .exists()
        )

    @api.model
    def _members(self, group, records):
        prints = {member.record_id: member.fingerprint for member in group.member_ids}
        documents = self.env["sync.duplicate.stake"]._documents(
            records._name, records.ids
        )
        links = self.env["sync.merge.service"]._external_ids(records)
        own = self.env.ref("sync_governance_base.system_odoo").code
        names = self.env["sync.duplicate.survivorship"]._field_names(records)
        return [
            {
                "record_id": record.id,
                "name": record.display_name,
                "active": record.active if "active" in record._fields else True,
                "company": self._company(record),
                "created": fields.Datetime.to_string(record.create_date),
                "changed": fields.Datetime.to_string(record.write_date),
                "fingerprint": prints.get(record.id),
                "filled": sum(bool(record[name]) for name in names),
                "documents": documents[record.id],
                "external_ids": [
                    {"system": code, "id": external_id}
                    for code, ids in sorted(links[record.id].items())
                    for external_id in ids
                    if code != own  # canonical references, no system's id
                ],
            }
            for record in records
        ]

    @api.model
    def _company(self, record):
        return record.company_id.name or "" if "company_id" in record._fields else ""

    @api.model
    def _rows(self, group, records, proposal):
        """One row a field: compared fields always, others where the records differ."""
        compared = group.rule_id.field_ids.mapped("name")
        names = compared + [
            name
            for name in self.env["sync.duplicate.survivorship"]._field_names(records)
            if name not in compared
        ]
        labels = records.fields_get(names, ["string", "type"])
        rows = []
        for name in names:
            if name not in labels:
                continue
            texts = {record.id: self._text(record, name) for record in records}
            differs = differing(texts.values())
            if differs or (name in compared and any(texts.values())):
                rows.append(
                    {
                        "field": name,
                        "label": labels[name]["string"],
                        "compared": name in compared,
                        "differs": differs,
                        "values": texts,
                        "choice": proposal["values"].get(name),
                        "reason": proposal["reasons"].get(name),
                    }
                )
        return rows

    @api.model
    def _text(self, record, name):
        field = record._fields[name]
        value = record[name]
        if field.type == "many2one":
            # sudo: the name only, of what a record that the user reads points at
            return value.sudo().display_name or ""
        if field.type == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if field.type == "html":
            return html2plaintext(value or "")
        return field.convert_to_export(value, record) if value else ""

    @api.model
    def _pairs(self, group, records):
        """Scored pairs of the members, best first, each with its waterfall."""
        levels = self._levels()
        labels = records.fields_get(attributes=["string"])
        pairs = {}
        # sudo: the values are shown to whom may read both records, which was checked
        for row in group.sudo().evidence_ids.filtered(lambda row: not row.is_cut):
            pair = pairs.setdefault(
                (row.left_id, row.right_id),
                {
                    "left": row.left_id,
                    "right": row.right_id,
                    "probability": row.probability,
                    "weight": 0.0,
                    "evidence": [],
                },
            )
            pair["weight"] += row.weight
            pair["evidence"].append(
                {
                    "field": row.field_name,
                    "label": self._evidence_label(row.field_name, labels),
                    "level": levels.get(row.level, row.level or ""),
                    "weight": row.weight,
                    "left": self._evidence_text(row.left_original or row.left_value),
                    "right": self._evidence_text(row.right_original or row.right_value),
                }
            )
        inside = [
            pair
            for pair in pairs.values()
            if {pair["left"], pair["right"]} <= set(records.ids)
        ]
        return sorted(inside, key=lambda pair: -pair["probability"])

    @api.model
    def _evidence_text(self, value):
        known = {"True": self.env._("Yes"), "False": self.env._("No")}
        return known.get(value, value or "")

    @api.model
    def _evidence_label(self, name, labels):
        known = {
            "prior": self.env._("Start"),
            "address": self.env._("Address"),
            "country": self.env._("Country"),
            "legal_form": self.env._("Legal form"),
            "legal": self.env._("Legal form"),
            "household": self.env._("Household"),
            "relation": self.env._("Relation"),
        }
        return known.get(name) or labels.get(name, {}).get("string") or name
