# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from ..tools.types import Evidence, Group, PairScore
from .common import DedupCase


@tagged("post_install", "-at_install")
class TestSplit(DedupCase):
    """A likely record that is in no group, or in another one, and the sentence why."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twins = cls.partners("Jonas Ahrendt", "J. Ahrendt", phone="030 9012345")
        cls.other = cls.partners("Jutta Ahrendt", phone="030 9012345")
        cls.mate = cls.partners("Jutta Ahrendt-Voss", phone="030 7778889")
        cls.env["sync.write.hook"]._dedup_settle()
        cls.Group.search([]).unlink()

    def split_group(self):
        inside, cut = (
            PairScore(*pair, 0.9, 3.0, (Evidence("name", "short_form", 3.0),))
            for pair in (self.twins.ids, (self.twins[1].id, self.other.id))
        )
        return self.Group._suggest(
            self.rule, [Group(tuple(self.twins.ids), 0.9, (inside,), (cut,))]
        )

    def test_the_sentence_names_who_and_why(self):
        group = self.as_steward(self.split_group())
        [sentence] = group._split_sentences()
        self.assertIn("“Jutta Ahrendt” looks like “J. Ahrendt” (90%)", sentence)
        self.assertIn("not like “Jonas Ahrendt”", sentence)
        self.assertIn("another person", sentence)
        shown = self.env["sync.duplicate.workbench"].with_user(self.steward)
        self.assertEqual(shown.get_group(group.id)["splits"], [sentence])

    def test_a_twin_of_its_own_is_named(self):
        group = self.split_group()
        self.group_of(self.other | self.mate)
        [sentence] = self.as_steward(group)._split_sentences()
        self.assertIn("its twin “Jutta Ahrendt-Voss” is not like", sentence)

    def test_nothing_is_told_of_records_that_the_steward_may_not_read(self):
        group = self.as_steward(self.split_group())
        self.env["ir.rule"].create(
            {
                "name": "Hidden customer",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.other.id})]",
            }
        )
        self.assertEqual(group._split_sentences(), [])

    def test_a_group_that_was_not_split_has_none(self):
        self.assertEqual(self.group_of(self.twins)._split_sentences(), [])
