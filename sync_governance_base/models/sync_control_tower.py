from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import get_lang
from odoo.tools.misc import babel_locale_parse

REFRESH = "sync_governance/refresh"
_MODULE = "sync_governance_base"


class SyncControlTower(models.AbstractModel):
    """Figures of the first screen. Every module adds its own with ``super()``.

    A *tile* is ``{"key", "title", "value", "subtitle", "level", "icon", "action"}``,
    with level one of ``ok``, ``warning``, ``danger``, ``muted``; icon a Font Awesome
    name without ``fa-``; ``value`` a number or a formatted text. An *action* is
    ``{"xmlid", "domain", "context"}`` (the last two optional): the list behind the
    number. All figures are read with the rights of the user who looks, so that a tile
    never counts what its list hides.
    """

    _name = "sync.control.tower"
    _description = "Control Tower"

    @api.model
    @api.readonly
    def get_overview(self):
        """What the screen shows: ``{"tiles", "systems", "funnel", "as_of"}``."""
        self._check_reader()
        return {
            "tiles": self._tiles(),
            "systems": self._systems(),
            "funnel": self._funnel(),
            "next_step": self._next_step(),
            "as_of": fields.Datetime.to_string(fields.Datetime.now()),
        }

    @api.model
    def _check_reader(self):
        user = self.env.user
        groups = ("group_sync_viewer", "group_sync_auditor")
        if not any(user.has_group(f"{_MODULE}.{group}") for group in groups):
            raise AccessError(
                self.env._("Only users of Sync Governance see the control tower.")
            )

    # -- what modules extend -----------------------------------------------------------

    @api.model
    def _tiles(self):
        """Tiles of the first row, most urgent subject first."""
        return [self._issue_tile(), self._steward_tile(), self._policy_tile()]

    @api.model
    def _system_figures(self, systems):
        """Figures of the system tiles: ``{system id: {"figures": [{"label", "value",
        "level", "action"}], "spark": [numbers of the last 24 hours], "level"}}``; the
        worst ``level`` of all modules colours the tile.
        """
        open_issues = dict(
            self.env["sync.issue"]._read_group(
                [("system_id", "in", systems.ids), ("state", "!=", "resolved")],
                ["system_id"],
                ["__count"],
            )
        )
        conflicts = dict(
            self.env["sync.conflict"]._read_group(
                [("system_id", "in", systems.ids), ("state", "=", "open")],
                ["system_id"],
                ["__count"],
            )
        )
        return {
            system.id: {
                "level": "danger"
                if open_issues.get(system)
                else "warning"
                if conflicts.get(system)
                else "ok",
                "figures": [
                    self._figure(
                        self.env._("Open issues"),
                        open_issues.get(system, 0),
                        "danger",
                        "sync_issue_action",
                        [("system_id", "=", system.id), ("state", "!=", "resolved")],
                    ),
                    self._figure(
                        self.env._("Conflicts"),
                        conflicts.get(system, 0),
                        "warning",
                        "sync_conflict_action",
                        [("system_id", "=", system.id), ("state", "=", "open")],
                    ),
                ],
            }
            for system in systems
        }

    @api.model
    def _funnel(self):
        """Stages of the flow from order to cash: ``[{"key", "title", "count", "late",
        "action"}]``. The base knows none.
        """
        return []

    @api.model
    def _next_step(self):
        """What a new user does first, ``{"title", "text", "button", "action"}``, or
        None once systems are set up.
        """
        if self.env["sync.system"].search_count([("kind", "!=", "odoo")], limit=1):
            return None
        return {
            "title": self.env._("Nothing is connected yet"),
            "text": self.env._(
                "Name the systems that exchange data with Odoo, then say which of them "
                "owns which field."
            ),
            "button": self.env._("Add the first system"),
            "action": self._action("sync_system_action"),
        }

    # -- building blocks ---------------------------------------------------------------

    @api.model
    def _action(self, xmlid, domain=None, **context):
        """An action for a click; ``xmlid`` without a module is one of this module."""
        xmlid = xmlid if "." in xmlid else f"{_MODULE}.{xmlid}"
        return {"xmlid": xmlid, "domain": domain or [], "context": context}

    @api.model
    def _figure(self, label, value, level, xmlid, domain):
        """A labelled number that opens its list; it takes ``level`` only when there is
        something to count.
        """
        return {
            "label": label,
            "value": value,
            "level": level if value else "muted",
            "action": self._action(xmlid, domain),
        }

    @api.model
    def _age(self, moment):
        """How long ago, in the user's language: "3 hours"."""
        if not moment:
            return ""
        locale = babel_locale_parse(get_lang(self.env).code)
        return format_timedelta(fields.Datetime.now() - moment, locale=locale)

    @api.model
    def _notify(self):
        """Tell open control towers to reload, once this transaction has committed;
        cheap to call often.
        """
        data = self.env.cr.precommit.data
        if data.get(REFRESH):
            return
        data[REFRESH] = True
        # sudo: whoever changes something may not read the group that is told
        self.env.ref(f"{_MODULE}.group_sync_viewer").sudo()._bus_send(REFRESH, {})

    # -- the base's own figures --------------------------------------------------------

    @api.model
    def _issue_tile(self):
        issues = self.env["sync.issue"]
        domain = [("state", "!=", "resolved")]
        [(count, value)] = issues._read_group(
            domain, [], ["__count", "value_at_risk:sum"]
        )
        worst = issues.search(domain, limit=1)
        currency = self.env.company.currency_id
        return {
            "key": "issues",
            "title": self.env._("Open issues"),
            "value": count,
            "subtitle": (
                self.env._("%(amount)s at risk", amount=currency.format(value))
                if value
                else worst.title or self.env._("Nothing needs attention")
            ),
            "level": "ok"
            if not count
            else "danger"
            if worst.severity in ("error", "critical")
            else "warning",
            "icon": "exclamation-triangle",
            "action": self._action("sync_issue_action", domain),
        }

    @api.model
    def _steward_tile(self):
        inbox = self.env["sync.inbox"]
        count = inbox.search_count([])
        oldest = inbox.search([], order="since", limit=1)
        return {
            "key": "steward",
            "title": self.env._("Steward work"),
            "value": count,
            "subtitle": (
                self.env._("the oldest has waited %(age)s", age=self._age(oldest.since))
                if oldest
                else self.env._("Everything is decided")
            ),
            "level": "warning" if count else "ok",
            "icon": "inbox",
            "action": self._action("sync_inbox_action"),
        }

    @api.model
    def _policy_tile(self):
        policies = self.env["sync.policy"]
        active = policies.search_count([("state", "=", "active")])
        waiting = policies.search_count([("state", "in", ("in_review", "approved"))])
        return {
            "key": "policies",
            "title": self.env._("Active policies"),
            "value": active,
            "subtitle": (
                self.env._(
                    "%(count)s waiting for approval or activation", count=waiting
                )
                if waiting
                else self.env._("none waits for a decision")
            ),
            "level": "ok" if active else "muted",
            "icon": "shield",
            "action": self._action("sync_policy_action", [("state", "=", "active")]),
        }

    @api.model
    def _systems(self):
        systems = self.env["sync.system"].search(
            [("state", "!=", "retired"), ("kind", "!=", "odoo")]
        )
        # what runs first, what is tried out after it
        systems = systems.sorted(lambda system: system.state != "live")
        figures = self._system_figures(systems)
        states = dict(systems._fields["state"]._description_selection(self.env))
        kinds = dict(systems._fields["kind"]._description_selection(self.env))
        return [
            {
                "id": system.id,
                "name": system.name,
                "code": system.code,
                "kind": kinds[system.kind],
                "state": system.state,
                "state_label": states[system.state],
                "level": "muted",
                "figures": [],
                "spark": [],
                **figures.get(system.id, {}),
            }
            for system in systems
        ]
