# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import codecs

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.document import Layout


class SyncDocumentLayout(models.AbstractModel):
    """Role: something that reads or writes documents of a partner.

    Gives the fields that say how the partner writes them.
    """

    _name = "sync.document.layout"
    _description = "Role: has a document layout"

    document_format = fields.Selection(
        [
            ("csv", "CSV"),
            ("json", "JSON"),
            ("jsonl", "JSON, a row a line"),
            ("xml", "XML"),
        ],
        string="Format",
        required=True,
        default="csv",
    )
    charset = fields.Char(
        string="Character Set",
        required=True,
        default="utf-8",
        help="Such as utf-8, cp1252 (Windows) or iso-8859-15.",
    )
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar")],
        required=True,
        default=",",
        help="Between the cells of CSV.",
    )
    rows_path = fields.Char(
        string="Rows",
        help="Where the rows are. JSON: the dotted path of the list, such as"
        " data.orders; empty if the document is the list itself. XML: the element"
        " that stands for one row.",
    )
    group_by = fields.Char(
        string="Rows of One Record",
        help="CSV: the column in which the rows of one record agree, such as shipment."
        " Rows that follow each other and agree are one message, which has them as its"
        " list rows.",
    )
    list_tags = fields.Char(
        string="List Elements",
        help="XML: elements that are a list even if they occur once, with commas.",
    )

    @api.constrains("charset")
    def _check_charset(self):
        for document in self:
            try:
                codecs.lookup(document.charset)
            except LookupError as error:
                raise ValidationError(
                    self.env._("There is no character set %s.", document.charset)
                ) from error

    @api.constrains("document_format", "rows_path")
    def _check_rows_path(self):
        for document in self:
            if document.document_format == "xml" and not document.rows_path:
                raise ValidationError(
                    self.env._("XML: name the element that stands for one row.")
                )

    def _layout(self):
        """How the documents are written. :return: ``document.Layout``"""
        self.ensure_one()
        tags = (self.list_tags or "").split(",")
        return Layout(
            format=self.document_format,
            charset=self.charset,
            delimiter=self.delimiter,
            rows=self.rows_path or "",
            lists=frozenset(tag.strip() for tag in tags if tag.strip()),
            group=self.group_by or "",
        )
