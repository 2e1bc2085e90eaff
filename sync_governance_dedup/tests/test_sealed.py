# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest import SkipTest

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import DedupCase


@tagged("post_install", "-at_install")
class TestSealed(DedupCase):
    """A hash that seals posted invoices covers the customer of their lines: a merge
    does not move them, and an undo leaves those that were sealed since."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "account.move" not in cls.env:
            raise SkipTest("account is not installed")
        if not cls.env.company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", company=cls.env.company, install_demo=False
            )
        cls.service = cls.env["sync.merge.service"]
        cls.survivor, cls.retired = cls.partners("Survivor", "Retired")

    def invoice(self, partner):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_line_ids": [
                    (0, 0, {"name": "x", "quantity": 1, "price_unit": 9})
                ],
            }
        )
        invoice.action_post()
        return invoice

    def merge(self):
        """A merge of an hour ago: what comes now came since."""
        records = self.survivor | self.retired
        journal = self.service._merge(records, self.survivor)
        journal.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE sync_merge_journal SET create_date = create_date"
                " - interval '1 hour' WHERE id = %s",
                journal.id,
            )
        )
        journal.invalidate_recordset()
        return journal

    def undo_of(self, journal):
        action = journal.with_user(self.steward).action_undo()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        return wizard.with_user(self.steward)

    def assertIntact(self, *invoices):
        """The seal is that of the invoice as it is now."""
        self.env.invalidate_all()
        for invoice in invoices:
            again = invoice._calculate_hashes("")[invoice]
            self.assertEqual(invoice.inalterable_hash, again)

    def seal(self, invoice):
        """As the first of a chain, whatever the journal holds."""
        invoice.inalterable_hash = invoice._calculate_hashes("")[invoice]
        self.env.flush_all()

    def test_a_sealed_invoice_stands_against_the_merge(self):
        self.seal(self.invoice(self.retired))
        with self.assertRaisesRegex(UserError, "sealed by a hash"):
            self.service._merge(self.survivor | self.retired, self.survivor)
        kept = self.service._merge(self.survivor | self.retired, self.retired)
        self.assertEqual(kept.survivor_id, self.retired.id)

    def test_invoices_sealed_since_stay_with_the_survivor(self):
        sealed, posted = self.invoice(self.retired), self.invoice(self.retired)
        journal = self.merge()
        self.assertEqual((sealed | posted).partner_id, self.survivor)
        self.seal(sealed)
        wizard = self.undo_of(journal)
        self.assertIn("1 Journal Entry", wizard.sealed_since)
        wizard.reason = "Wrong"
        wizard.action_undo()
        self.assertEqual(self.retired.exists(), self.retired)
        self.assertEqual(posted.partner_id, self.retired)
        self.assertEqual(posted.line_ids.partner_id, self.retired)
        self.assertEqual(sealed.partner_id, self.survivor)
        self.assertEqual(sealed.commercial_partner_id, self.survivor)
        self.assertEqual(sealed.line_ids.partner_id, self.survivor)
        self.assertIntact(sealed)
        kept = {row["table"]: row["ids"] for row in journal.kept_since}
        self.assertEqual(kept["account_move"], sealed.ids)

    def test_whoever_reads_the_entries_is_told_their_names(self):
        sealed = self.invoice(self.retired)
        journal = self.merge()
        self.seal(sealed)
        self.assertEqual(self.service._sealed_since(journal), sealed.display_name)

    def test_an_invoice_that_came_since_is_told_to_be_sealed(self):
        journal = self.merge()
        sealed, posted = self.invoice(self.survivor), self.invoice(self.survivor)
        self.seal(sealed)
        wizard = self.undo_of(journal)
        told = {line.sudo().key: line for line in wizard.addition_ids}
        line = told[f"account.move,{sealed.id}"]
        self.assertTrue(line.is_sealed and wizard.has_sealed)
        self.assertFalse(told[f"account.move,{posted.id}"].is_sealed)
        self.assertFalse(wizard.sealed_since, "nothing that the merge had moved")
        refused = self.assertRaisesRegex(UserError, "has to stay")
        with refused, self.env.cr.savepoint():
            self.service._undo(journal, "Wrong", moves={line.sudo().key: 1})
        wizard.reason = "Wrong"
        wizard.action_undo()
        self.assertEqual(sealed.line_ids.partner_id, self.survivor)
        self.assertIntact(sealed)
