from odoo import api, fields, models


class SyncDomainTemplate(models.Model):
    """A usual data domain: what it holds and which kind of system usually owns it."""

    _name = "sync.domain.template"
    _description = "Usual Data Domain"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    criticality = fields.Selection(
        lambda self: self.env["sync.domain"]._fields["criticality"].selection,
        required=True,
    )
    owner_kind = fields.Selection(
        lambda self: self.env["sync.system"]._fields["kind"].selection, required=True
    )
    direction = fields.Selection(
        lambda self: self.env["sync.policy"]._fields["direction"].selection,
        required=True,
    )
    timing = fields.Selection(
        lambda self: self.env["sync.policy"]._fields["timing"].selection, required=True
    )
    max_latency_s = fields.Integer()
    model_name = fields.Char(required=True, string="Technical Model")
    field_names = fields.Char(
        required=True, help="Technical names, separated by commas."
    )

    _code_unique = models.Constraint(
        "UNIQUE(code)", "Another usual domain has this code."
    )

    @api.model
    def _missing(self):
        """The templates whose domain does not exist yet."""
        codes = (
            self.env["sync.domain"]  # pylint: disable=no-search-all; a handful
            .with_context(active_test=False)
            .search([])
            .mapped("code")
        )
        return self.search([("code", "not in", codes)])

    def _model(self):
        """The model, empty if its app is not installed."""
        self.ensure_one()
        if self.model_name not in self.env:
            return self.env["ir.model"]
        return self.env["ir.model"]._get(self.model_name)

    def _fields_present(self):
        """The fields that this database has."""
        self.ensure_one()
        if self.model_name not in self.env:
            return self.env["ir.model.fields"]
        unknown = self._fields_unknown()
        ids = [
            self.env["ir.model.fields"]._get(self.model_name, name).id
            for name in self._names()
            if name not in unknown
        ]
        return self.env["ir.model.fields"].browse(ids)

    def _fields_unknown(self) -> list[str]:
        """The names of no field that this database has."""
        self.ensure_one()
        model = self.env.get(self.model_name)
        return [
            name for name in self._names() if model is None or name not in model._fields
        ]

    def _names(self) -> list[str]:
        return [name.strip() for name in self.field_names.split(",")]

    def _owner(self):
        """The first system of the kind that usually owns the domain."""
        self.ensure_one()
        return self.env["sync.system"].search(
            [("kind", "=", self.owner_kind), ("state", "!=", "retired")], limit=1
        )

    def _adopt(self):
        """Create the domain, and an observing draft policy for its fields."""
        domains = self.env["sync.domain"]
        for template in self:
            domain = domains.create(
                {
                    "name": template.name,
                    "code": template.code,
                    "criticality": template.criticality,
                    "owner_id": self.env.uid,
                    "model_ids": [fields.Command.set(template._model().ids)],
                }
            )
            template._draft_policy(domain)
            domains |= domain
        return domains

    def _calendar(self):
        """The company's working hours, for what is exchanged on schedule."""
        calendars = self.env["resource.calendar"]
        scheduled = self.timing == "scheduled"
        return self.env.company.resource_calendar_id if scheduled else calendars

    def _draft_policy(self, domain):
        present = self._fields_present()
        if not present:
            return
        owner = self._owner()
        self.env["sync.policy"].create(
            {
                "name": self.name,
                "domain_id": domain.id,
                "model_id": self._model().id,
                "direction": self.direction,
                "timing": self.timing,
                "max_latency_s": self.max_latency_s,
                "calendar_id": self._calendar().id,
                "line_ids": [
                    fields.Command.create(
                        {"field_id": field.id, "owner_system_id": owner.id}
                    )
                    for field in present
                ],
            }
        )
