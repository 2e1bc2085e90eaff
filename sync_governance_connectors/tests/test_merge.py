# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.sync_governance_dedup.tests import test_undo

from ..models.sync_resource_table import CANONICAL_REF
from .common import EventCase


@tagged("post_install", "-at_install")
class TestMergeIsTold(EventCase):
    """Other systems hear of a merge once, and of nothing that did not happen."""

    def setUp(self):
        super().setUp()
        self.survivor = self.customer("C-1")
        self.loser = self.customer("C-2", name="Nordwind Handels GmbH")
        self._link(self.finance, self.loser, "DEB-2")
        self.commit()

    def merge(self, *records):
        records = self.survivor.union(*records)
        return self.env["sync.merge.service"]._merge(
            records,
            self.survivor,
            values={"name": records[-1].id, "phone": self.survivor.id},
        )

    def test_one_event_with_survivor_and_retired_ids(self):
        order = self.created(
            self.shop, "orders", self.order_body(customer={"external_id": "C-2"})
        )
        self.loser.child_ids = [Command.create({"name": "Lager", "type": "delivery"})]
        self.commit()
        journal = self.merge(self.loser)
        [event] = self.told("customer", "order", "product", "invoice")
        self.assertEqual(event.name, "customer.merged")
        self._check_payload(event)
        payload = self.payload(event)
        self.assertEqual(payload["merge"], journal.ref)
        self.assertEqual(payload["survivor"]["external_ids"]["test_shop"], ["C-1"])
        [retired] = payload["retired"]
        self.assertRegex(retired["ref"], "^cus_")
        self.assertEqual(retired["external_ids"]["test_finance"], ["DEB-2"])
        self.assertEqual(order.partner_id, self.survivor)

    def test_each_system_hears_its_own_ids_alone(self):
        self.merge(self.loser)
        [event] = self.told("customer")
        heard = {
            system.code: self.env["sync.event.type"]._localise_payload(
                self.payload(event), system
            )
            for system in (self.shop, self.finance, self.wms)
        }
        for code, survivor, retired in (
            ("test_shop", ["C-1"], ["C-2"]),
            ("test_finance", ["DEB-2"], ["DEB-2"]),
            ("test_wms", [], []),
        ):
            told = heard[code]
            self.assertEqual(told["survivor"]["external_ids"], survivor)
            self.assertEqual(told["retired"][0]["external_ids"], retired)
            self.assertEqual(
                told["retired"][0]["external_id"], retired[0] if retired else None
            )
        self.assertNotIn("DEB-2", str(heard["test_shop"]))

    def test_five_are_told_as_one_merge(self):
        others = [self.customer(f"C-{n}", name=f"Nordwind {n}") for n in (3, 4, 5)]
        self.commit()
        self.merge(self.loser, *others)
        [event] = self.told("customer")
        retired = self.payload(event)["retired"]
        self.assertEqual(
            [one["external_ids"]["test_shop"] for one in retired],
            [["C-2"], ["C-3"], ["C-4"], ["C-5"]],
        )

    def test_cores_own_wizard_tells_the_same(self):
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [Command.set((self.survivor | self.loser).ids)],
                "dst_partner_id": self.survivor.id,
            }
        ).action_merge()
        self.assertEqual(
            [event.name for event in self.told("customer")], ["customer.merged"]
        )

    def test_an_undo_is_told_as_two_updates(self):
        journal = self.merge(self.loser)
        self.commit()
        self.env["sync.merge.service"]._undo(journal, "Two firms")
        events = self.told("customer")
        self.assertEqual(
            sorted((event.name, event.res_id) for event in events),
            sorted(
                ("customer.updated", record.id)
                for record in (self.survivor | self.loser)
            ),
        )

    def test_retired_ids_are_answered_and_restored(self):
        resource = self.resource("customers", self.shop)
        journal = self.merge(self.loser)
        self.assertEqual(resource._find(self.shop, "C-2"), (self.survivor, True))
        self.env["sync.merge.service"]._undo(journal, "Two firms")
        self.assertEqual(resource._find(self.shop, "C-2"), (self.loser, False))

    def test_what_is_written_after_the_merge_is_told_again(self):
        self.merge(self.loser)
        self.commit()
        self.survivor.phone = "+49 40 99"
        self.assertTold(["customer.updated"], "customer")


@tagged("post_install", "-at_install")
class TestUndoOfDocuments(test_undo.TestUndo):
    """The same, row by row, where orders, invoices, payments, transfers and
    company-dependent values hang on the customers."""

    allow_inherited_tests_method = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        account = cls.env["account.account"]
        cls.receivable = account.create(
            {
                "name": "Receivable",
                "code": "DEDUP1",
                "account_type": "asset_receivable",
                "reconcile": True,
            }
        )
        income = account.create(
            {"name": "Income", "code": "DEDUP2", "account_type": "income"}
        )
        cls.journal = cls.env["account.journal"].create(
            {
                "name": "Sales",
                "code": "DDP",
                "type": "sale",
                "default_account_id": income.id,
            }
        )
        cls.terms = cls.env["account.payment.term"].create({"name": "Dedup 14 days"})
        cls.product = cls.env["product.product"].create(
            {"name": "Crate", "is_storable": True, "taxes_id": [Command.clear()]}
        )

    def crosswalk_image(self):
        """Without canonical references, which a record gets once it is spoken of."""
        rows = super().crosswalk_image()
        return [row for row in rows if not CANONICAL_REF.fullmatch(row[0])]

    def _documents(self, records):
        for place, record in enumerate(records):
            record.property_account_receivable_id = self.receivable
            record.property_payment_term_id = self.terms if place % 2 else False
            record.credit_limit = 100.0 * place
        for record in records[:3]:
            self.env["sale.order"].create(
                {
                    "partner_id": record.id,
                    "order_line": [Command.create({"product_id": self.product.id})],
                }
            ).action_confirm()
        for record in records[1:3]:
            self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": record.id,
                    "journal_id": self.journal.id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": self.product.id,
                                "price_unit": 9,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            ).action_post()
        self.env["purchase.order"].create(
            {
                "partner_id": records[1].id,
                "order_line": [
                    Command.create({"product_id": self.product.id, "product_qty": 2})
                ],
            }
        ).button_confirm()

    def test_everything_leads_to_the_survivor(self):
        records = self.rich_partners()[:3]
        a, b, c = records
        journal = self.service._merge(
            records, a, values={"property_payment_term_id": b.id}
        )
        self.assertGreater(journal.moved_count, 10)
        for model, field in (
            ("sale.order", "partner_id"),
            ("stock.picking", "partner_id"),
            ("account.move", "partner_id"),
            ("account.move.line", "partner_id"),
            ("purchase.order", "partner_id"),
        ):
            rows = self.env[model].search([(field, "in", records.ids)])
            self.assertTrue(rows, model)
            self.assertEqual(rows[field], a, model)
            self.assertFalse(
                self.env[model].search_count([(field, "in", (b | c).ids)]), model
            )
        self.assertEqual(a.property_payment_term_id, self.terms)
        self.assertEqual(a.property_account_receivable_id, self.receivable)
