# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models, tools
from odoo.fields import Domain

from ..tools import cursor as page_cursor
from ..tools.problem import Problem

MAX_PAGE = 500
DEFAULT_PAGE = 50


class SyncResource(models.AbstractModel):
    """The role of everything that has a URL below ``/sync/v1``.

    The gate (``sync.gate``) has authenticated, limited, deduplicated and validated a
    call before a resource sees it; a resource says what its body looks like, finds
    records by the caller's ids, and changes them by Odoo's own business methods.

    To add a resource: an AbstractModel that inherits this one (or
    ``sync.resource.table``) and sets ``_resource_name``. Nothing has to be registered.
    """

    _name = "sync.resource"
    _description = "Role: a resource of the API"

    # The URL segment; None for roles in between, which are not served.
    _resource_name = None
    # The Odoo model whose records are served.
    _resource_model = None
    # sync.domain code that scopes are about; None: any credential, own data only.
    _domain_code = None
    _resource_operations = frozenset()

    # -- registry --------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _model_names(self):
        """``{resource name: model name}`` of everything that is served."""
        names = {}
        for model_name in self.env.registry.descendants(["sync.resource"], "_inherit"):
            resource_name = self.env.registry[model_name]._resource_name
            if resource_name:
                names[resource_name] = model_name
        return names

    @api.model
    def _get(self, name):
        """The resource served below ``/sync/v1/<name>``, or None."""
        model_name = self._model_names().get(name)
        return self.env[model_name] if model_name else None

    # -- description: override -------------------------------------------------------

    def _schema(self, operation):
        """JSON Schema 2020-12 of a body, self-contained and closed.

        :param operation: ``create``, ``replace``,
            ``patch``, ``read`` or the name of a transition
        """
        raise NotImplementedError

    def _event_schema(self, event_type):
        """JSON Schema of what an event of this type tells of a record."""
        return self._schema("read")

    def _event_example(self, event_type):
        """What an event tells, valid by :meth:`_event_schema`."""
        return self._example("read")

    def _example(self, operation):
        """A complete body that is valid against ``_schema(operation)``."""
        raise NotImplementedError

    def _resource_transitions(self):
        """``{name: one-line summary}`` of ``POST …/<external_id>/<name>``."""
        return {}

    def _query_parameters(self):
        """OpenAPI parameter objects of the list beyond the common ones."""
        return []

    def _list_note(self):
        """What else a caller has to know of the list, as sentences after a space."""
        return ""

    # -- behaviour: override ---------------------------------------------------------

    def _find(self, system, external_id):
        """``(record, moved)``: moved when a retired id led to the survivor."""
        crosswalk, moved = self.env["sync.crosswalk"]._resolve_moved(
            system, self._resource_model, external_id
        )
        record = crosswalk.record if crosswalk else self.env[self._resource_model]
        return record, moved

    def _known_ids(self, system, external_ids):
        """Which of the ids the system has used already, in one query.

        An id left out here is only created in a batch that may fail, then found.
        """
        # Nobody but the suite's own groups reads the crosswalk; ids of the own system
        # are no secret to it.
        rows = (
            self.env["sync.crosswalk"]
            .sudo()
            .search_fetch(
                [
                    ("system_id", "=", system.id),
                    ("res_model", "=", self._resource_model),
                    ("external_id", "in", external_ids),
                ],
                ["external_id"],
                order="id",
            )
        )
        return set(rows.mapped("external_id"))

    def _create(self, body, call):
        """Create from a valid body. :return: ``ResourceResult``"""
        raise NotImplementedError

    def _create_batch(self, bodies, call):
        """Create many; all or nothing (the gate falls back to one by one)."""
        return [self._create(body, call) for body in bodies]

    def _update(self, record, body, call, partial):
        """Replace, or merge-patch when ``partial``. :return: ``ResourceResult``"""
        raise NotImplementedError

    def _transition(self, record, name, body, call):
        """Run a business transition. :return: ``ResourceResult``"""
        raise NotImplementedError

    def _to_canonical(self, records, system):
        """Bodies of the records, in their order; ``system`` None in an event."""
        raise NotImplementedError

    def _list_domain(self, call):
        """What the caller may list."""
        return Domain.FALSE

    def _writable(self, body):
        """The part of a record's body that a caller may send."""
        return body

    # -- list ------------------------------------------------------------------------

    def _list(self, call, query):
        """One page, oldest change first.

        A cursor stands for ``(write_date, id)``, so a page never repeats or skips a
        record that does not change meanwhile; one that changes comes again, later.

        :param query: ``{"limit", "cursor", "updated_since"}``, checked by the gate
        :return: ``(bodies, next cursor or None)``
        """
        limit = min(int(query.get("limit") or DEFAULT_PAGE), MAX_PAGE)
        records = self._listed_model().search(
            self._list_domain(call) & self._page_domain(query),
            order="write_date, id",
            limit=limit + 1,
        )
        page = records[:limit]
        following = None
        if len(records) > limit:
            last = page[-1]
            following = page_cursor.encode_position(last.write_date, last.id)
        return self._to_canonical(page, call.system), following

    def _listed_model(self):
        """Recordset that a list searches in; override to choose its rights."""
        return self.env[self._resource_model]

    def _page_domain(self, query):
        domain = Domain.TRUE
        if query.get("updated_since"):
            domain &= Domain("write_date", ">=", query["updated_since"])
        if "cursor" in query:
            when, record_id = page_cursor.decode_position(query["cursor"])
            domain &= Domain("write_date", ">", when) | (
                Domain("write_date", "=", when) & Domain("id", ">", record_id)
            )
        return domain

    # -- helpers ---------------------------------------------------------------------

    def _note_unknown(self, external_id, body, call):
        """Keep a change to a record that is not there, for a person to decide."""

    def _not_found(self, external_id):
        """404 for an id the caller's system does not know."""
        return Problem(
            404,
            "not_found",
            f"Your system knows no {self._resource_name} {external_id!r}.",
        )
