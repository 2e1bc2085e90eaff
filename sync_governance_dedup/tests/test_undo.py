# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common import DedupCase

#: Ledgers, which tell of the merge and its undo, and what is rebuilt from records.
NOT_COMPARED = (
    "sync_",
    "queue_",
    "ir_logging",
    "bus_",
    "mail_message",
    "mail_tracking",
)
AUDIT_COLUMNS = ["write_date", "write_uid"]
PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    )
)


@tagged("post_install", "-at_install")
class TestUndo(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.env["sync.merge.service"]

    def image(self):
        """:return: ``{table: set of rows as text}`` of the database"""
        self.env.flush_all()
        tables = self.env.execute_query(
            SQL(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = current_schema::regnamespace ORDER BY relname"
            )
        )
        rows = {}
        for (table,) in tables:
            if not table.startswith(NOT_COMPARED):
                rows[table] = {
                    text
                    for (text,) in self.env.execute_query(
                        SQL(
                            "SELECT (to_jsonb(record) - %s::text[])::text"
                            " FROM %s AS record",
                            AUDIT_COLUMNS,
                            SQL.identifier(table),
                        )
                    )
                }
        return rows

    def assertSameRows(self, before, after):
        for table, rows in before.items():
            with self.subTest(table=table):
                self.assertEqual(sorted(rows - after[table]), [], "lost")
                self.assertEqual(sorted(after[table] - rows), [], "added")

    def rich_partners(self):
        """Five partners on which everything hangs that this database knows."""
        records = self.partners("A", "B", "C", "D", "E")
        a, b, c, d, _e = records
        b.write(
            {
                "street": "Main 1",
                "vat": "B1",
                "image_1920": PIXEL,
                "comment": "<p>Old customer</p>",
            }
        )
        c.user_id = self.env.uid
        new_test_user(self.env, login="dedup_undo").partner_id = d
        self.partners("Contact", parent_id=b.id)
        tags = self.env["res.partner.category"].create([{"name": "T1"}, {"name": "T2"}])
        a.category_id, b.category_id = tags[0], tags
        Bank = self.env["res.partner.bank"]
        Bank.create({"partner_id": a.id, "acc_number": "DE1"})
        Bank.create(
            [{"partner_id": b.id, "acc_number": number} for number in ("DE 1", "DE2")]
        )
        for record in records:
            record.message_subscribe((a | b).ids)
            record.activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.env.uid
            )
            self.env["ir.attachment"].create(
                {
                    "name": "f",
                    "raw": record.name.encode(),
                    "res_model": "res.partner",
                    "res_id": record.id,
                }
            )
        self.env["ir.model.data"].create(
            {
                "module": "dedup_test",
                "name": "b",
                "model": "res.partner",
                "res_id": b.id,
            }
        )
        self.env["sync.crosswalk"]._link(self.wms, a, "W-1")
        self.env["sync.crosswalk"]._link(self.wms, b, "W-2")
        self._documents(records)
        return records

    def _documents(self, records):
        if "sale.order" in self.env:
            product = self.env["product.product"].create({"name": "P"})
            for record in records[:3]:
                order = self.env["sale.order"].create(
                    {
                        "partner_id": record.id,
                        "order_line": [(0, 0, {"product_id": product.id})],
                    }
                )
                order.action_confirm()
        if "account.move" in self.env and self.env["account.journal"].search(
            [("type", "=", "sale")]
        ):
            for record in records[1:3]:
                self.env["account.move"].create(
                    {
                        "move_type": "out_invoice",
                        "partner_id": record.id,
                        "invoice_line_ids": [
                            (0, 0, {"name": "x", "quantity": 1, "price_unit": 9})
                        ],
                    }
                ).action_post()

    def crosswalk_image(self):
        rows = self.env["sync.crosswalk"].search([], order="id")
        return [
            (row.external_id, row.res_id, row.state, row.superseded_by_id.id)
            for row in rows
        ]

    def test_undo_restores_every_row_of_every_table(self):
        for size in (2, 3, 5):
            with self.subTest(size=size), self.env.cr.savepoint() as savepoint:
                records = self.rich_partners()[:size]
                self.env.flush_all()
                before, links = self.image(), self.crosswalk_image()
                messages = self.message_image(records)
                journal = self.service._merge(records, records[0])
                self.assertEqual(records.exists(), records[0])
                self.assertNotEqual(self.image()["res_partner"], before["res_partner"])
                self.service._undo(journal, "Wrong")
                self.assertSameRows(before, self.image())
                self.assertEqual(self.crosswalk_image(), links)
                self.assertLessEqual(messages, self.message_image(records))
                self.assertFalse(journal.kept_since)
                savepoint.rollback()

    def message_image(self, records):
        messages = self.env["mail.message"].search([("model", "=", "res.partner")])
        return {
            (message.id, message.res_id)
            for message in messages
            if message.res_id in records.ids
        }

    def test_files_outlive_the_sweep(self):
        a, b = self.partners("A", "B")
        a.image_1920 = b.image_1920 = PIXEL
        self.env.flush_all()
        journal = self.service._merge(a | b, a)
        self.env["ir.attachment"]._gc_file_store_unsafe()
        self.service._undo(journal, "Wrong")
        self.assertEqual(b.image_1920, PIXEL)

    def test_images_are_dropped_when_the_period_is_over(self):
        a, b = self.partners("A", "B", image_1920=PIXEL)
        journal = self.service._merge(a | b, a)
        files = [("res_model", "=", "sync.merge.journal"), ("res_id", "=", journal.id)]
        self.assertTrue(self.env["ir.attachment"].search_count(files))
        self.env["sync.merge.journal"]._gc_irreversible()
        self.assertTrue(journal.changes)
        journal.reversible_until = "2020-01-01"
        self.env["sync.merge.journal"]._gc_irreversible()
        self.assertFalse(journal.changes)
        self.assertFalse(self.env["ir.attachment"].search_count(files))

    # -- what happened since -----------------------------------------------------------

    def undo_of(self, journal):
        """The dialog as the steward opens it."""
        action = journal.with_user(self.steward).action_undo()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard = wizard.with_user(self.steward)
        wizard.reason = "Wrong"
        return wizard

    def changed_since(self):
        """A merge whose survivor, and a contact that it was given, changed since."""
        a = self.partners("A", function="Old 1", ref="+49 30 1")
        b = self.partners("B", function="New 2")
        child = self.partners("C", parent_id=b.id)
        journal = self.service._merge(a | b, a, values={"function": b.id})
        a.with_user(self.steward).write({"function": "Newest 3", "ref": "+49 30 2"})
        child.parent_id = self.partners("Other")
        self.env.flush_all()
        return a, b, child, journal

    def test_what_changed_since_is_told_and_stays(self):
        a, b, child, journal = self.changed_since()
        wizard = self.undo_of(journal)
        told = {
            (line.record_names, line.field_label): line for line in wizard.change_ids
        }
        position = told["A", "Job Position"]
        self.assertEqual(
            (position.before_text, position.left_text, position.now_text),
            ("Old 1", "New 2", "Newest 3"),
        )
        self.assertEqual(position.changed_by, self.steward.name)
        self.assertTrue(position.changed_at)
        self.assertIn(("A", "Reference"), told, "the merge had not touched it")
        parent = told["Other, C", "Related Company"]
        self.assertEqual((parent.before_text, parent.now_text), ("B", "Other"))
        self.assertEqual(len(told), 3, told.keys())
        wizard.action_undo()
        self.assertEqual(
            (a.function, a.ref, b.function), ("Newest 3", "+49 30 2", "New 2")
        )
        self.assertEqual(child.parent_id.name, "Other")
        self.assertEqual(child.complete_name, "Other, C")
        self.assertIn(
            {"table": "res_partner", "ids": [a.id], "columns": ["function"]},
            journal.kept_since,
        )

    def test_the_steward_puts_back_line_by_line(self):
        a, b, child, journal = self.changed_since()
        wizard = self.undo_of(journal)
        for line in wizard.change_ids:
            line.put_back = line.field_label != "Reference"
        wizard.action_undo()
        self.assertEqual((a.function, a.ref), ("Old 1", "+49 30 2"))
        self.assertEqual(child.parent_id, b)
        self.assertEqual(child.complete_name, "B, C")
        self.assertEqual(
            journal.kept_since,
            [{"table": "res_partner", "ids": [a.id], "columns": ["ref"]}],
        )

    def test_a_decision_on_a_value_that_changed_again_is_refused(self):
        a, _b, _child, journal = self.changed_since()
        wizard = self.undo_of(journal)
        wizard.change_ids.put_back = True
        a.function = "Elsewhere 4"
        with self.assertRaisesRegex(UserError, "changed again"):
            wizard.action_undo()

    def late_documents(self):
        """A merge after which a contact with a bank account, and a tag of the address
        book, came to the survivor."""
        a, b = self.partners("A", "B")
        journal = self.service._merge(a | b, a)
        journal.flush_recordset()
        # all that a test does is one transaction, and bears its time
        self.env.cr.execute(
            SQL(
                "UPDATE sync_merge_journal SET create_date = create_date"
                " - interval '1 hour' WHERE id = %s",
                journal.id,
            )
        )
        journal.invalidate_recordset()
        late = self.partners("Late", parent_id=a.id)
        account = self.env["res.partner.bank"].create(
            {"partner_id": a.id, "acc_number": "DE77"}
        )
        note = a.message_post(body="Called")
        return a, b, late, account, note, journal

    def test_what_came_since_is_told_and_stays(self):
        a, b, late, account, note, journal = self.late_documents()
        wizard = self.undo_of(journal)
        told = {line.record_name: line for line in wizard.addition_ids}
        self.assertIn("A, Late", told)
        self.assertEqual(told["A, Late"].created_by, self.env.user.name)
        self.assertIn(account.display_name, told)
        self.assertEqual(set(wizard.addition_ids.destination_id.mapped("name")), {"A"})
        wizard.action_undo()
        self.assertEqual(late.parent_id, a)
        self.assertEqual(account.partner_id, a)
        self.assertEqual(note.res_id, a.id)

    def test_the_steward_says_whose_a_document_is(self):
        a, b, late, account, _note, journal = self.late_documents()
        wizard = self.undo_of(journal)
        parties = self.env["sync.merge.undo.party"].with_user(self.steward)
        theirs = parties.search([("wizard_id", "=", wizard.id), ("name", "=", "B")])
        line = wizard.addition_ids.filtered(lambda line: line.record_name == "A, Late")
        line.destination_id = theirs
        wizard.action_undo()
        self.assertEqual((late.parent_id, account.partner_id), (b, a))
        self.assertEqual(late.complete_name, "B, Late")

    def test_a_document_moves_with_all_that_hangs_on_it(self):
        if "sale.order" not in self.env:
            self.skipTest("sale is not installed")
        a, b, *_rest, journal = self.late_documents()
        product = self.env["product.product"].create({"name": "P"})
        order = self.env["sale.order"].create(
            {"partner_id": a.id, "order_line": [(0, 0, {"product_id": product.id})]}
        )
        order.message_subscribe(a.ids)
        order.action_confirm()
        self.env.flush_all()
        [case] = [
            case
            for case in self.service._later_cases(journal)
            if case.key == f"sale.order,{order.id}"
        ]
        self.service._undo(journal, "Wrong", moves={case.key: b.id})
        self.assertEqual(order.partner_id, b)
        self.assertEqual(order.partner_shipping_id, b)
        self.assertEqual(order.order_line.order_partner_id, b)
        self.assertNotIn(a, order.message_partner_ids)
        self.assertIn(b, order.message_partner_ids)

    def test_nothing_is_told_of_what_the_steward_may_not_read(self):
        a, _b, child, journal = self.changed_since()
        self.env["ir.rule"].create(
            {
                "name": "Hidden contact",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {child.id})]",
            }
        )
        told = self.undo_of(journal).change_ids
        hidden = told.filtered(lambda line: line.record_names != "A")
        self.assertEqual(hidden.record_names, "1 Contact")
        self.assertFalse(hidden.now_text or hidden.before_text or hidden.left_text)
        with self.assertRaises(AccessError):
            told.read(["now"])

    def test_what_was_deleted_since_is_told(self):
        a = self.partners("A")
        b = self.partners("B")
        child = self.partners("C", parent_id=b.id)
        journal = self.service._merge(a | b, a)
        child.unlink()
        wizard = self.undo_of(journal)
        self.assertIn("1 Contact", wizard.gone_since)
        wizard.action_undo()
        self.assertEqual((a | b).exists(), a | b)

    def test_a_record_that_was_in_use_is_gone(self):
        """Its salesperson was deleted since: the merge cannot come apart."""
        a, b = self.partners("A", "B")
        owner = new_test_user(self.env, login="dedup_owner")
        b.user_id = owner
        a.user_id = self.env.uid
        journal = self.service._merge(a | b, a)
        owner.unlink()
        with self.assertRaisesRegex(UserError, "cannot be undone"):
            self.service._undo(journal, "Wrong")

    def test_undo_once_and_in_time(self):
        a, b = self.partners("A", "B")
        journal = self.service._merge(a | b, a)
        journal.reversible_until = "2020-01-01"
        with self.assertRaisesRegex(UserError, "no longer"):
            self.service._undo(journal, "Late")
        journal.reversible_until = "2099-01-01"
        self.service._undo(journal, "Wrong")
        with self.assertRaisesRegex(UserError, "no longer"):
            self.service._undo(journal, "Again")

    def test_steward_undoes_from_the_screen(self):
        a, b = self.partners("A", "B")
        group = self.as_steward(self.group_of(a | b))
        group.action_merge()
        action = group.journal_ids.action_undo()
        wizard = self.as_steward(self.env[action["res_model"]].browse(action["res_id"]))
        with self.assertRaisesRegex(UserError, "Say what was wrong"):
            wizard.action_undo()
        wizard.reason = "Father and son"
        wizard.action_undo()
        self.assertEqual((a | b).exists(), a | b)
        self.assertEqual(group.state, "unmerged")
        self.assertEqual(
            self.env["sync.duplicate.verdict"]._denied_pairs("res.partner", a.ids),
            {(a.id, b.id)},
        )

    def test_survivor_was_merged_on(self):
        """Undone in the reverse order, both merges come apart."""
        a, b, c = self.partners("A", "B", "C")
        self.env.flush_all()
        before = self.image()
        first = self.service._merge(a | b, b)
        second = self.service._merge(b | c, c)
        with self.assertRaisesRegex(UserError, "deleted since"):
            self.service._undo(first, "Too early")
        self.service._undo(second, "Wrong")
        self.service._undo(first, "Wrong")
        self.assertSameRows(before, self.image())
