import json
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_datetime
from odoo.tools.misc import formatLang

from ..tools.merge3 import SET_TYPES, FieldKind, naive_utc

_ADDING = {fields.Command.LINK}
_TAKING = {fields.Command.UNLINK, fields.Command.DELETE}


class SyncFieldValue(models.AbstractModel):
    """Field values in the one form that policies, crosswalks and conflicts keep.

    The form is plain JSON: an id for many2one, sorted ids for x2many,
    ISO text for dates, UTC for times, False for nothing.
    """

    _name = "sync.field.value"
    _description = "Field Values in Neutral Form"

    @api.model
    def _kind(self, record, field_name: str) -> FieldKind:
        """What decides whether two values of the field are equal."""
        field = record._fields[field_name]
        digits = None
        if field.type == "float" and (precision := field.get_digits(self.env)):
            digits = precision[1]
        elif field.type == "monetary":
            currency_field = field.get_currency_field(record)
            currency = record[currency_field][:1] if currency_field else None
            digits = currency.decimal_places if currency else 2
        return FieldKind(field.type, digits)

    @api.model
    def _read(self, record, field_name: str) -> Any:
        """The field's present value, read with all rights: compared, not shown.

        False as well when the module that had the field is uninstalled.
        """
        if field_name not in record._fields:
            return False
        return self._neutral(record, field_name, record.sudo()[field_name])

    @api.model
    def _neutral(self, record, field_name: str, value: Any) -> Any:
        field = record._fields[field_name]
        if field.type in SET_TYPES:
            return sorted(value.ids) if isinstance(value, models.BaseModel) else value
        if isinstance(value, models.BaseModel):
            return value.id or False
        if value is None or value is False:
            return False
        if field.type == "datetime":
            return naive_utc(value).isoformat(" ", "seconds")
        if field.type == "date":
            return fields.Date.to_date(value).isoformat()
        if isinstance(value, bytes):
            return value.decode()
        return (
            value if isinstance(value, bool | int | float | list | dict) else str(value)
        )

    @api.model
    def _written(self, record, field_name: str, value: Any) -> Any:
        """A value as given to ``write``, in neutral form.

        :return: None for commands that make, change or delete records themselves: what
            they lead to cannot be told beforehand
        """
        field = record._fields[field_name]
        if field.type not in SET_TYPES:
            return self._neutral(record, field_name, value)
        if isinstance(value, models.BaseModel):
            return sorted(value.ids)
        ids = set(record.sudo()[field_name].ids)
        for command in value or ():
            if not isinstance(command, list | tuple):
                ids = set(value)
                break
            code = command[0]
            if code == fields.Command.SET:
                ids = set(command[2])
            elif code == fields.Command.CLEAR:
                ids = set()
            elif code in _ADDING:
                ids.add(command[1])
            elif code in _TAKING and not (field.type == "one2many" and code == 2):
                ids.discard(command[1])
            else:
                return None
        return sorted(ids)

    @api.model
    def _to_write(self, record, field_name: str, value: Any) -> Any:
        """A neutral value in the form that ``write`` takes."""
        if record._fields[field_name].type in SET_TYPES:
            return [fields.Command.set(value or [])]
        return value

    @api.model
    def _jsonable(self, value: Any) -> Any:
        """Commands on lines as they can be kept, for people to look at."""
        return json.loads(json.dumps(value, default=str))

    @api.model
    def _parse(self, model, field_name: str, text: str) -> Any:
        """A value that a person typed as in an import file, in neutral form.

        :raise UserError: when the text is no value of the field
        """
        field = model._fields[field_name]
        with self.env.cr.savepoint() as savepoint:
            convert = self.env["ir.fields.converter"].to_field(
                model, field, savepoint=savepoint
            )
            try:
                value, _warnings = convert([{None: text}] if field.relational else text)
            except ValueError as error:
                raise UserError(str(error.args[0])) from error
        return self._written(model, field_name, value)

    @api.model
    def _spell(self, record, field_name: str, value: Any) -> str:
        """A neutral value as a person would type it: what ``_parse`` reads."""
        field = record._fields[field_name]
        if field.type == "boolean":
            return str(int(bool(value)))
        if value is False or value == []:
            return ""
        if field.relational:
            ids = value if isinstance(value, list) else [value]
            records = self.env[field.comodel_name].browse(ids)
            return ",".join(records.mapped("display_name"))
        return str(value)

    @api.model
    def _display(self, model_name: str, field_name: str, value: Any) -> str:
        """A neutral value as people read it, in the user's language.

        A field that the user may not read shows nothing of its values.
        """
        model = self.env.get(model_name)
        field = model._fields.get(field_name) if model is not None else None
        if field is not None and not model._has_field_access(field, "read"):
            return self.env._("not for you to see")
        # a zero is a value: only what is not set shows as nothing
        is_unset = value is None or value is False or value in ("", [])
        if is_unset and (field is None or field.type != "boolean"):
            return ""
        if field is None:
            return str(value)
        if field.relational:
            ids = value if isinstance(value, list) else [value]
            # names of related records explain a decision to those who may take it
            records = self.env[field.comodel_name].sudo().browse(ids).exists()
            return ", ".join(record.display_name or "" for record in records)
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return labels.get(value, str(value))
        if field.type == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if field.type == "datetime":
            return format_datetime(self.env, value)
        if field.type == "date":
            return format_date(self.env, value)
        if field.type in ("float", "monetary"):
            precision = field.get_digits(self.env) if field.type == "float" else None
            return formatLang(self.env, value, digits=precision[1] if precision else 2)
        return str(value)
