# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import functools
import re

from odoo import api, models, tools
from odoo.fields import Domain

from odoo.addons.sync_governance_base.tools.merge3 import equal

from ..tools import canonical, money
from ..tools.call import ResourceResult
from ..tools.canonical import Kind
from ..tools.instruction import PUT, Instruction
from ..tools.problem import FieldError, Problem

CANONICAL_REF = re.compile(r"[a-z]{3}_[0-9a-f]{32}")
# Where the names of new records are kept, in the transaction's data.
NEW_NAMES = "sync_governance_connectors.names"
CURRENCY = ("currency_id.name", "currency_id.decimal_places")
# What every body needs: its version, whose it is, and the currency of its amounts.
ALSO_READ = ("write_date", "company_id.currency_id", *CURRENCY)
# A machine made the record: it does not follow it, and its call is its history.
UNWATCHED = {"mail_create_nosubscribe": True, "mail_create_nolog": True}


def _as_tree(paths):
    """Dotted paths, as ``{step: tree of what follows}``."""
    tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


class Names:
    """External ids and canonical references, looked up once for a whole page.

    A record asked for brings in all records that Odoo prefetches with it.
    """

    def __init__(self, env, system):
        self._crosswalk = env["sync.crosswalk"]
        self._resources = env["sync.resource.table"]
        self._system = system
        self._known = {}
        self._new = env.cr.precommit.data.get(NEW_NAMES, {})

    @classmethod
    def remember(cls, records, system, external_ids, prefix):
        """Note the names of records made in this transaction, to save reading them.

        What they were called is forgotten with the transaction, or with the savepoint.
        """
        refs = records.env["sync.crosswalk"]._canonical_refs(records, prefix, new=True)
        new = records.env.cr.precommit.data.setdefault(NEW_NAMES, {})
        for record_id, external_id in zip(records.ids, external_ids, strict=True):
            new[records._name, record_id] = {
                None: refs[record_id],
                system.id: external_id,
            }

    def of(self, record):
        """``{"external_id", "ref"}`` of a record; None for no record."""
        if not record:
            return None
        key = record._name, record.id
        if key in self._new:
            named = self._new[key]
            own = named.get(self._system.id) if self._system else None
            return {"external_id": own, "ref": named[None]}
        if key not in self._known:
            self._load(record)
        return dict(self._known[key])

    def _load(self, record):
        records = record.browse({*record._prefetch_ids, record.id})
        prefix = self._resources._of_model(record._name)._ref_prefix
        refs, own = self._crosswalk._names(records, prefix, self._system)
        for one in records.ids:
            self._known[record._name, one] = {
                "external_id": own.get(one),
                "ref": refs[one],
            }


