from odoo.tests import tagged

from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestDomainAdopt(OwnershipCase):
    def test_adopting_creates_domains_and_observing_drafts(self):
        for domain in (
            self.env["sync.domain"].with_context(active_test=False).search([])
        ):
            domain.code = f"t_{domain.id}"
        self.env.flush_all()
        crm = self.env["sync.system"].create(
            {"name": "CRM", "code": "t_crm", "kind": "crm"}
        )
        wizard = self.env["sync.domain.adopt"].with_user(self.manager).create({})
        customer = wizard.line_ids.filtered(
            lambda line: line.template_id.code == "customer"
        )
        self.assertTrue(customer.adopt)
        self.assertIn("Phone", customer.creates)
        wizard.line_ids.adopt = False
        customer.adopt = True
        action = wizard.action_adopt()
        domain = self.env["sync.domain"].search(action["domain"])
        self.assertEqual(domain.code, "customer")
        policy = domain.policy_ids
        self.assertEqual((policy.state, policy.enforcement), ("draft", "observe"))
        self.assertEqual(policy.line_ids.owner_system_id.kind, crm.kind)
        again = self.env["sync.domain.adopt"].with_user(self.manager).create({})
        self.assertNotIn("customer", again.line_ids.template_id.mapped("code"))
