from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged

MODULE = "sync_governance_base"


@tagged("post_install", "-at_install")
class TestSegregationOfDuties(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager_group = cls.env.ref(f"{MODULE}.group_sync_integration_manager")
        cls.security_group = cls.env.ref(f"{MODULE}.group_sync_security_officer")
        cls.user = new_test_user(
            cls.env, "sod.user", groups=f"{MODULE}.group_sync_integration_manager"
        )
        cls.officer = new_test_user(
            cls.env, "sod.officer", groups=f"{MODULE}.group_sync_security_officer"
        )
        cls.rule = cls.env.ref(f"{MODULE}.sync_sod_rule_manager_security")

    def _assert_refused(self, change):
        with (
            self.assertRaisesRegex(ValidationError, "must be separate"),
            self.env.cr.savepoint(),
        ):
            change()

    def test_direct_assignment(self):
        self._assert_refused(
            lambda: self.user.write(
                {"group_ids": [Command.link(self.security_group.id)]}
            )
        )
        self._assert_refused(
            lambda: self.security_group.write(
                {"user_ids": [Command.link(self.user.id)]}
            )
        )
        self._assert_refused(
            lambda: new_test_user(
                self.env,
                "sod.both",
                groups=f"{MODULE}.group_sync_integration_manager,{MODULE}.group_sync_security_officer",
            )
        )

    def test_implied_assignment(self):
        harmless = self.env["res.groups"].create({"name": "Harmless"})
        self.user.write({"group_ids": [Command.link(harmless.id)]})
        self._assert_refused(
            lambda: harmless.write(
                {"implied_ids": [Command.link(self.security_group.id)]}
            )
        )
        outer = self.env["res.groups"].create(
            {"name": "Outer", "implied_ids": [Command.link(harmless.id)]}
        )
        self._assert_refused(
            lambda: outer.write(
                {
                    "implied_ids": [Command.link(self.security_group.id)],
                    "user_ids": [Command.link(self.user.id)],
                }
            )
        )
        self._assert_refused(
            lambda: self.security_group.write(
                {"implied_by_ids": [Command.link(harmless.id)]}
            )
        )

    def test_group_that_implies_both_cannot_be_given(self):
        both = self.env["res.groups"].create(
            {
                "name": "Both",
                "implied_ids": [
                    Command.set((self.manager_group | self.security_group).ids)
                ],
            }
        )
        fresh = new_test_user(self.env, "sod.fresh")
        self._assert_refused(
            lambda: fresh.write({"group_ids": [Command.link(both.id)]})
        )

    def test_superuser_is_bound_too(self):
        self._assert_refused(
            lambda: self.user.sudo().write(
                {"group_ids": [Command.link(self.security_group.id)]}
            )
        )

    def test_a_rule_between_implied_groups_makes_no_sense(self):
        viewer = self.env.ref(f"{MODULE}.group_sync_viewer")
        with self.assertRaisesRegex(ValidationError, "cannot be separated"):
            self.env["sync.sod.rule"].create(
                {
                    "name": "x",
                    "first_group_id": viewer.id,
                    "second_group_id": self.manager_group.id,
                }
            )

    def _violate(self):
        """Give both duties behind the ORM's back."""
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO res_groups_users_rel (gid, uid) VALUES (%s, %s)",
            [self.security_group.id, self.user.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache("groups")

    def test_scan_finds_reports_and_closes(self):
        self._violate()
        self.env["sync.sod.rule"]._cron_scan()
        finding = self.rule.finding_ids
        self.assertEqual((finding.user_id, finding.state), (self.user, "open"))
        self.assertIn("Security Officer", finding.origin)
        issue = self.env["sync.issue"].search([("fingerprint", "=", "sod")])
        self.assertEqual(issue.state, "open")
        self.env["sync.sod.rule"]._cron_scan()
        self.assertEqual(len(self.rule.finding_ids), 1)
        self.user.write({"group_ids": [Command.unlink(self.security_group.id)]})
        self.env["sync.sod.rule"]._cron_scan()
        self.assertEqual(finding.state, "gone")
        self.assertEqual(issue.state, "resolved")

    def test_a_finding_is_accepted_with_a_mitigation_by_somebody_else(self):
        self._violate()
        self.env["sync.sod.rule"]._cron_scan()
        finding = self.rule.finding_ids.with_user(self.officer)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            finding.action_accept()
        with self.assertRaises(AccessError):
            finding.state = "accepted"  # the button would ask who does it
        finding.mitigation = "Reviewed every week"
        with self.assertRaises(UserError):
            self.rule.finding_ids.with_user(self.user).sudo(False).action_accept()
        finding.action_accept()
        self.assertEqual(finding.state, "accepted")
        # the accepted user can be edited again
        self.user.write(
            {"group_ids": [Command.link(self.env.ref("base.group_user").id)]}
        )

    def test_only_security_officers_touch_the_rules(self):
        self.rule.with_user(self.officer).risk = "More"
        with self.assertRaises(AccessError):
            self.rule.with_user(self.user).enforcement = "report"