class SyncResourceTable(models.AbstractModel):
    """A resource whose body is a table of members.

    Schema, example, decoding and encoding follow from :meth:`_members`. A resource
    adds its table, and overrides the small methods where Odoo's own business
    method has to run.

    Rights: the credential's scope has authorised the call, the crosswalk and the
    company confine it. The technical user itself holds no right on business models,
    so that its login reaches nothing over RPC; hence the ``sudo``.
    """

    _name = "sync.resource.table"
    _inherit = "sync.resource"
    _description = "Role: a resource described by a table of members"

    _resource_name = None
    _ref_prefix = None

    # -- description -----------------------------------------------------------------

    def _members(self):
        """Members of the body, in the order in which they are shown.

        A member's field may lead through a relation (``partner_shipping_id.city``):
        it is read from there; to write it is the resource's
        own matter (:meth:`_write_parts`).
        """
        return ()

    def _transition_members(self):
        """``{transition name: members of its body}``"""
        return {}

    def _schema(self, operation):
        if operation in self._transition_members():
            return canonical.schema(self._transition_members()[operation], "create")
        return canonical.schema(self._members(), operation)

    def _example(self, operation):
        if operation in self._transition_members():
            return canonical.example(self._transition_members()[operation], "create")
        return canonical.example(self._members(), operation)

    @api.model
    @tools.ormcache()
    def _served_models(self):
        """``{Odoo model: resource model}`` of everything that is served."""
        served = self.env["sync.resource"]._model_names().values()
        return {self.env[name]._resource_model: name for name in served}

    @api.model
    def _of_model(self, model_name):
        """The resource that serves a model's records, or None."""
        name = self._served_models().get(model_name)
        return self.env[name] if name else None

    # -- finding ---------------------------------------------------------------------

    def _business_model(self):
        return self.env[self._resource_model].sudo()

    def _find(self, system, external_id):
        record, moved = self._look_up(system, self._resource_model, external_id)
        return self._served(self._confined(record)), moved

    def _look_up(self, system, model, name):
        """The living record behind a system's id or a canonical reference.

        :return: ``(record or empty, whether the id was superseded)``
        """
        crosswalk_model = self.env["sync.crosswalk"].sudo()
        crosswalk, moved = crosswalk_model._resolve_moved(system, model, name)
        if (
            not crosswalk
            and system.reach == "company"
            and CANONICAL_REF.fullmatch(name)
        ):
            odoo = self.env["sync.system"].browse(crosswalk_model._odoo_id())
            crosswalk, moved = crosswalk_model._resolve_moved(odoo, model, name)
        return self._living(model, crosswalk.res_id), moved

    def _living(self, model, record_id):
        """The record if it is there, read as far as a body needs it, in one query."""
        records = self.env[model].sudo()
        if not record_id:
            return records
        found = records.with_context(active_test=False).search_fetch(
            [("id", "=", record_id)],
            list(self._of_model(model)._read_paths()),
            order="id",
        )
        return records.browse(found.ids)

    def _served(self, records):
        """Those of the model's records that this resource is about."""
        return records

    def _served_domain(self):
        """What a list may show of the model's records, whoever asks."""
        return Domain.TRUE

    def _confined(self, records):
        """Those that belong to the caller's company, or to none."""
        if "company_id" not in records._fields:
            return records
        return records.filtered(
            lambda r: r.company_id in (r.company_id.browse(), self.env.company)
        )

    def _listed_model(self):
        return self._business_model()

    def _list_domain(self, call):
        return self._served_domain() & self._company_domain() & self._reach_domain(call)

    def _company_domain(self):
        if "company_id" not in self.env[self._resource_model]._fields:
            return Domain.TRUE
        return Domain("company_id", "in", [False, self.env.company.id])

    def _reach_domain(self, call):
        """All records, or those alone that the caller's system has an id for."""
        if call.system.reach == "company":
            return Domain.TRUE
        return Domain("id", "in", self._known_to(call.system, self._resource_model))

    def _known_to(self, system, model):
        """Subquery of the records of a model that a system has an id for."""
        rows = (
            self.env["sync.crosswalk"]
            .sudo()
            ._search(
                [
                    ("system_id", "=", system.id),
                    ("res_model", "=", model),
                    ("state", "=", "active"),
                ]
            )
        )
        return rows.subselect("res_id")

    # -- writing ---------------------------------------------------------------------

    def _create(self, body, call):
        return self._create_batch([body], call)[0]

    def _create_batch(self, bodies, call):
        self._refuse_known(bodies, call)
        wanted = [self._decode(self._members(), body, call) for body in bodies]
        self._admit(bodies, wanted, call)
        held = self._held_on_create(set().union(*wanted), call)
        self._check_makeable(held)
        records = self._insert(
            [
                {name: value for name, value in values.items() if name not in held}
                for values in wanted
            ],
            call,
        )
        return self._settle(records, bodies, wanted, held, call)

    def _admit(self, bodies, wanted, call):
        """Last look at new records before they are made.

        :param wanted: Odoo values of each body
        :raise Problem: one of them shall not be made
        """

    def _insert(self, values_list, call):
        """Creates the records; override to add what the contract does not say."""
        return self._business_model().with_context(**UNWATCHED).create(values_list)

    def _refuse_known(self, bodies, call):
        """An id names one record: a second creation is a mistake."""
        names = [body["external_id"] for body in bodies]
        used = self._known_ids(call.system, names)
        for body, name in zip(bodies, names, strict=True):
            if name not in used and not CANONICAL_REF.fullmatch(name):
                continue
            known, _moved = self._look_up(call.system, self._resource_model, name)
            if known:
                raise Problem(
                    409,
                    "exists",
                    self.env._(
                        "%(id)s is known already: change it with PUT or PATCH.", id=name
                    ),
                    aftermath=functools.partial(self._note_known, known, body, call),
                )

    def _note_unknown(self, external_id, body, call):
        values = self._governed(self._decode(self._updatable_members(), body, call))
        # sudo: ids are kept by the machinery, the technical user reads none
        self.env["sync.crosswalk"].sudo()._apply_update(
            call.system, self._resource_model, external_id, values, call.source
        )

    def _note_known(self, record, body, call):
        """Two ideas of one record: where they differ, a steward decides."""
        values = self._governed(self._decode(self._updatable_members(), body, call))
        self._own_crosswalk(record, call)._refuse_creation(record, values, call.source)

    def _held_on_create(self, names, call):
        """Fields that the policy keeps this system from setting on a new record.

        :return: ``{field: Decision}``
        """
        model = self.env[self._resource_model]
        # sudo: whoever is held to a policy need not be able to read it
        decisions = (
            self.env["sync.policy"]
            .sudo()
            ._decide(
                model._name,
                [name for name in names if name in model._fields],
                call.source,
                self.env.company,
            )
        )
        allows = self.env["sync.crosswalk"]._allows
        return {
            name: decision
            for name, decision in decisions.items()
            if not allows(decision)
        }

    def _check_makeable(self, held):
        """What a record cannot be made without cannot be held for the record.

        :param held: as of :meth:`_held_on_create`
        :raise Problem: 409 with a pointer and the owner's name for each
        """
        faults = [
            FieldError(member.pointer, held[member.field].message, "held_by_policy")
            for member in self._members()
            if member.required and member.field in held
        ]
        if faults:
            raise Problem(
                409,
                "held_by_policy",
                self.env._(
                    "Nothing was created: what it cannot be made without is another"
                    " system's to say. %s",
                    faults[0].detail,
                ),
                errors=faults,
            )

    def _settle(self, records, bodies, wanted, held, call):
        """Names the new records, and notes what was agreed and what was held."""
        names = [body["external_id"] for body in bodies]
        outcomes = (
            self.env["sync.crosswalk"]
            .sudo()
            ._adopt(
                call.system,
                records,
                names,
                [self._governed(values) for values in wanted],
                call.source,
                held.keys(),
            )
        )
        self.env["sync.request"]._wake(call.system, names)
        Names.remember(records, call.system, names, self._ref_prefix)
        return [
            self._created(record, body, outcome)
            for record, body, outcome in zip(records, bodies, outcomes, strict=True)
        ]

    def _created(self, record, body, outcome):
        held = self._held_members(outcome)
        applied = {
            member.path: value
            for member, value in canonical.walk(self._members(), body)
            if member.path not in held
            and member.path != "external_id"
            and not member.writeonly
        }
        return ResourceResult(
            record, "created", applied, held, tuple(outcome.conflict.ids)
        )

    def _update(self, record, body, call, partial):
        self._check_fixed(record, body, call)
        values = self._decode(self._updatable_members(), body, call)
        crosswalk = self._own_crosswalk(record, call)
        if not partial:
            values = {**self._left_out(crosswalk, values), **values}
        outcome = crosswalk._apply_incoming(
            self._governed(values), call.source, call.version
        )
        parts = self._write_parts(record, values, call)
        sent = {
            member.field: value
            for member, value in canonical.walk(self._members(), body)
        }
        members = self._by_field()
        applied = {
            member.path: sent.get(name)
            for name, member in members.items()
            if name in outcome.applied or member.path in parts
        }
        return ResourceResult(
            record,
            "updated" if applied else "unchanged",
            applied,
            self._held_members(outcome),
            tuple(outcome.conflict.ids),
        )

    def _check_fixed(self, record, body, call):
        """What is fixed may be repeated, so that a body can be sent twice.

        It may repeat what the record has, or what its sender said at first: Odoo dates
        a confirmed order anew.

        :raise Problem: 422 with a pointer for each that would change
        """
        fixed = tuple(
            member
            for member in self._members()
            if member.fixed and not member.writeonly and member.path != "external_id"
        )
        values = self._decode(fixed, body, call)
        if not values:
            return
        agreed = self._own_crosswalk(record, call).base_json or {}
        names = Names(self.env, call.system)
        faults = [
            (
                member.pointer,
                self.env._("It was set when the record was made and does not change."),
                "not_allowed",
            )
            for member, _value in canonical.walk(fixed, body)
            if not self._repeats(member, record, values, agreed, names)
        ]
        if faults:
            raise Problem.invalid(faults)

    def _repeats(self, member, record, values, agreed, names):
        """Whether a value is the record's own, or the one agreed at first."""
        if not member.field:
            named = names.of(self.env[member.model].browse(values[member.path]))
            return named == self._encode_value(member, record, names)
        return self._is_same(record, member.field, values[member.field], agreed)

    def _is_same(self, record, name, value, agreed=()):
        """Whether a field has a value, in the form that ``write`` takes.

        :param agreed: values that count as well, by name
        """
        tool = self.env["sync.field.value"]
        kind = tool._kind(record, name)
        wanted = tool._written(record, name, value)
        known = [tool._read(record, name)]
        if name in agreed:
            known.append(agreed[name])
        return any(equal(kind, one, wanted) for one in known)

    def _write_parts(self, record, values, call):
        """Writes what is not a field of the record itself (lines, addresses).

        :return: paths of the members that were written
        """
        return set()

    def _updatable_members(self):
        return tuple(m for m in self._members() if not m.fixed and not m.readonly)

    def _writable(self, body):
        return canonical.writable(self._members(), body)

    def _governed(self, values):
        """The values that are fields of the record itself."""
        fields = self.env[self._resource_model]._fields
        return {
            name: value
            for name, value in values.items()
            if name in fields and fields[name].type not in ("one2many", "many2many")
        }

    def _own_crosswalk(self, record, call):
        """The caller's crosswalk row; who used the canonical reference adopts it."""
        crosswalk_model = self.env["sync.crosswalk"].sudo()
        row = crosswalk_model._active_rows(call.system, record).sorted("id")[:1]
        if row:
            return row
        ref = crosswalk_model._canonical_refs(record, self._ref_prefix)[record.id]
        return crosswalk_model._link(call.system, record, ref)

    def _left_out(self, crosswalk, values):
        """What the caller sent earlier and leaves out of a replacement: emptied.

        What it never sent belongs to others and is not touched.
        """
        earlier = crosswalk.base_json or {}
        return {
            member.field: False
            for member in self._updatable_members()
            if member.field in earlier
            and member.field not in values
            and not member.required
        }

    def _by_field(self):
        return {member.field or member.path: member for member in self._members()}

    def _held_members(self, outcome):
        """``{member: {"owner", "reason", "conflict"}}`` of the refused fields."""
        members = self._by_field()
        conflict = outcome.conflict.display_name if outcome.conflict else None
        return {
            members[name].path if name in members else name: {
                "owner": decision.owner_codes[0] if decision.owner_codes else "",
                "reason": decision.message,
                "conflict": conflict,
            }
            for name, decision in outcome.refused.items()
        }

    # -- wire -> Odoo ----------------------------------------------------------------

    def _decode(self, members, body, call):
        """Odoo values of a body, keyed by field (by path where the member has none).

        :raise Problem: 422 with a pointer for each value that Odoo cannot take
        """
        faults = []
        values = self._decode_object(members, body, call, "", faults)
        if faults:
            raise Problem.invalid(faults)
        return values

    def _decode_object(self, members, body, call, at, faults):
        values = {}
        for member, value in canonical.walk(members, body):
            if not member.field and (member.path == "external_id" or member.writeonly):
                continue
            pointer = at + member.pointer
            name = member.field or member.path
            if member.kind is Kind.LIST:
                values[name] = [
                    self._decode_object(
                        member.items, item, call, f"{pointer}/{index}", faults
                    )
                    for index, item in enumerate(value or ())
                ]
                continue
            try:
                values[name] = self._decode_value(member, value, call)
            except ValueError as error:
                faults.append((pointer, str(error), "invalid_value"))
            except LookupError as error:
                faults.append((pointer, error.args[0], "unknown_reference"))
        return values

    def _decode_value(self, member, value, call):
        """One value.

        :raise ValueError: it has the right form and no meaning
        :raise LookupError: it names something that is not there
        """
        if value is None:
            return False
        decoder = getattr(self, f"_decode_{member.kind.value}", None)
        return decoder(member, value, call) if decoder else value

    def _decode_amount(self, member, value, call):
        return float(money.from_text(value))

    _decode_quantity = _decode_amount

    def _decode_moment(self, member, value, call):
        return canonical.parse_moment(value)

    def _decode_day(self, member, value, call):
        return canonical.parse_day(value)

    def _decode_choice(self, member, value, call):
        return dict(member.choices)[value]

    def _decode_country(self, member, value, call):
        country = self.env["res.country"].search([("code", "=", value)], limit=1)
        return self._required_id(country, value)

    def _decode_subdivision(self, member, value, call):
        country, _, code = value.partition("-")
        state = self.env["res.country.state"].search(
            [("country_id.code", "=", country), ("code", "in", [code, value])], limit=1
        )
        return self._required_id(state, value)

    def _decode_currency(self, member, value, call):
        return self._required_id(
            self.env["res.currency"].search([("name", "=", value)], limit=1), value
        )

    def _decode_language(self, member, value, call):
        languages = self.env["res.lang"].search([])  # pylint: disable=no-search-all; installed ones
        code = value.replace("-", "_")
        language = languages.filtered(
            lambda lang: lang.code == code
        ) or languages.filtered(
            lambda lang: lang.iso_code == value or lang.code.split("_")[0] == value
        )
        if not language:
            raise LookupError(self.env._("The language %s is not installed.", value))
        return language[0].code

    def _decode_label(self, member, value, call):
        """A thing that Odoo knows by name alone (unit, payment terms)."""
        literal = re.sub(r"([\\%_])", r"\\\1", value)
        found = self.env[member.model].sudo().search([("name", "=ilike", literal)])
        return self._required_id(self._confined(found)[:1], value)

    def _decode_reference(self, member, value, call):
        return self._referenced(member.model, value, call).id

    def _referenced(self, model, reference, call):
        """The record that a reference object names.

        :raise LookupError: neither its external id nor its canonical reference is known
        """
        for name in filter(None, (reference.get("external_id"), reference.get("ref"))):
            record, _moved = self._look_up(call.system, model, name)
            if self._confined(record):
                return record
        raise LookupError(
            self.env._(
                "%(system)s has no %(what)s with the id %(id)s.",
                system=call.system.name,
                what=self.env[model]._description,
                id=reference.get("external_id") or reference.get("ref"),
            )
        )

    def _required_id(self, record, value):
        if not record:
            raise LookupError(
                self.env._(
                    "There is no %(what)s %(value)s.",
                    what=record._description,
                    value=value,
                )
            )
        return record.id

    # -- Odoo -> wire ----------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _read_paths(self):
        """``{field: what is read below it}`` of all that a body is read from."""
        fields = self.env[self._resource_model]._fields
        also = [path for path in ALSO_READ if path.split(".")[0] in fields]
        return _as_tree([*canonical.reads(self._members()), *also])

    def _read_ahead(self, records, tree):
        """Read what bodies need and nothing else, in one query for each relation."""
        records.fetch(list(tree))
        for name, below in tree.items():
            if below:
                self._read_ahead(records[name], below)

    def _to_canonical(self, records, system):
        names = Names(self.env, system)
        # Business data of records that the caller
        # was allowed to reach (class docstring).
        records = records.sudo()
        self._read_ahead(self.env.company.sudo(), _as_tree(CURRENCY))
        self._read_ahead(records, self._read_paths())
        members = [member for member in self._members() if not member.writeonly]
        return [self._encode_object(members, record, names) for record in records]

    def _encode_object(self, members, record, names):
        return canonical.nest(
            (member.path, self._encode_value(member, record, names))
            for member in members
        )

    def _encode_value(self, member, record, names):
        if not member.field:
            return self._encode_computed(member, record, names)
        *through, field = member.field.split(".")
        for step in through:
            record = record[step]
        value = record[field]
        if member.kind is Kind.LIST:
            return [self._encode_object(member.items, item, names) for item in value]
        if member.kind is Kind.BOOLEAN:
            return bool(value)
        if member.kind is Kind.AMOUNT:
            return money.to_text(value, self._amount_digits(record, field))
        if member.kind is Kind.QUANTITY:
            return money.to_plain_text(value)
        encoder = getattr(self, f"_encode_{member.kind.value}", None)
        if value and encoder:
            return encoder(member, value, names)
        return value or None

    def _encode_computed(self, member, record, names):
        """A member without a field; resources answer for their own."""
        if member.path in ("external_id", "ref"):
            return names.of(record)[member.path]
        if member.path == "updated_at":
            return canonical.moment_text(record.write_date)
        if member.path == "currency":
            return self._currency(record).name
        raise NotImplementedError(member.path)

    def _amount_digits(self, record, field):
        """Digits after the point: the currency's, or more for finer prices."""
        digits = self._currency(record).decimal_places
        precision = getattr(record._fields[field], "get_digits", None)
        kept = precision(self.env) if precision else None
        return max(digits, kept[1]) if kept else digits

    def _currency(self, record):
        """The currency of the record's amounts."""
        if "currency_id" in record._fields and record.currency_id:
            return record.currency_id
        return self.env.company.currency_id

    def _encode_moment(self, member, value, names):
        return canonical.moment_text(value)

    def _encode_day(self, member, value, names):
        return value.isoformat()

    def _encode_choice(self, member, value, names):
        words = {odoo: word for word, odoo in member.choices}
        return words.get(value)

    def _encode_country(self, member, value, names):
        return value.code

    def _encode_subdivision(self, member, value, names):
        return f"{value.country_id.code}-{value.code.rpartition('-')[2]}"

    def _encode_currency(self, member, value, names):
        return value.name

    def _encode_language(self, member, value, names):
        return value.replace("_", "-")

    def _encode_label(self, member, value, names):
        return value.name

    def _encode_reference(self, member, value, names):
        return names.of(value)

    # -- partner webhooks --------------------------------------------------------------

    def _hook_operations(self):
        """``{event name: operation}`` that a partner may send in our own words."""
        domain = self._domain_code
        operations = {f"{domain}.{name}": name for name in self._resource_transitions()}
        if "create" in self._resource_operations:
            operations |= {f"{domain}.created": PUT, f"{domain}.updated": PUT}
        return operations

    @api.model
    def _hook_catalogue(self):
        """``{event name: (resource name, operation)}`` over all resources."""
        served = self.env["sync.resource"]._model_names().values()
        return {
            event: (self.env[name]._resource_name, operation)
            for name in served
            if hasattr(self.env[name], "_hook_operations")
            for event, operation in self.env[name]._hook_operations().items()
        }

    @api.model
    def _canonical_instruction(self, event_type, message):
        """What a message in our own words asks for: ``{"type", "timestamp", "data"}``.

        :raise Problem: 422 when it is not such a message
        """
        if not isinstance(message, dict) or not isinstance(message.get("data"), dict):
            raise Problem.invalid(
                [("/data", self.env._("An object is expected."), "required")]
            )
        event = event_type or message.get("type")
        resource, operation = self._hook_catalogue().get(event, (None, None))
        if resource is None:
            raise Problem(
                422,
                "unknown_event",
                self.env._(
                    "Nothing is known of events %s; a mapping is missing.", event
                ),
            )
        body = dict(message["data"])
        external_id = body.pop("external_id", None)
        if not isinstance(external_id, str) or not external_id:
            raise Problem.invalid(
                [
                    (
                        "/data/external_id",
                        self.env._("The record is not named."),
                        "required",
                    )
                ]
            )
        return Instruction(resource, operation, external_id, body)

    def _take(self, instruction, call):
        """Does what a message asks for. :return: ``ResourceResult``"""
        name, body = instruction.external_id, dict(instruction.body)
        record, _moved = self._find(call.system, name)
        record = record or self._introduce(name, body, call)
        operation = instruction.operation
        if operation == PUT:
            body["external_id"] = name
            operation = "patch" if record else "create"
        return self.env["sync.gate"]._apply(
            self._resource_name, operation, name, body, call
        )

    def _introduce(self, external_id, body, call):
        """The record that a first message names by something that both sides know.

        Links the caller's id to it. The default knows nothing of the kind.
        """
        return self._business_model()
