import ast
import json

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.sync_governance_base.tools.event_name import problem

from ..tools.capture import EventSpec
from ..tools.describe import EventDoc, asyncapi, openapi_webhooks
from ..tools.envelope import canonical_json
from ..tools.masking import mask, parse_paths
from .sync_retention import DEFAULT_DAYS

JSON_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "float": "number",
    "monetary": "number",
    "many2many": "array",
    "one2many": "array",
}


class SyncEventType(models.Model):
    """An entry of the event catalogue: what happens to which records, what is told."""

    _name = "sync.event.type"
    _description = "Event Type"
    _inherit = ["mail.thread"]
    _order = "name"

    name = fields.Char(
        required=True, tracking=True, help="As receivers see it, e.g. order.confirmed."
    )
    description = fields.Text(translate=True)
    active = fields.Boolean(default=True, tracking=True)
    version = fields.Char(
        default="1.0.0",
        required=True,
        tracking=True,
        help="Semantic version of the payload.",
    )
    model_id = fields.Many2one("ir.model", ondelete="cascade")
    model_name = fields.Char(related="model_id.model", string="Model Name", store=True)
    operation = fields.Selection(
        [
            ("create", "Created"),
            ("write", "Watched fields changed"),
            ("archive", "Archived"),
            ("unlink", "Deleted"),
            ("explicit", "Emitted by code"),
        ],
        required=True,
        default="write",
        tracking=True,
    )
    watched_field_ids = fields.Many2many(
        "ir.model.fields",
        string="Watched Fields",
        domain="[('model_id', '=', model_id), ('store', '=', True),"
        " ('ttype', 'not in', ('one2many', 'many2many'))]",
        help="Stored columns whose change is the event. To follow lines, watch a "
        "stored total.",
    )
    filter_before = fields.Char(
        tracking=True,
        help="The record must match this before the transaction's change.",
    )
    filter_after = fields.Char(
        tracking=True,
        help="The record must match this at the end of the transaction.",
    )
    is_state_type = fields.Boolean(
        string="Carries Full State",
        default=True,
        help="A newer event of a record makes the older ones superfluous: replays may "
        "skip them.",
    )
    payload_line_ids = fields.One2many(
        "sync.event.type.field", "event_type_id", copy=True
    )
    masked_paths = fields.Char(
        help="Comma separated paths of the payload hidden on screens, such as "
        "customer.email."
    )
    retention_days = fields.Integer(
        string="Kept (days)",
        tracking=True,
        help="Events are kept this long, and longer while a delivery is open or dead. "
        "0: as the domain of the model says.",
    )
    sample_res_id = fields.Many2oneReference(
        string="Try on Record",
        model_field="model_name",
        store=False,
        help="Shows what would be sent of a real record. Nothing is saved or sent.",
    )
    sample_payload = fields.Text(compute="_compute_sample_payload")
    sample_verdict = fields.Char(
        string="Would Be Told",
        compute="_compute_sample_payload",
        help="Whether the record, as it is now, meets the filters.",
    )
    event_count = fields.Integer(compute="_compute_event_count")

    _name_uniq = models.Constraint(
        "unique(name)", "There is an event type of this name."
    )
    _retention_not_negative = models.Constraint(
        "CHECK (retention_days >= 0)", "Events cannot be kept for negative days."
    )

    @api.depends(
        "sample_res_id",
        "model_id",
        "payload_line_ids.key",
        "payload_line_ids.path",
        "masked_paths",
        "operation",
        "filter_before",
        "filter_after",
    )
    def _compute_sample_payload(self):
        for event_type in self:
            event_type.sample_payload = event_type._sample()
            event_type.sample_verdict = event_type._sample_meets_filters()

    def _compute_event_count(self):
        counts = dict(
            self.env["sync.event"]._read_group(
                [("event_type_id", "in", self.ids)], ["event_type_id"], ["__count"]
            )
        )
        for event_type in self:
            event_type.event_count = counts.get(event_type, 0)

    @api.constrains("name")
    def _check_name(self):
        for event_type in self:
            if reason := problem(event_type.name):
                raise ValidationError(
                    self.env._(
                        "%(name)s is not an event name: the name %(reason)s.",
                        name=event_type.name,
                        reason=reason,
                    )
                )

    @api.constrains("operation", "model_id", "watched_field_ids")
    def _check_watched(self):
        for event_type in self:
            if event_type.operation != "explicit" and not event_type.model_id:
                raise ValidationError(self.env._("Choose the model to watch."))
            if event_type.operation == "write" and not event_type.watched_field_ids:
                raise ValidationError(self.env._("Choose the fields to watch."))
            for field in event_type.watched_field_ids:
                if not event_type._is_column(field):
                    raise ValidationError(
                        self.env._(
                            "%(field)s is not a stored column of %(model)s.",
                            field=field.name,
                            model=event_type.model_name,
                        )
                    )

    @api.constrains("model_id")
    def _check_paths(self):
        self.payload_line_ids._check_path()

    @api.constrains("filter_before", "filter_after", "model_id")
    def _check_filters(self):
        for event_type in self:
            for text in (event_type.filter_before, event_type.filter_after):
                if text:
                    event_type._check_filter(text)

    def _is_column(self, field):
        model = self.env.get(self.model_name)
        return model is not None and bool(
            field.name in model._fields and model._fields[field.name].column_type
        )

    def _check_filter(self, text):
        try:
            domain = Domain(ast.literal_eval(text))
            # sudo: a validity check of the domain, whose records nobody gets to see
            domain.validate(self.env[self.model_name].sudo())
            # What is told or not betrays what the filter looks at: only what the
            # writer may read (sudo(False): constraints run with all rights).
            self.sudo(False).env[self.model_name].search(domain, limit=1)
        except (ValueError, SyntaxError, TypeError, KeyError) as error:
            raise ValidationError(
                self.env._("Not a valid filter: %(error)s", error=error)
            ) from error

    @api.model_create_multi
    def create(self, vals_list):
        event_types = super().create(vals_list)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return event_types

    def write(self, vals):
        result = super().write(vals)
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return result

    def unlink(self):
        result = super().unlink()
        self.env["sync.write.hook"]._sync_refresh_hooks()
        return result

    # -- capture ---------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _specs(self):
        """``{model name: (EventSpec, …)}`` of the active types."""
        result = {}
        # sudo: whoever changes a record may know nothing of the catalogue
        for event_type in self.sudo().search([("model_id", "!=", False)]):
            spec = event_type._spec()
            result[spec.model] = (*result.get(spec.model, ()), spec)
        return result

    def _spec(self):
        watched = ("active",) if self.operation == "archive" else ()
        return EventSpec(
            id=self.id,
            name=self.name,
            model=self.model_name or "",
            operation=self.operation,
            watched=watched or tuple(sorted(self.watched_field_ids.mapped("name"))),
            before=self.filter_before or "",
            after=self.filter_after or "",
        )

    @api.model
    @tools.ormcache("name")
    def _id_by_name(self, name):
        # sudo: as in _specs
        return self.sudo().search([("name", "=", name)], limit=1).id

    @api.model
    def _emit(self, name, record, data=None, before=None, after=None):
        """Add an event to the present transaction, whatever the operation of its type.

        :param str name: of an event type; if none is active, nothing happens
        :param record: the record it is about, whose events stay in order
        :param data: the payload, JSON values; None for the record's own
        :param before: values before and after, shown beside the event
        :param after: see ``before``
        :return: the event type, or an empty recordset
        """
        # sudo: as in _specs
        event_type = self.sudo().browse(self._id_by_name(name) or [])
        if event_type:
            self.env["sync.capture"]._capture_explicit(
                event_type._spec(), record, data, before, after
            )
        return event_type

    # -- retention -------------------------------------------------------------------

    def _days_kept(self):
        """How many days events of the type are kept; 0 for good."""
        self.ensure_one()
        domain = self.env["sync.domain"]._of_model(self.model_name)
        days = domain.event_retention_days if domain else DEFAULT_DAYS
        return self.retention_days or days

    # -- payload ---------------------------------------------------------------------

    def _listed_payload(self, record):
        """The payload by the type's list of fields."""
        payload = {}
        for line in self.payload_line_ids:
            line._put(payload, record)
        return payload

    def _fields_told(self, paths=frozenset()) -> set[str]:
        """Names of the fields of which a receiver hears: those whose change is the
        event, and those its payload lists.

        :param paths: of the payload, that the receiver reads; empty: all
        """
        listed = {
            line.path.partition(".")[0]
            for line in self.payload_line_ids
            if not paths or line.key in paths
        }
        return listed | set(self.watched_field_ids.mapped("name"))

    def _listed_schema(self):
        """JSON Schema of :meth:`_listed_payload`."""
        properties = {}
        for line in self.payload_line_ids:
            line._put_schema(properties)
        return {"type": "object", "properties": properties}

    def _localise_payload(self, payload, system):
        """The payload as one system should see it, e.g. with its own identifiers.

        Called when a delivery is first sent; the default changes nothing.

        :param payload: a copy that may be changed: a dict, or a list of them
        :param system: the receiving ``sync.system``
        """
        return payload

    def _masked(self, payload):
        """A payload with the type's private values hidden, for screens."""
        return mask(payload, parse_paths(self.masked_paths))

    def _sample_record(self):
        """The record to try out, or an empty recordset; readable by the user."""
        if not self.sample_res_id or self.model_name not in self.env:
            return self.browse()
        record = self.env[self.model_name].browse(self.sample_res_id).exists()
        record.check_access("read")
        return record

    def _sample_meets_filters(self):
        record = self._sample_record()
        if not record:
            return False
        # Deleted, or no longer what it was: judged by what it is before.
        is_last_look = self.operation in ("unlink", "archive")
        text = self.filter_before if is_last_look else self.filter_after
        try:
            is_met = not text or record.filtered_domain(Domain(ast.literal_eval(text)))
        except (ValueError, SyntaxError, TypeError, KeyError):
            return self.env._("The filter cannot be read yet.")
        if is_met:
            return self.env._("Yes: the record meets the filter.")
        return self.env._("No: the record does not meet the filter.")

    def _sample(self):
        record = self._sample_record()
        if not record:
            return bool(self.sample_res_id) and self.env._("There is no such record.")
        payload = json.loads(canonical_json(record._sync_payload(self)))
        return json.dumps(self._masked(payload), indent=2, ensure_ascii=False)

    # -- self-description --------------------------------------------------------------

    @api.model
    def _docs(self):
        """The active types as ``tools.describe.EventDoc``."""
        # sudo: the catalogue is public to those who may read the API's description
        return [
            event_type._doc() for event_type in self.sudo().search([], order="name")
        ]

    def _doc(self):
        model = self.env.get(self.model_name or "base")
        schema, example = {"type": "object"}, {}
        if model is not None:
            schema = model._sync_payload_schema(self)
            example = model._sync_payload_example(self)
        return EventDoc(
            name=self.name,
            title=self.description or self.name,
            version=self.version,
            schema=schema,
            example=example,
        )

    @api.model
    def _asyncapi(self, note=""):
        """The catalogue as an AsyncAPI 3.1 document.

        :param str note: a sentence for its description
        """
        return asyncapi("Sync governance for Odoo: events", self._docs(), note)

    @api.model
    def _openapi_webhooks(self):
        """The catalogue as the ``webhooks`` of an OpenAPI 3.1 document."""
        return openapi_webhooks(self._docs())

    def action_view_events(self):
        """Open the events of this type."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_event_action"
        )
        return action | {
            "domain": [("event_type_id", "in", self.ids)],
            "context": {},
        }
