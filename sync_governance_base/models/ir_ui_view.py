import json

from lxml import etree

from odoo import models

# architectures may not contain it, views sent to the client may
_TEMPLATE = "data-tooltip-template"
_INFO = "data-tooltip-info"
_TRUE = ("1", "True", "true")
_FILLING = ("one2many", "many2many", "html")
#: elements that the web client takes into the page as they are, attributes included
_HTML = {"div", "span", "p", "h1", "h2", "h3", "h4", "h5", "td", "li", "footer"}


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _postprocess_tag_field(self, node, name_manager, node_info):
        super()._postprocess_tag_field(node, name_manager, node_info)
        self._sync_lock(node, name_manager)
        if node_info.get("view_type") in ("form", "kanban"):
            self._sync_explain(node, name_manager)

    def _sync_lock(self, node, name_manager):
        """Make a field read-only that a policy keeps people from changing."""
        condition = self.env["sync.policy"]._readonly_condition(
            name_manager.model._name, node.get("name")
        )
        if not condition:
            return
        present = node.get("readonly")
        if present is None and name_manager.model._fields[node.get("name")].readonly:
            return
        if not present or present in ("0", "False"):
            node.set("readonly", condition)
        elif present not in ("1", "True"):
            node.set("readonly", f"({present}) or {condition}")

    def _sync_explain(self, node, name_manager):
        """Hang the owner's tooltip on what surrounds a governed field without a label.

        The web client shows a field's help at its label, or at a field that stands
        alone on the sheet. Elsewhere nobody would see it: there the HTML element around
        the field gets the standard tooltip, one for all such fields in it.
        """
        model, name = name_manager.model, node.get("name")
        sentence = self.env["sync.policy"]._explanations(model._name).get(name)
        if not sentence or self._sync_is_labelled(node):
            return
        around = self._sync_html_around(node, model._fields[name])
        if around is None:
            return
        info = json.loads(around.get(_INFO, "{}"))
        label = node.get("string") or model._fields[name]._description_string(self.env)
        labels = info.setdefault("owners", {}).setdefault(sentence, [])
        if label not in labels:
            labels.append(label)
        info["field"] = {
            "help": "\n".join(
                f"{', '.join(labels)}\n{sentence}"
                for sentence, labels in info["owners"].items()
            )
        }
        around.set(_TEMPLATE, "web.FieldTooltip")
        around.set(_INFO, json.dumps(info))

    def _sync_is_labelled(self, node) -> bool:
        """Whether a label of the same view shows the field's help."""
        view = next(node.iterancestors("form", "kanban"))
        if node.getparent().tag == "group" and node.get("nolabel") not in _TRUE:
            return True
        spoken_for = node.get("id") or node.get("name")
        return bool(view.xpath(".//label[@for=$id]", id=spoken_for))

    def _sync_html_around(self, node, field):
        """The HTML element to hang a field's tooltip on; None where one would be wrong.

        That is the parent. In groups and on pages, where there is none, the field is
        wrapped; not so lists and texts with a layout of their own, which fill the page.
        """
        parent = node.getparent()
        if parent.tag in _HTML:
            return parent
        if parent.tag not in ("group", "page") or field.type in _FILLING:
            return None
        around = etree.Element("div", colspan=node.get("colspan", "1"))
        around.tail, node.tail = node.tail, None
        node.addprevious(around)
        around.append(node)
        return around
