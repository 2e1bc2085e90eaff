import json

from lxml import etree

from odoo.tests import tagged

from .common import OwnershipCase

FORM = """
<form>
    <sheet>
        <field name="ref"/>
        <div name="lonely"><i class="fa fa-phone"/><field name="phone"/></div>
        <div name="address"><field name="street"/><field name="city"/></div>
        <div name="labelled"><label for="email"/><field name="email"/></div>
        <group name="group">
            <field name="vat"/>
            <field name="function" nolabel="1" colspan="2"/>
        </group>
        <field name="child_ids">
            <kanban><templates><t t-name="card">
                <div name="card"><field name="phone"/></div>
            </t></templates></kanban>
        </field>
    </sheet>
</form>
"""


@tagged("post_install", "-at_install")
class TestExplanation(OwnershipCase):
    """The owner is named in the standard tooltip, with a label or without."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        cls.view = cls.env["ir.ui.view"].create(
            {
                "name": "explained",
                "model": "res.partner",
                "arch": FORM,
                "priority": 999,
            }
        )

    def _arch(self, user=None):
        model = self.env["res.partner"].with_user(user or self.user)
        return etree.fromstring(model.get_view(self.view.id, "form")["arch"])

    def _tooltip(self, arch, name):
        """The tooltip of the element with a name, None if it has none."""
        [element] = arch.xpath(f"//*[@name='{name}'][not(self::field)]")
        info = element.get("data-tooltip-info")
        return json.loads(info)["field"]["help"] if info else None

    def test_a_field_without_a_label_has_the_tooltip_around_it(self):
        self._policy({"phone": self.shop})
        arch = self._arch()
        expected = "Phone\nSystem of record: Shop (policy “Contacts v1”)."
        self.assertEqual(self._tooltip(arch, "lonely"), expected)
        self.assertEqual(self._tooltip(arch, "card"), expected, "in kanban cards too")
        self.assertIsNone(self._tooltip(arch, "address"))

    def test_neighbours_share_one_tooltip_by_owner(self):
        self._policy({"street": self.shop, "city": self.shop})
        self.assertEqual(
            self._tooltip(self._arch(), "address"),
            "Street, City\nSystem of record: Shop (policy “Contacts v1”).",
        )
        self._policy({"street": self.shop, "city": self.wms}, version=2)
        self.assertEqual(
            self._tooltip(self._arch(), "address"),
            "Street\nSystem of record: Shop (policy “Contacts v2”).\n"
            "City\nSystem of record: WMS (policy “Contacts v2”).",
        )

    def test_a_field_with_a_label_has_its_tooltip_there(self):
        self._policy({"email": self.shop, "vat": self.shop})
        arch = self._arch()
        self.assertIsNone(self._tooltip(arch, "labelled"))
        self.assertEqual(arch.xpath("//field[@name='vat']/..")[0].tag, "group")
        fields_ = self.env["res.partner"].fields_get(["email"], ["help"])
        self.assertIn("System of record: Shop", fields_["email"]["help"])

    def test_a_field_without_label_in_a_group_is_wrapped(self):
        self._policy({"function": self.shop})
        [around] = self._arch().xpath("//field[@name='function']/..")
        self.assertEqual((around.tag, around.get("colspan")), ("div", "2"))
        self.assertIn("System of record: Shop", around.get("data-tooltip-info"))

    def test_a_model_without_a_policy_keeps_its_views(self):
        self.assertNotIn(b"data-tooltip-info", etree.tostring(self._arch()))

    def test_it_is_said_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("de_DE")
        self._policy({"phone": self.shop})
        self._arch()
        self.user.lang = "de_DE"
        model = self.env["res.partner"].with_user(self.user).with_context(lang="de_DE")
        arch = etree.fromstring(model.get_view(self.view.id, "form")["arch"])
        label = model.fields_get(["phone"], ["string"])["phone"]["string"]
        self.assertTrue(self._tooltip(arch, "lonely").startswith(f"{label}\n"))
