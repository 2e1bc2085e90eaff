# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..merge import RowRule
from .common import DedupCase


@tagged("post_install", "-at_install")
class TestMerge(DedupCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.env["sync.merge.service"]
        # A table as third parties make them: one row for a partner and a thing. Core's
        # wizard deletes all rows of the merged partner as soon as one of them clashes.
        cls.env.cr.execute(
            SQL(
                "CREATE TABLE dedup_test_binding ("
                " id serial PRIMARY KEY,"
                " partner_id int REFERENCES res_partner ON DELETE CASCADE,"
                " thing text, note text, UNIQUE (partner_id, thing))"
            )
        )

    def bind(self, partner, thing, note=None):
        self.env.flush_all()
        [(row_id,)] = self.env.execute_query(
            SQL(
                "INSERT INTO dedup_test_binding (partner_id, thing, note)"
                " VALUES (%s, %s, %s)"
                " RETURNING id",
                partner.id,
                thing,
                note,
            )
        )
        return row_id

    def bindings(self, partner):
        return {
            thing
            for (thing,) in self.env.execute_query(
                SQL(
                    "SELECT thing FROM dedup_test_binding WHERE partner_id = %s",
                    partner.id,
                )
            )
        }

    def merge(self, survivor, *others, **kwargs):
        records = survivor.union(*others)
        return self.service._merge(records, survivor, **kwargs)

    # -- no row is lost ----------------------------------------------------------------

    def test_core_alone_would_delete_rows(self):
        """The finding that this module answers; if it fails, core was mended."""
        a, b = self.partners("A", "B")
        self.bind(a, "x")
        self.bind(b, "x")
        self.bind(b, "y")
        wizard = self.env["base.partner.merge.automatic.wizard"]
        with patch.object(type(wizard), "_merge_bank_accounts", lambda *args: None):
            wizard._update_foreign_keys_generic("res.partner", b, a)
        self.assertEqual(self.bindings(a), {"x"})

    def test_rows_that_do_not_clash_are_kept(self):
        a, b = self.partners("A", "B")
        self.bind(a, "x")
        self.bind(b, "x")
        self.bind(b, "y")
        self.merge(a, b)
        self.assertEqual(self.bindings(a), {"x", "y"})

    def test_clash_between_two_retired_records(self):
        a, b, c = self.partners("A", "B", "C")
        self.bind(b, "x")
        self.bind(c, "x")
        self.bind(c, "z")
        self.merge(a, b, c)
        self.assertEqual(self.bindings(a), {"x", "z"})

    def test_rows_that_differ_stop_the_merge_and_say_why(self):
        a, b = self.partners("A", "B")
        kept, other = self.bind(a, "x", "mine"), self.bind(b, "x", "theirs")
        with (
            self.assertRaisesRegex(UserError, f"{other} and {kept}.*note"),
            self.env.cr.savepoint(),
        ):
            self.merge(a, b)
        self.assertTrue(b.exists())
        self.assertEqual(self.bindings(b), {"x"})

    def test_a_rule_for_a_table_keeps_the_survivors_row(self):
        a, b = self.partners("A", "B")
        kept = self.bind(a, "x", "mine")
        self.bind(b, "x", "theirs")
        rules = {"dedup_test_binding": RowRule.KEEP_SURVIVOR}
        with patch.object(type(self.service), "_row_rules", lambda service: rules):
            self.merge(a, b)
        rows = self.env.execute_query(SQL("SELECT id, note FROM dedup_test_binding"))
        self.assertEqual(rows, [(kept, "mine")])

    def test_partial_unique_index(self):
        self.env.cr.execute(
            SQL(
                "CREATE UNIQUE INDEX dedup_test_partial"
                " ON dedup_test_binding (partner_id)"
                " WHERE note = '100%%'"
            )
        )
        a, b = self.partners("A", "B")
        self.bind(a, "x", "100%")
        self.bind(b, "y", "other")
        self.merge(a, b)
        self.assertEqual(self.bindings(a), {"x", "y"})

    def test_what_points_at_a_folded_row_points_at_the_kept_one(self):
        self.env.cr.execute(
            SQL(
                "CREATE TABLE dedup_test_detail (id serial PRIMARY KEY,"
                " binding_id int REFERENCES dedup_test_binding ON DELETE CASCADE)"
            )
        )
        a, b = self.partners("A", "B")
        kept, dropped = self.bind(a, "x"), self.bind(b, "x")
        self.env.cr.execute(
            SQL(
                "INSERT INTO dedup_test_detail (binding_id) VALUES (%s), (%s)",
                kept,
                dropped,
            )
        )
        self.merge(a, b)
        rows = self.env.execute_query(SQL("SELECT binding_id FROM dedup_test_detail"))
        self.assertEqual(rows, [(kept,), (kept,)])

    def test_followers_of_both(self):
        a, b, fan, friend = self.partners("A", "B", "Fan", "Friend")
        a.message_subscribe(fan.ids)
        b.message_subscribe((fan | friend).ids)
        self.merge(a, b)
        self.assertTrue(fan | friend <= a.message_partner_ids)

    def test_pairs_of_models_core_does_not_know(self):
        a, b = self.partners("A", "B")
        issue = self.env["sync.issue"]._raise(
            "dedup:test", "About B", "other", record=b
        )
        self.merge(a, b)
        self.assertEqual((issue.res_model, issue.res_id), ("res.partner", a.id))

    # -- what core does too ------------------------------------------------------------

    def test_documents_of_the_record(self):
        a, b = self.partners("A", "B")
        note = b.message_post(body="Called")
        attachment = self.env["ir.attachment"].create(
            {
                "name": "contract.txt",
                "raw": b"x",
                "res_model": "res.partner",
                "res_id": b.id,
            }
        )
        activity = b.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.env.uid
        )
        child = self.partners("C", parent_id=b.id)
        bank = self.env["res.partner.bank"].create(
            {"partner_id": b.id, "acc_number": "DE1"}
        )
        tag = self.env["res.partner.category"].create({"name": "T"})
        (a | b).category_id = tag
        self.merge(a, b)
        self.assertEqual(note.res_id, a.id)
        self.assertEqual(attachment.res_id, a.id)
        self.assertEqual(activity.res_id, a.id)
        self.assertEqual(child.parent_id, a)
        self.assertEqual(
            child.commercial_partner_id, child.parent_id.commercial_partner_id
        )
        self.assertEqual(child.complete_name, "A, C")
        self.assertEqual(bank.partner_id, a)
        self.assertEqual(a.category_id, tag)

    def test_same_bank_account_on_both(self):
        a, b = self.partners("A", "B")
        Bank = self.env["res.partner.bank"]
        kept = Bank.create({"partner_id": a.id, "acc_number": "DE 1"})
        Bank.create(
            [{"partner_id": b.id, "acc_number": number} for number in ("DE1", "DE2")]
        )
        self.merge(a, b)
        self.assertIn(kept, a.bank_ids)
        self.assertEqual(
            sorted(a.bank_ids.mapped("sanitized_acc_number")), ["DE1", "DE2"]
        )

    def test_five_at_once(self):
        a, b, c, d, e = self.partners("A", "B", "C", "D", "E")
        journal = self.merge(a, b, c, d, e)
        self.assertEqual((a | b | c | d | e).exists(), a)
        self.assertEqual(len(journal.retired_ids), 4)

    def test_core_screen_is_journaled_too(self):
        a, b, c, d = self.partners("A", "B", "C", "D", email="a@example.com")
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": [(6, 0, (a | b | c | d).ids)], "dst_partner_id": a.id}
        )
        wizard.action_merge()
        journal = self.env["sync.merge.journal"].search([("survivor_id", "=", a.id)])
        self.assertEqual(set(journal.retired_ids), set((b | c | d).ids))

    # -- blockers ----------------------------------------------------------------------

    def test_users_on_both_sides_are_refused_with_a_way_out(self):
        a = new_test_user(self.env, login="dedup_a").partner_id
        b = new_test_user(self.env, login="dedup_b").partner_id
        c = self.partners("C")
        group = self.as_steward(self.group_of(a | b | c))
        with (
            self.assertRaisesRegex(UserError, "Leave all but one out"),
            self.env.cr.savepoint(),
        ):
            group.action_merge(survivor_id=a.id)
        [blocker] = self.env["sync.duplicate.workbench"].get_blockers(
            group.id, a.id, (a | b | c).ids
        )
        self.assertEqual((blocker["code"], blocker["record_ids"]), ("users", b.ids))
        group.action_merge(survivor_id=a.id, record_ids=(a | c).ids)
        self.assertEqual((a | b | c).exists(), a | b)

    def test_contact_of_a_member(self):
        a = self.partners("A", is_company=True)
        b = self.partners("B", parent_id=a.id)
        with self.assertRaisesRegex(UserError, "not a duplicate of its company"):
            self.merge(a, b)

    def test_parents_in_a_circle(self):
        a, b, c = self.partners("A", "B", "C")
        for child, parent in ((a, b), (b, a)):
            self.env.cr.execute(
                "UPDATE res_partner SET parent_id = %s WHERE id = %s",
                [parent.id, child.id],
            )
        self.env.invalidate_all()
        with (
            self.assertRaisesRegex(UserError, "not a duplicate of its company"),
            self.env.cr.savepoint(),
        ):
            self.merge(a, b)
        journal = self.merge(a, c)
        self.assertEqual((a | b | c).exists(), a | b)
        self.service._undo(journal, "Wrong")
        self.assertEqual((a | b | c).exists(), a | b | c)

    def test_archived_and_portal_partners(self):
        """What hangs on an archived record comes along, and so does a login."""
        portal = new_test_user(
            self.env, login="dedup_portal_merge", groups="base.group_portal"
        )
        a, archived = self.partners("A", "B")
        contact = self.partners("C", parent_id=archived.id)
        (archived | contact).active = False
        self.merge(a, archived, portal.partner_id)
        self.assertTrue(a.active)
        self.assertEqual(contact.parent_id, a)
        self.assertFalse(contact.active)
        self.assertEqual(portal.partner_id, a)
        self.assertTrue(portal.active)

    def test_companies(self):
        a = self.partners("A", company_id=self.env.company.id)
        b = self.partners(
            "B", company_id=self.env["res.company"].create({"name": "Other"}).id
        )
        with self.assertRaisesRegex(UserError, "different companies"):
            self.merge(a, b)

    # -- survivorship, crosswalk, telling ----------------------------------------------

    def test_chosen_values_win_over_cores(self):
        a = self.partners("A", street="Old Road 1", email="a@example.com")
        b = self.partners("B", street="New Road 2", phone="+49 30 1")
        self.merge(a, b, values={"street": b.id, "name": b.id, "email": a.id})
        self.assertEqual(
            (a.name, a.street, a.email, a.phone),
            ("B", "New Road 2", "a@example.com", "+49 30 1"),
        )

    def test_owner_of_a_field_wins(self):
        a = self.partners("A", street="Old Road 1")
        b = self.partners("A", street="New Road 2")
        self.env["sync.crosswalk"]._link(self.shop, a, "S1")
        policy = self.env["sync.policy"].create(
            {
                "name": "Customers",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "field_id": self.env["ir.model.fields"]
                            ._get("res.partner", "street")
                            .id,
                            "owner_system_id": self.shop.id,
                        },
                    )
                ],
            }
        )
        policy.state = "approved"
        policy.action_activate()
        proposal = self.env["sync.duplicate.survivorship"]._proposal(a | b)
        self.assertEqual(proposal["values"]["street"], a.id)
        self.assertEqual(proposal["reasons"]["street"], "owner")
        self.assertEqual(proposal["survivor_id"], a.id)

    def test_an_address_survives_whole(self):
        a = self.partners("A", street="Old Road 1", zip="11111", city="Old Town")
        b = self.partners("A", street="New Road 2", city="New Town")
        proposal = self.env["sync.duplicate.survivorship"]._proposal(a | b)
        self.assertEqual(
            {proposal["values"][name] for name in ("street", "zip", "city")}, {a.id}
        )
        self.merge(a, b, values=dict.fromkeys(("street", "zip", "city"), b.id))
        self.assertEqual((a.street, a.zip, a.city), ("New Road 2", False, "New Town"))

    def test_an_empty_value_of_the_survivor_may_be_chosen(self):
        a, b = self.partners("A", "B")
        b.phone = "+49 30 1"
        self.merge(a, b, values={"phone": a.id})
        self.assertFalse(a.phone)

    def test_external_ids_lead_to_the_survivor(self):
        a, b = self.partners("A", "B")
        Crosswalk = self.env["sync.crosswalk"]
        Crosswalk._link(self.wms, a, "W-1")
        Crosswalk._link(self.wms, b, "W-2")
        Crosswalk._link(self.shop, b, "C-2")
        self.merge(a, b)
        for system, external_id in (
            (self.wms, "W-1"),
            (self.wms, "W-2"),
            (self.shop, "C-2"),
        ):
            self.assertEqual(
                Crosswalk._resolve(system, "res.partner", external_id).record, a
            )

    def test_one_event_and_one_line_in_the_chatter(self):
        a, b = self.partners("A", "B")
        self.env["sync.crosswalk"]._link(self.shop, b, "C-2")
        told = []

        def emit(service, name, record, data=None):
            told.append((name, record, data))

        before = a.message_ids
        with patch.object(type(self.service), "_emit", emit):
            journal = self.merge(a, b)
        [(name, record, data)] = told
        self.assertEqual((name, record), ("customer.merged", a))
        self.assertEqual(data["retired"], [{"external_ids": {"dedup_shop": ["C-2"]}}])
        self.assertEqual(data["survivor"], {"external_ids": {"dedup_shop": ["C-2"]}})
        self.assertEqual(data["merge"], journal.ref)
        self.assertEqual(len(a.message_ids - before), 1)

    def test_writes_carry_the_merge(self):
        a, b = self.partners("A", "B", street="x")
        seen = []
        hook = type(self.env["sync.write.hook"])
        before_unlink = hook._before_unlink

        def spy(hook, records):
            seen.append(hook.env["sync.system"]._current_source().merge_ref)
            return before_unlink(hook, records)

        with patch.object(hook, "_before_unlink", spy):
            journal = self.merge(a, b)
        self.assertIn(journal.ref, seen)

    def test_a_context_from_outside_is_not_believed(self):
        a, b = self.partners("A", "B")
        wizard = self.env["base.partner.merge.automatic.wizard"].with_context(
            sync_merge_run={"ref": "mrg_forged"}
        )
        wizard._merge((a | b).ids, a)
        self.assertTrue(
            self.env["sync.merge.journal"].search([("survivor_id", "=", a.id)])
        )
