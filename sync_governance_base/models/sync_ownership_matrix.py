from collections import defaultdict
from itertools import chain

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.ranking import toggle_next, toggle_owner

HIT_DAYS = 7
_TOGGLES = {"owner": toggle_owner, "next": toggle_next}
_OF_RECORDS = ("(create)", "(delete)")


class SyncOwnershipMatrix(models.AbstractModel):
    """Who owns which field, on one screen: domains, models and fields by systems.

    What is in force in the user's company, with the version that is to follow it. A
    policy in force is never changed here: edits go to a draft (:meth:`set_role`).
    Read with the rights of the user who looks.
    """

    _name = "sync.ownership.matrix"
    _description = "Ownership Matrix"

    # -- what the screen calls ---------------------------------------------------------

    @api.model
    @api.readonly
    def get_matrix(self):
        """All that the screen shows, so that it asks once.

        ``systems``: the columns, ``{"id", "name", "kind"}``. ``domains``: ``{"id",
        "name", "models"}``, a model being as :meth:`_model_rows` says. ``labels``: of
        enforcements and outcomes. ``next_step``: what to do where there is nothing yet.
        """
        pairs = self._versions()
        domains = self._domains(order="complete_name")
        systems = self._systems(pairs)
        return {
            "systems": systems,
            "domains": self._domain_rows(domains, pairs),
            "labels": self._labels(),
            "days": HIT_DAYS,
            "can_edit": self.env["sync.policy"].has_access("write"),
            "next_step": self._next_step(systems, domains, pairs),
        }

    @api.model
    def set_role(self, model_name, field_name, system_id, role):
        """Draft that a system owns a field, or comes next in rank; again takes it back.

        :param role: "owner" or "next"
        :return: the model's row as :meth:`get_matrix` gives it
        :raise UserError: when the field or system has gone meanwhile
        """
        self.env["sync.policy"].check_access("write")
        system = self.env["sync.system"].browse(system_id).exists()
        field = self.env["ir.model.fields"]._get(model_name, field_name)
        if not system or not field or role not in _TOGGLES:
            raise UserError(
                self.env._(
                    "This field or system no longer exists. The matrix is read anew."
                )
            )
        draft = self._draft_of(model_name)
        draft._rank(field, _TOGGLES[role](draft._ranking(field), system.id))
        [row] = self._model_rows([model_name], self._versions([model_name]))
        return row

    @api.model
    def _draft_of(self, model_name):
        """The draft that edits of a model go to, of the companies its policy binds."""
        versions = self._versions([model_name]).get(model_name, ())
        policy = next(filter(None, versions), self.env["sync.policy"])
        domain = self._domains_by_model([model_name])[model_name]
        return self.env["sync.policy"]._draft_for(
            model_name,
            policy.company_id,
            policy.domain_id or domain or self.env["sync.domain"],
        )

    # -- what modules extend -----------------------------------------------------------

    @api.model
    def _consumers(self, model_names) -> dict[tuple[str, str], set[int]]:
        """Ids of the systems that are told when a field changes, by (model, field).

        Nobody as far as the base knows; modules that tell systems add them.
        """
        return defaultdict(set)

    # -- rows --------------------------------------------------------------------------

    @api.model
    def _domain_rows(self, domains, pairs):
        by_domain = defaultdict(list)
        placed = self._domains_by_model(pairs)
        for model_name, (active, pending) in pairs.items():
            placed[model_name] = (active or pending).domain_id or placed.get(model_name)
        for model_name, domain in placed.items():
            by_domain[domain or self.env["sync.domain"]].append(model_name)
        rows = {row["model"]: row for row in self._model_rows(placed, pairs)}
        rest = [self.env["sync.domain"]] if by_domain[self.env["sync.domain"]] else []
        return [
            {
                "id": domain.id,
                "name": domain.complete_name or self.env._("In no domain"),
                "models": sorted(
                    (rows[name] for name in by_domain[domain] if name in rows),
                    key=lambda row: row["name"],
                ),
            }
            for domain in (*domains, *rest)
        ]

    @api.model
    def _domains_by_model(self, present):
        """The domain of each model that one names; of several the most critical.

        :param present: names of models to give besides
        """
        domains = self._domains(order="criticality, id")
        placed = {name: None for name in present}
        for domain in domains:
            for model_name in domain.model_ids.mapped("model"):
                placed[model_name] = placed.get(model_name) or domain
        return placed

    @api.model
    def _model_rows(self, model_names, pairs):
        """Rows of models: ``{"model", "model_id", "name", "policy", "pending",
        "fields", "hits"}``.

        ``policy`` is the version in force, ``pending`` the one to follow, with the
        sentences of its ``changes``; None where there is none.
        """
        models_ = self.env["ir.model"].search([("model", "in", list(model_names))])
        hits = self._hits(models_.mapped("model"))
        consumers = self._consumers(models_.mapped("model"))
        rows = []
        for model in models_:
            active, pending = pairs.get(model.model, (None, None))
            rows.append(
                {
                    "model": model.model,
                    "model_id": model.id,
                    "name": model.name,
                    "policy": active and self._policy_values(active),
                    "pending": pending and self._policy_values(pending),
                    "fields": self._field_rows(model, active, pending, hits, consumers),
                    "hits": [
                        hit for name in _OF_RECORDS for hit in hits[model.model, name]
                    ],
                }
            )
        return rows

    @api.model
    def _policy_values(self, policy):
        states = dict(policy._fields["state"]._description_selection(self.env))
        return {
            "id": policy.id,
            "name": policy.display_name,
            "enforcement": policy.enforcement,
            "state": policy.state,
            "state_label": states[policy.state],
            # owners of another company are named, as in the fields' tooltips
            "changes": policy.sudo()._changes() if policy.state != "active" else [],
        }

    @api.model
    def _field_rows(self, model, active, pending, hits, consumers):
        """Rows of fields: ``{"name", "label", "owners", "owned", "enforcement",
        "pending", "consumers", "hits"}``.

        ``owners`` ranks system ids, best first; ``pending`` those of the version to
        follow, None where it changes nothing about them.
        """
        now = self._lines_by_field(active)
        then = self._lines_by_field(pending)
        rows = []
        for field in sorted(
            now.keys() | then.keys(), key=lambda one: one.field_description
        ):
            owners = self._ranking(now.get(field))
            following = self._ranking(then.get(field)) if pending else owners
            line = now.get(field) or then[field]
            rows.append(
                {
                    "name": field.name,
                    "label": field.field_description,
                    "owners": owners,
                    "owned": bool(owners),
                    "enforcement": line.enforcement or line.policy_id.enforcement,
                    "pending": following if following != owners else None,
                    "consumers": sorted(consumers.get((model.model, field.name), ())),
                    "hits": hits[model.model, field.name],
                }
            )
        return rows

    @api.model
    def _lines_by_field(self, policy):
        return {line.field_id: line for line in policy.line_ids} if policy else {}

    @api.model
    def _ranking(self, line):
        return line._ranked_systems().ids if line else []

    # -- what they are made of ---------------------------------------------------------

    @api.model
    def _versions(self, model_names=None):
        """For each governed model its policy in force in the user's company, and the
        newest version that is to follow it; None for the one that is missing.
        """
        domain = [
            ("state", "!=", "superseded"),
            ("company_id", "in", [self.env.company.id, False]),
        ]
        if model_names is not None:
            domain.append(("model_name", "in", model_names))
        policies = self.env["sync.policy"].search(domain)
        pairs = {}
        for model_name, versions in policies.grouped("model_name").items():
            # a company's own policy binds it instead of the one for all
            active = versions.filtered(lambda one: one.state == "active").sorted(
                lambda one: not one.company_id
            )[:1]
            pending = versions.filtered(
                lambda one, active=active: one.state != "active"
                and (not active or one.company_id == active.company_id)
            ).sorted("version", reverse=True)[:1]
            pairs[model_name] = (active or None, pending or None)
        return pairs

    @api.model
    def _domains(self, order):
        # pylint: disable=no-search-all; a business has a handful
        return self.env["sync.domain"].search([], order=order)

    @api.model
    def _systems(self, pairs):
        """The columns: what is not retired, or owns something all the same."""
        owning = {
            system_id
            for policy in filter(None, chain.from_iterable(pairs.values()))
            for line in policy.line_ids
            for system_id in line._ranked_systems().ids
        }
        systems = self.env["sync.system"].search(
            ["|", ("state", "!=", "retired"), ("id", "in", list(owning))]
        )
        kinds = dict(systems._fields["kind"]._description_selection(self.env))
        # Odoo first: everything is measured against it
        return [
            {"id": system.id, "name": system.name, "kind": kinds[system.kind]}
            for system in systems.sorted(lambda system: system.kind != "odoo")
        ]

    @api.model
    def _hits(self, model_names):
        """Writes of the last days by (model, field): a list of ``{"outcome", "source",
        "count"}``, most frequent first.
        """
        since = fields.Date.subtract(fields.Date.today(), days=HIT_DAYS)
        table = self.env["sync.policy.hit"]
        groups = table._read_group(
            [
                ("day", ">", since),
                ("policy_id.model_name", "in", model_names),
                ("policy_id.company_id", "in", [self.env.company.id, False]),
            ],
            ["policy_id", "field_name", "outcome", "channel", "system_id"],
            ["count:sum"],
        )
        channels = dict(table._fields["channel"]._description_selection(self.env))
        counts = defaultdict(int)
        for policy, field_name, outcome, channel, system, count in groups:
            # the name of a source explains a figure to whoever may see the figure
            source = system.sudo().name or channels[channel]
            counts[policy.model_name, field_name, outcome, source] += count
        found = defaultdict(list)
        for (model_name, field_name, outcome, source), count in counts.items():
            found[model_name, field_name].append(
                {"outcome": outcome, "source": source, "count": count}
            )
        for rows in found.values():
            rows.sort(key=lambda row: (-row["count"], row["source"], row["outcome"]))
        return found

    @api.model
    def _labels(self):
        policies, hits = self.env["sync.policy"], self.env["sync.policy.hit"]
        return {
            "enforcement": dict(
                policies._fields["enforcement"]._description_selection(self.env)
            ),
            "outcome": dict(hits._fields["outcome"]._description_selection(self.env)),
        }

    @api.model
    def _next_step(self, systems, domains, pairs):
        tower = self.env["sync.control.tower"]
        if len(systems) < 2:
            return {
                "title": self.env._("No system owns anything yet"),
                "text": self.env._(
                    "Name the systems around Odoo first: each becomes a column here."
                ),
                "button": self.env._("Add the first system"),
                "action": tower._action("sync_system_action"),
            }
        if not domains and not pairs:
            return {
                "title": self.env._("Nothing is governed yet"),
                "text": self.env._(
                    "Adopt the usual domains, such as customers, orders and invoices,"
                    " with their draft policies: they become the rows."
                ),
                "button": self.env._("Adopt usual domains"),
                "action": tower._action("sync_domain_adopt_action"),
            }
        return None
