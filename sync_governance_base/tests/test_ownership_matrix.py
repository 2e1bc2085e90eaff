from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..tools.policy import Outcome
from ..tools.source import Channel, Source
from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestOwnershipMatrix(OwnershipCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # each test brings the policies it speaks of
        cls.env["sync.policy"].search([("state", "=", "active")]).action_deactivate()
        cls.env["sync.policy"].search([("state", "!=", "superseded")]).unlink()
        cls.domain = cls.env["sync.domain"].create(
            {
                "name": "Customers",
                "code": "t_customer",
                "criticality": "a",
                "model_ids": cls.env["ir.model"]._get("res.partner").ids,
            }
        )
        cls.matrix = cls.env["sync.ownership.matrix"].with_user(cls.viewer)

    def _row(self, model="res.partner", matrix=None):
        """The row of a model, with its fields by name, wherever it is."""
        domains = (self.matrix if matrix is None else matrix).get_matrix()["domains"]
        [row] = [
            row for one in domains for row in one["models"] if row["model"] == model
        ]
        return {**row, "fields": {field["name"]: field for field in row["fields"]}}

    def _set(self, field, system, role, user=None):
        matrix = self.matrix.with_user(user or self.manager)
        return matrix.set_role("res.partner", field, system.id, role)

    def test_owners_ranks_and_fields_that_nobody_owns(self):
        policy = self._policy(
            {"phone": [self.shop, self.wms], "city": None},
            domain_id=self.domain.id,
            enforcement="block",
        )
        row = self._row()
        self.assertEqual(row["policy"]["id"], policy.id)
        self.assertIsNone(row["pending"])
        phone, city = row["fields"]["phone"], row["fields"]["city"]
        self.assertEqual(phone["owners"], [self.shop.id, self.wms.id])
        self.assertEqual(
            (phone["owned"], phone["enforcement"], phone["pending"]),
            (True, "block", None),
        )
        self.assertEqual((city["owned"], city["owners"]), (False, []))
        columns = {one["id"] for one in self.matrix.get_matrix()["systems"]}
        self.assertLessEqual({self.odoo.id, self.shop.id, self.wms.id}, columns)

    def test_a_model_without_a_policy_is_a_row_of_its_domain(self):
        domains = self.matrix.get_matrix()["domains"]
        [domain] = [one for one in domains if one["id"] == self.domain.id]
        [row] = domain["models"]
        self.assertEqual((row["name"], row["policy"]), ("Contact", None))
        self.assertEqual(row["fields"], [])

    def test_a_retired_system_is_a_column_while_it_owns(self):
        def columns():
            return {one["id"] for one in self.matrix.get_matrix()["systems"]}

        self._policy({"phone": self.wms})
        self.wms.state = self.finance.state = "retired"
        self.assertIn(self.wms.id, columns())
        self.assertNotIn(self.finance.id, columns())

    def test_an_edit_drafts_the_next_version_and_leaves_the_one_in_force(self):
        policy = self._policy({"phone": self.shop}, domain_id=self.domain.id)
        row = self._set("phone", self.finance, "owner")
        self.assertEqual(policy.line_ids.owner_system_id, self.shop)
        draft = self.env["sync.policy"].browse(row["pending"]["id"])
        self.assertEqual((draft.state, draft.previous_id), ("draft", policy))
        self.assertEqual(row["policy"]["id"], policy.id)
        [phone] = row["fields"]
        self.assertEqual(
            (phone["owners"], phone["pending"]), ([self.shop.id], [self.finance.id])
        )
        self.assertEqual(len(row["pending"]["changes"]), 1)
        self.assertIn("Shop → Finance", row["pending"]["changes"][0])

    def test_a_second_edit_extends_the_draft(self):
        self._policy({"phone": self.shop})
        first = self._set("phone", self.finance, "owner")["pending"]["id"]
        row = self._set("phone", self.wms, "next")
        self.assertEqual(row["pending"]["id"], first)
        [phone] = row["fields"]
        self.assertEqual(phone["pending"], [self.finance.id, self.wms.id])
        self._set("phone", self.wms, "next")
        [phone] = self._set("phone", self.shop, "owner")["fields"]
        self.assertIsNone(phone["pending"], "the draft says what is in force")

    def test_a_ranked_system_can_become_the_owner_and_keeps_its_freshness(self):
        policy = self._policy({"phone": [self.shop, self.wms]}, activate=False)
        policy.line_ids.owner_ids.freshness_hours = 4
        policy.action_activate()
        draft = self.env["sync.policy"].browse(
            self._set("phone", self.wms, "owner")["pending"]["id"]
        )
        line = draft.line_ids
        self.assertEqual((line.owner_system_id, line.freshness_hours), (self.wms, 4))
        self.assertFalse(line.owner_ids)

    def test_the_first_edit_of_a_model_drafts_its_first_policy(self):
        row = self._set("phone", self.shop, "owner")
        draft = self.env["sync.policy"].browse(row["pending"]["id"])
        self.assertEqual((draft.domain_id, draft.version), (self.domain, 1))
        self.assertFalse(draft.company_id, "it will bind every company")
        self.assertFalse(row["fields"][0]["owned"], "a draft binds nobody")

    def test_only_integration_managers_edit(self):
        self._policy({"phone": self.shop})
        self.assertTrue(self.matrix.with_user(self.manager).get_matrix()["can_edit"])
        for user in (self.viewer, self.steward):
            self.assertFalse(self.matrix.with_user(user).get_matrix()["can_edit"])
            with self.assertRaises(AccessError):
                self._set("phone", self.wms, "owner", user)
        stranger = new_test_user(self.env, "matrix.stranger")
        with self.assertRaises(AccessError):
            self.matrix.with_user(stranger).get_matrix()
        auditor = new_test_user(
            self.env, "matrix.auditor", groups="sync_governance_base.group_sync_auditor"
        )
        self.assertTrue(self.matrix.with_user(auditor).get_matrix()["systems"])

    def test_what_has_gone_meanwhile_is_said(self):
        self._policy({"phone": self.shop})
        gone = self.env["sync.system"].create(
            {"name": "Gone", "code": "t_gone", "kind": "pim"}
        )
        gone.unlink()
        with self.assertRaisesRegex(UserError, "no longer exists"):
            self._set("phone", gone, "owner")
        with self.assertRaisesRegex(UserError, "no longer exists"):
            self._set("no_such_field", self.wms, "owner")

    def test_a_policy_that_is_deleted_meanwhile_is_drafted_anew(self):
        row = self._set("phone", self.shop, "owner")
        self.env["sync.policy"].browse(row["pending"]["id"]).unlink()
        again = self._set("phone", self.shop, "owner")
        self.assertNotEqual(again["pending"]["id"], row["pending"]["id"])

    def test_the_company_decides_which_policy_is_shown(self):
        other = self.env["res.company"].create({"name": "Other"})
        for_all = self._policy({"phone": self.shop})
        own = self._policy({"phone": self.wms}, company_id=other.id)
        self.viewer.company_ids |= other
        self.assertEqual(self._row()["policy"]["id"], for_all.id)
        elsewhere = self.matrix.with_company(other)
        self.assertEqual(self._row(matrix=elsewhere)["policy"]["id"], own.id)
        self.manager.company_ids |= other
        row = elsewhere.with_user(self.manager).set_role(
            "res.partner", "phone", self.finance.id, "owner"
        )
        draft = self.env["sync.policy"].browse(row["pending"]["id"])
        self.assertEqual(draft.company_id, other)

    def test_writes_of_seven_days_by_outcome_and_source(self):
        policy = self._policy({"phone": self.shop})
        rules = self.env["sync.policy"]._rules("res.partner", self.env.company.id)
        hits = self.env["sync.policy.hit"]
        shop = self.shop._as_source(channel=Channel.INBOUND)
        for _number in range(3):
            hits._count(rules, "phone", shop, Outcome.ALLOWED)
        hits._count(rules, "phone", Source(Channel.UI), Outcome.BLOCKED)
        hits._count(rules, "(delete)", Source(Channel.CRON), Outcome.OBSERVED)
        self.env.cr.precommit.run()
        hits.create(
            {
                "day": fields.Date.subtract(fields.Date.today(), days=7),
                "policy_id": policy.id,
                "field_name": "phone",
                "channel": "ui",
                "outcome": "blocked",
                "count": 50,
            }
        )
        row = self._row()
        self.assertEqual(
            row["fields"]["phone"]["hits"],
            [
                {"outcome": "allowed", "source": "Shop", "count": 3},
                {"outcome": "blocked", "source": "Web client", "count": 1},
            ],
        )
        self.assertEqual(
            row["hits"],
            [{"outcome": "observed", "source": "Scheduled action", "count": 1}],
        )

    def test_it_asks_the_database_as_often_for_many_fields_as_for_few(self):
        names = [
            field.name
            for field in self.env["ir.model.fields"].search(
                [
                    ("model", "=", "res.partner"),
                    ("store", "=", True),
                    ("name", "not in", ["id", "display_name"]),
                ],
                limit=40,
            )
        ]

        def queries(names, version):
            """Statements for a policy in force and one that is to follow it."""
            owners = dict.fromkeys(names, [self.shop, self.wms])
            policy = self._policy(owners, version=version)
            draft = policy._new_version()
            draft._rank(draft.line_ids[:1].field_id, [self.wms.id])
            self.assertEqual(len(self._row()["fields"]), len(names))
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.matrix.get_matrix()
            count = self.env.cr.sql_log_count - start
            draft.unlink()
            return count

        few = queries(names[:3], version=1)
        self.assertLess(few, 40)
        self.assertEqual(queries(names, version=2), few)

    def test_an_empty_suite_tells_the_next_step(self):
        self.assertIsNone(self.matrix.get_matrix()["next_step"])
        self.env["sync.domain"].search([]).active = False
        step = self.matrix.get_matrix()["next_step"]
        self.assertTrue(self.env.ref(step["action"]["xmlid"]))
        self.env["sync.system"].search([("kind", "!=", "odoo")]).state = "retired"
        step = self.matrix.get_matrix()["next_step"]
        self.assertIn("sync_system_action", step["action"]["xmlid"])
