from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import NO_ACCESS

from .sync_event_type import JSON_TYPES

# Keys, settings and files leave in no payload, whoever asks for them.
_NEVER_TOLD = {"sync.secret", "ir.attachment", "ir.config_parameter"}


class SyncEventTypeField(models.Model):
    """A value of an event's payload: where it is read, under which key it is sent."""

    _name = "sync.event.type.field"
    _description = "Event Payload Field"
    _order = "sequence, id"
    _rec_name = "key"

    event_type_id = fields.Many2one(
        "sync.event.type", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    key = fields.Char(
        required=True, help="Key in the payload; dots make objects: customer.name."
    )
    path = fields.Char(
        required=True, help="Dotted path of fields: partner_id.name, order_line.name."
    )

    _key_uniq = models.Constraint(
        "unique(event_type_id, key)", "A key can be sent only once."
    )

    @api.constrains("path", "event_type_id")
    def _check_path(self):
        for line in self:
            try:
                steps = list(line._steps())
            except KeyError as error:
                raise ValidationError(
                    self.env._(
                        "%(path)s: there is no field %(name)s.",
                        path=line.path,
                        name=error,
                    )
                ) from error
            # Payloads are read with all rights, hence only what the writer may read
            # (sudo(False): constraints run with all rights, too).
            for model, field in steps:
                if not self._may_tell(model.sudo(False), field):
                    raise AccessError(
                        self.env._(
                            "%(path)s: %(name)s is not yours to send.",
                            path=line.path,
                            name=field.name,
                        )
                    )

    @api.model
    def _may_tell(self, model, field):
        told = [model, *([model.env[field.comodel_name]] if field.comodel_name else [])]
        return (
            field.type != "binary"
            and field.groups != NO_ACCESS
            and not _NEVER_TOLD & {model._name for model in told}
            and all(model.has_access("read") for model in told)
            and model._has_field_access(field, "read")
        )

    def _steps(self):
        """The fields along the path, each with the model it is read of."""
        model_name = self.event_type_id.model_name
        for name in self.path.split("."):
            model = self.env[model_name]
            field = model._fields[name]
            yield model, field
            model_name = field.comodel_name

    def _field(self):
        """The field at the end of the path."""
        *_parents, (_model, field) = self._steps()
        return field

    def _put(self, payload, record):
        """Read the value from ``record`` and put it into ``payload``."""
        *parents, last = self.key.split(".")
        for key in parents:
            payload = payload.setdefault(key, {})
        *relations, name = self.path.split(".")
        records = record
        for relation in relations:
            records = records[relation]
        is_list = any(
            field.type in ("one2many", "many2many")
            for field in self._relations(record, relations)
        )
        values = [self._value(item, name) for item in records]
        payload[last] = values if is_list else next(iter(values), None)

    @api.model
    def _relations(self, record, names):
        model = record
        for name in names:
            yield model._fields[name]
            model = self.env[model._fields[name].comodel_name]

    @api.model
    def _value(self, record, name):
        field, value = record._fields[name], record[name]
        if field.type in ("one2many", "many2many"):
            return value.mapped("display_name")
        if field.relational:
            return value.display_name or None
        if value is False and field.type != "boolean":
            return None
        return value

    def _put_schema(self, properties):
        """Describe the value in the JSON Schema ``properties`` of the payload."""
        *parents, last = self.key.split(".")
        for key in parents:
            node = properties.setdefault(key, {"type": "object", "properties": {}})
            properties = node["properties"]
        field = self._field()
        schema = {"type": [JSON_TYPES.get(field.type, "string"), "null"]}
        if field.type in ("date", "datetime"):
            schema["format"] = "date" if field.type == "date" else "date-time"
        properties[last] = {**schema, "description": field.string}
