# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import new_test_user, tagged

from ..wizards.base_import import CHOICES
from .common import DedupCase

FIELDS = ["name", "email", "city", "country_id"]
HEAD = "Name,Email,City,Country\n"
OPTIONS = {
    "has_headers": True,
    "quoting": '"',
    "separator": ",",
    "encoding": "utf-8",
    "limit": 2000,
}


@tagged("post_install", "-at_install")
class TestImport(DedupCase):
    """The wizard of every model's list: a test tells what is there already."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.importer = new_test_user(
            cls.env,
            login="dedup_importer",
            groups="base.group_user,base.group_partner_manager,base.group_allow_export",
        )
        cls.known = cls.partners(
            "Quillfeather Instruments",
            email="hello@quillfeather.example",
            city="Berlin",
            phone="+49 30 1",
        )

    def load(self, *lines, dryrun=False, choices=None, **options):
        wizard = (
            self.env["base_import.import"]
            .with_user(self.importer)
            .create(
                {
                    "res_model": "res.partner",
                    "file": (HEAD + "\n".join(lines)).encode(),
                    "file_type": "text/csv",
                    "file_name": "customers.csv",
                }
            )
        )
        options = dict(OPTIONS, **options)
        if choices:
            options[CHOICES] = choices
        return wizard.execute_import(FIELDS, FIELDS, options, dryrun=dryrun)

    TWIN = "Quillfeather Instrument,hello@quillfeather.example,,Germany"
    STRANGER = "Zanzibar Ropes,ropes@zanzibar.example,Stone Town,"

    def choice(self, action):
        return {"action": action, "id": self.known.id, "probability": 0.9}

    def named(self, name):
        return self.Partner.search([("name", "=", name)])

    def test_a_test_tells_the_lines_and_loads_nothing(self):
        result = self.load(self.STRANGER, self.TWIN, dryrun=True)
        self.assertFalse(result["messages"])
        [found] = result["duplicates"]
        self.assertEqual((found["line"], found["name"]), (1, "Quillfeather Instrument"))
        [match] = found["matches"]
        self.assertEqual(match["id"], self.known.id)
        self.assertGreater(match["probability"], 0.5)
        self.assertTrue(match["why"])
        self.assertFalse(self.named("Zanzibar Ropes"))

    def test_lines_are_counted_over_the_batches(self):
        result = self.load(self.STRANGER, self.TWIN, dryrun=True, skip=1)
        self.assertEqual([one["line"] for one in result["duplicates"]], [1])

    def test_skip(self):
        result = self.load(self.TWIN, self.STRANGER, choices={"0": self.choice("skip")})
        self.assertEqual(len(result["ids"]), 1)
        self.assertFalse(self.named("Quillfeather Instrument"))
        self.assertTrue(self.named("Zanzibar Ropes"))

    def test_update_that_one_leaves_what_the_file_does_not_say(self):
        result = self.load(self.TWIN, choices={"0": self.choice("update")})
        self.assertEqual(result["ids"], self.known.ids)
        self.assertEqual(self.known.name, "Quillfeather Instrument")
        self.assertEqual(self.known.country_id.code, "DE")
        self.assertEqual((self.known.city, self.known.phone), ("Berlin", "+49 30 1"))

    def test_create_anyway(self):
        self.load(self.TWIN, choices={"0": self.choice("create")})
        self.assertTrue(self.named("Quillfeather Instrument"))
        self.assertEqual(self.known.name, "Quillfeather Instruments")

    def test_what_was_chosen_is_measured_once_it_is_done(self):
        def notes():
            return self.env["sync.duplicate.prevention"].search(
                [("candidate_id", "=", self.known.id)], order="id"
            )

        self.load(self.TWIN, choices={"0": self.choice("create")}, dryrun=True)
        self.assertFalse(notes())
        for action in ("skip", "create"):
            self.load(self.TWIN, choices={"0": self.choice(action)})
        self.assertEqual(notes().mapped("outcome"), ["used", "created"])
        self.assertEqual(set(notes().mapped("reason")), {"Import of customers.csv"})

    def test_skipped_lines_do_not_end_the_import(self):
        """A batch whose last line is skipped is followed by the next one."""
        result = self.load(
            self.STRANGER, self.TWIN, choices={"1": self.choice("skip")}, limit=2
        )
        self.assertEqual(result["nextrow"], 2)

    def test_an_update_needs_the_right_to_change_that_one(self):
        self.env["ir.rule"].create(
            {
                "name": "Read only",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.known.id})]",
                "perm_read": False,
            }
        )
        result = self.load(self.TWIN, choices={"0": self.choice("update")})
        self.assertEqual([one["type"] for one in result["messages"]], ["error"])
        self.assertEqual(self.known.name, "Quillfeather Instruments")

    def test_nothing_is_told_of_what_the_importer_may_not_see(self):
        self.known.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertEqual(self.load(self.TWIN, dryrun=True)["duplicates"], [])

    def test_a_rule_that_says_nothing(self):
        self.rule.door_mode = "off"
        self.assertNotIn("duplicates", self.load(self.TWIN, dryrun=True))
