from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestBadInput(OwnershipCase):
    """Names nobody knows, values that only look different, fields that went away."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.row = cls.env["sync.crosswalk"]._link(cls.shop, cls.partner, "S-1")
        cls.source = cls.shop._as_source()

    def _custom_field(self, **values):
        return self.env["ir.model.fields"].create(
            {
                "name": "x_custom",
                "field_description": "Custom",
                "ttype": "char",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                **values,
            }
        )

    def test_usual_domains_with_unknown_names_are_told(self):
        templates = self.env["sync.domain.template"].create(
            [
                {
                    "name": "Typo",
                    "code": "t_typo",
                    "criticality": "c",
                    "owner_kind": "shop",
                    "direction": "in",
                    "timing": "realtime",
                    "model_name": "res.partner",
                    "field_names": "phone, phnoe",
                },
                {
                    "name": "No App",
                    "code": "t_no_app",
                    "criticality": "c",
                    "owner_kind": "shop",
                    "direction": "in",
                    "timing": "realtime",
                    "model_name": "no.such.model",
                    "field_names": "name",
                },
            ]
        )
        wizard = self.env["sync.domain.adopt"].with_user(self.manager).create({})
        lines = wizard.line_ids.filtered(lambda line: line.template_id in templates)
        typo, no_app = lines.sorted(lambda line: line.template_id.id)
        self.assertIn("phnoe", typo.creates)
        self.assertIn("no.such.model", no_app.creates)
        domains = templates._adopt()
        self.assertEqual(domains.policy_ids.line_ids.field_name, "phone")

    def test_times_with_and_without_zone_are_equal(self):
        channel = self.env["res.users.log"].create({})
        row = self.env["sync.crosswalk"]._link(self.shop, channel, "L-1")
        stamp = channel.create_date.replace(microsecond=0)
        for text in (f"{stamp.isoformat()}Z", f"{stamp.isoformat()}+00:00"):
            result = row._apply_incoming({"create_date": text}, self.source)
            self.assertEqual(result.unchanged, ["create_date"], text)

    def test_translated_fields_compare_in_the_writers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        category = self.env["res.partner.category"].create({"name": "Gold"})
        category.with_context(lang="fr_FR").name = "Or"
        row = self.env["sync.crosswalk"]._link(self.shop, category, "T-1")
        row._apply_incoming({"name": "Gold"}, self.source)
        french = row.with_context(lang="fr_FR")
        self.assertEqual(
            french._apply_incoming({"name": "Or"}, self.source).unchanged, ["name"]
        )
        self.assertEqual(category.name, "Gold")
        self.assertEqual(category.with_context(lang="fr_FR").name, "Or")

    def test_company_dependent_fields_belong_to_each_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self._policy({"barcode": self.finance}, enforcement="block")
        theirs = self.partner.with_company(other)
        self._as(self.finance).barcode = "111"
        source = self.finance._as_source()
        theirs.with_context(sync_source=source).barcode = "222"
        self.assertEqual(self.partner.barcode, "111")
        self.assertEqual(theirs.barcode, "222")
        # the same value as in one's own company is no change, another's is one
        self.partner.with_user(self.user).barcode = "111"
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).barcode = "222"

    def test_archived_records_keep_their_conflicts(self):
        self._policy({"phone": self.finance}, enforcement="block")
        conflict = self.row._apply_incoming({"phone": "2"}, self.source).conflict
        self.partner.active = False
        self.env.invalidate_all()
        self.assertEqual(conflict.record_name, "Ada")
        self.steward.group_ids += self.env.ref("base.group_system")
        conflict.with_user(self.steward).action_take_all()
        self.assertEqual((self.partner.phone, self.partner.active), ("2", False))

    def test_a_field_that_went_away_leaves_its_conflict_decidable(self):
        field = self._custom_field()
        self._policy({"x_custom": self.finance}, enforcement="block")
        conflict = self.row._apply_incoming({"x_custom": "2"}, self.source).conflict
        field.unlink()
        conflict.invalidate_recordset()
        conflict = conflict.with_user(self.steward)
        self.assertEqual(conflict.line_ids.incoming_display, "2", "no data is lost")
        with self.assertRaisesRegex(UserError, "no longer has the fields"):
            conflict.action_take_all()
        conflict.line_ids.decision = "keep"
        conflict.action_resolve()
        self.assertEqual(conflict.state, "resolved")

    def test_a_field_that_went_away_fails_its_change_request(self):
        field = self._custom_field()
        self._policy({"x_custom": self.finance}, enforcement="propose")
        self.partner.with_user(self.user).x_custom = "2"
        request = self.env["sync.change.request"].search(
            [("res_id", "=", self.partner.id)]
        )
        field.unlink()
        request.invalidate_recordset()
        request.with_user(self.steward).action_approve()
        self.assertEqual(request.state, "failed")
        self.assertIn("no longer has the fields", request.failure)

    def test_a_model_that_went_away_leaves_its_conflict_readable(self):
        conflict = self.row._apply_incoming({"city": "x"}, self.source).conflict
        conflict = conflict or self.env["sync.conflict"].create(
            {"system_id": self.shop.id, "res_model": "res.partner"}
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sync_conflict SET res_model = 'no.such.model' WHERE id = %s",
            [conflict.id],
        )
        self.env.invalidate_all()
        self.assertEqual(conflict.model_label, "no.such.model")
        self.assertFalse(conflict.record_name)
        conflict.with_user(self.steward).action_ignore()
        self.assertEqual(conflict.state, "ignored")
