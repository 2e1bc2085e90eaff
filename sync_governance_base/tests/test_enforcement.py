from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..tools.source import Channel, Source
from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestEnforcement(OwnershipCase):
    def test_block_names_field_owner_and_policy(self):
        self._policy({"phone": self.finance}, enforcement="block")
        with self.assertRaises(UserError) as caught:
            self.partner.with_user(self.user).phone = "2"
        message = str(caught.exception)
        for part in ("Phone", "Finance", "Contacts v1", "steward"):
            self.assertIn(part, message)
        self.assertEqual(self.partner.phone, "1")

    def test_ungoverned_fields_stay_free(self):
        self._policy({"phone": self.finance}, enforcement="block")
        self.partner.with_user(self.user).write({"city": "Lyon"})
        self.assertEqual(self.partner.city, "Lyon")

    def test_same_value_is_no_violation(self):
        policy = self._policy(
            {"phone": self.finance, "ref": self.finance}, enforcement="block"
        )
        self.partner.with_user(self.user).write(
            {"phone": "1", "ref": "A-1", "city": "Lyon"}
        )
        self.assertEqual(self.partner.city, "Lyon")
        self.assertFalse(self._hits(policy))

    def test_empty_and_false_are_the_same(self):
        self.partner.ref = False
        self._policy({"ref": self.finance}, enforcement="block")
        self.partner.with_user(self.user).ref = ""

    def test_owner_writes(self):
        policy = self._policy({"phone": self.finance}, enforcement="block")
        self._as(self.finance).phone = "2"
        self.assertEqual(self.partner.phone, "2")
        self.assertEqual(self._hits(policy), [("phone", "inbound", "allowed")])

    def test_other_system_is_blocked(self):
        self._policy({"phone": self.finance}, enforcement="block")
        with self.assertRaises(UserError):
            self._as(self.shop).phone = "2"

    def test_service_account_is_its_system(self):
        self._policy({"phone": self.shop}, enforcement="block")
        self.partner.with_user(self.account.user_id).phone = "2"
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).phone = "3"
        self.assertEqual(self.partner.phone, "2")

    def test_people_own_what_odoo_owns(self):
        self._policy({"phone": self.odoo}, enforcement="block")
        self.partner.with_user(self.user).phone = "2"
        with self.assertRaises(UserError):
            self._as(self.shop).phone = "3"

    def test_warn_lets_through_and_counts(self):
        policy = self._policy({"phone": self.finance}, enforcement="warn")
        self.partner.with_user(self.user).phone = "2"
        self.assertEqual(self.partner.phone, "2")
        self.assertEqual(self._hits(policy), [("phone", "internal", "warned")])

    def test_observe_counts(self):
        policy = self._policy({"phone": self.finance}, enforcement="observe")
        self.partner.with_user(self.user).phone = "2"
        self.assertEqual(self._hits(policy), [("phone", "internal", "observed")])

    def test_propose_files_a_request(self):
        self._policy({"phone": self.finance}, enforcement="propose")
        self.partner.with_user(self.user).write({"phone": "2", "city": "Lyon"})
        self.assertEqual((self.partner.phone, self.partner.city), ("1", "Lyon"))
        request = self.env["sync.change.request"].search(
            [("res_id", "=", self.partner.id)]
        )
        self.assertEqual(request.state, "submitted")
        self.assertEqual(request.requester_id, self.user)
        self.assertEqual(request.line_ids.proposed_value, "2")
        self.assertEqual(request.line_ids.old_value, "1")

    def test_superuser_is_only_counted_by_default(self):
        policy = self._policy({"phone": self.finance}, enforcement="block")
        self.partner.with_user(self.user).sudo().phone = "2"
        self.assertEqual(self.partner.phone, "2")
        self.assertEqual(self._hits(policy), [("phone", "internal", "observed")])

    def test_superuser_is_bound_when_the_policy_says_so(self):
        self._policy({"phone": self.finance}, enforcement="block", su_mode="block")
        with self.assertRaises(UserError):
            self.partner.sudo().phone = "2"

    def test_forged_source_is_not_believed(self):
        self._policy({"phone": self.finance}, enforcement="block")
        forged = {
            "channel": "inbound",
            "system_code": "t_finance",
            "override_reason": "x",
        }
        for context in (forged, str(forged), list(forged)):
            with self.assertRaises(UserError):
                self.partner.with_user(self.user).with_context(
                    sync_source=context
                ).phone = "2"

    def test_override_passes(self):
        policy = self._policy({"phone": self.finance}, enforcement="block")
        source = Source(
            Channel.UI, user_id=self.user.id, override_reason="wrong number"
        )
        self.partner.with_user(self.user).with_context(sync_source=source).phone = "2"
        self.assertEqual(self._hits(policy), [("phone", "ui", "allowed")])

    def test_line_enforcement_beats_the_policys(self):
        policy = self._policy(
            {"phone": self.finance, "ref": self.finance},
            activate=False,
            enforcement="block",
        )
        policy.line_ids.filtered(
            lambda line: line.field_name == "ref"
        ).enforcement = "observe"
        policy.action_activate()
        self.partner.with_user(self.user).ref = "A-2"
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).phone = "2"

    def test_create_is_free_unless_refused(self):
        policy = self._policy({"phone": self.finance}, enforcement="block")
        created = (
            self.env["res.partner"]
            .with_user(self.user)
            .create({"name": "B", "phone": "9"})
        )
        self.assertEqual(created.phone, "9")
        self._policy(
            {"phone": self.finance}, enforcement="block", on_create="refuse", version=2
        )
        self.assertEqual(policy.state, "superseded")
        with self.assertRaisesRegex(UserError, "Only Finance may create"):
            self.env["res.partner"].with_user(self.user).create({"name": "C"})

    def test_delete_refused_for_others(self):
        self._policy({"phone": self.finance}, enforcement="block", on_delete="refuse")
        with self.assertRaisesRegex(UserError, "may delete or archive"):
            self.partner.with_user(self.user).unlink()
        with self.assertRaisesRegex(UserError, "may delete or archive"):
            self.partner.with_user(self.user).active = False
        self._as(self.finance).unlink()
        self.assertFalse(self.partner.exists())

    def test_delete_archives(self):
        self._policy({"phone": self.finance}, enforcement="block", on_delete="archive")
        self.partner.with_user(self.user).unlink()
        self.assertTrue(self.partner.exists())
        self.assertFalse(self.partner.active)

    def test_x2many_commands_reach_the_governed_model(self):
        parent = self.env["res.partner"].create({"name": "Parent"})
        self.partner.parent_id = parent
        self._policy({"ref": self.finance}, enforcement="block")
        # contacts refuse commands under sudo and use the transaction's user, which in a
        # request is whoever asks, and in a test the superuser
        transaction = self.env.transaction
        self.patch(transaction, "default_env", self.env(user=self.user.id))
        with self.assertRaises(UserError):
            parent.with_user(self.user).write(
                {"child_ids": [(1, self.partner.id, {"ref": "A-2"})]}
            )

    def test_related_write_reaches_the_governed_model(self):
        self._policy({"phone": self.finance}, enforcement="block")
        admin = self.env.ref("base.user_admin")
        company = self.env.company.with_user(admin)
        with self.assertRaises(UserError):
            company.phone = "12345"

    def test_company_policy_beats_the_general_one(self):
        other = self.env["res.company"].create({"name": "Other"})
        self._policy({"phone": self.finance}, enforcement="block")
        self._policy({"phone": self.odoo}, enforcement="block", company_id=other.id)
        theirs = self.env["res.partner"].create({"name": "T", "company_id": other.id})
        self.user.company_ids = [(4, other.id)]
        both = (theirs | self.partner).with_user(self.user)
        with self.assertRaises(UserError):
            both.write({"phone": "2"})
        theirs.with_user(self.user).phone = "2"
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).phone = "2"

    def test_second_owner_waits_until_the_first_is_stale(self):
        policy = self._policy(
            {"phone": [self.finance, self.shop]}, activate=False, enforcement="block"
        )
        policy.line_ids.freshness_hours = 24
        policy.action_activate()
        crosswalk = self.env["sync.crosswalk"]._link(self.finance, self.partner, "F-1")
        self._as(self.shop).phone = "2"  # finance has never said anything
        crosswalk._apply_incoming({"phone": "3"}, self.finance._as_source())
        with self.assertRaises(UserError):
            self._as(self.shop).phone = "4"
        crosswalk.stamps_json = {"phone": "2020-01-01 00:00:00"}
        self._as(self.shop).phone = "5"
        self.assertEqual(self.partner.phone, "5")

    def test_policy_out_of_its_dates_binds_nobody(self):
        self._policy(
            {"phone": self.finance},
            enforcement="block",
            effective_from="2020-01-01",
            effective_to="2020-12-31",
        )
        self.partner.with_user(self.user).phone = "2"

    def test_translations_are_writes_too(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self._policy(
            {"name": self.finance}, model="res.partner.category", enforcement="block"
        )
        category = self.env["res.partner.category"].create({"name": "Gold"})
        with self.assertRaisesRegex(UserError, "owned by Finance"):
            category.with_user(self.user).update_field_translations(
                "name", {"fr_FR": "Or"}
            )
        source = self.finance._as_source()
        owned = category.with_user(self.user).with_context(sync_source=source)
        owned.update_field_translations("name", {"fr_FR": "Or"})
        self.assertEqual(category.with_context(lang="fr_FR").name, "Or")

    def test_tooltip_and_read_only(self):
        self._policy({"phone": self.finance}, enforcement="block")
        partners = self.env["res.partner"].with_user(self.user)
        self.assertIn(
            "System of record: Finance", partners.fields_get(["phone"])["phone"]["help"]
        )
        form = Form(partners.browse(self.partner.id))
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.phone = "2"
        form = Form(partners)
        form.phone = "2"

    def test_no_tooltip_without_policy(self):
        field = self.env["res.partner"].fields_get(["ref"])["ref"]
        self.assertNotIn("System of record", field.get("help") or "")

    def test_hooks_touch_governed_models_only(self):
        registry = self.env.registry
        before = registry["res.country"].write
        self._policy({"phone": self.finance}, enforcement="block")
        self.assertIs(registry["res.country"].write, before)
        self.assertNotIn("write", registry["res.partner"].__dict__)
