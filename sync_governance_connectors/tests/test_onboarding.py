# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Datetime
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.sync_governance_connectors.models.sync_system import PURPOSE_INBOUND
from odoo.addons.sync_governance_connectors.tools import pointer
from odoo.addons.sync_governance_connectors.tools.sample import sample

from .common import ResourceCase

GROUP = "sync_governance_base.group_sync_"


class OnboardingCase(ResourceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for login, duty in (
            ("manager", "integration_manager"),
            ("second", "integration_manager"),
            ("officer", "security_officer"),
            ("operator", "operator"),
        ):
            user = new_test_user(
                cls.env,
                f"onboarding_{login}",
                groups=f"base.group_user,base.group_partner_manager,{GROUP}{duty}",
            )
            setattr(cls, login, user)
        cls.contact = cls.env["res.partner"].create(
            {"name": "Pia Partner", "email": "pia@partner.example"}
        )
        cls.template = cls.env.ref(
            "sync_governance_connectors.onboarding_template_shop"
        )
        cls.onboarding, cls.key = cls._launch("Nordwind", "test_nordwind")

    @classmethod
    def _launch(cls, name, code, template=None, **values):
        onboardings = cls.env["sync.onboarding"].with_user(cls.manager)
        return onboardings._launch(
            (template or cls.template).with_user(cls.manager),
            name,
            code,
            cls.company,
            **values,
        )

    def item(self, check, argument=None, onboarding=None):
        return (onboarding or self.onboarding).item_ids.filtered(
            lambda item: item.check == check
            and (argument is None or item.argument == argument)
        )[:1]

    def activate(self, credential):
        credential.with_user(self.officer).action_activate()

    def waive(self, item):
        """One asks, another one agrees."""
        item.with_user(self.second)._declare("waived", "Seen elsewhere.")
        item.with_user(self.manager).action_agree()

    def go_live(self, **choices):
        """As the dialog does. :param choices: fields of its lines to set"""
        action = self.onboarding.action_go_live()
        wizard = self.env["sync.onboarding.live"].with_user(self.manager)
        wizard = wizard.browse(action["res_id"])
        wizard.line_ids.write(choices)
        return wizard.action_confirm()

    def fulfil(self):
        """Everything that go-live waits for, as far as it is not sent by a partner."""
        self.onboarding.contact_id = self.contact
        self.activate(self.onboarding.credential_ids)
        for item in self.onboarding.item_ids.filtered("is_blocking"):
            if item.check == "manual":
                item._declare("done", "Agreed by telephone.")
            elif item.check in ("request", "credential_used"):
                self.waive(item)
        self.onboarding._refresh()


@tagged("post_install", "-at_install")
class TestOnboarding(OnboardingCase):
    def test_every_kind_has_a_template(self):
        templates = self.env["sync.onboarding.template"].search([])
        kinds = {"shop", "wms", "pim", "crm", "carrier", "finance", "marketplace"}
        self.assertLessEqual(
            kinds | {"logistics", "supplier"}, set(templates.mapped("kind"))
        )
        for number, template in enumerate(templates):
            with self.subTest(template=template.name):
                onboarding, key = self._launch(
                    f"Partner {number}", f"test_partner_{number}", template
                )
                self.assertEqual(onboarding.system_id.kind, template.kind)
                self.assertEqual(onboarding.system_id.state, "testing")
                self.assertEqual(bool(key), bool(template.scope_ids))
                self.assertTrue(onboarding._blocking())

    def test_launch_creates_everything_at_rest(self):
        system = self.onboarding.system_id
        self.assertEqual(
            (system.state, system.environment, system.active, system.company_id),
            ("testing", "sandbox", True, self.company),
        )
        credential = self.onboarding.credential_ids
        self.assertEqual(credential.state, "pending")
        self.assertTrue(credential.sandbox)
        self.assertEqual(
            set(credential.scope_ids.mapped("display_name")),
            set(self.template.scope_ids.mapped("display_name")),
        )
        subscription = self.env["sync.subscription"].search(
            [("system_id", "=", system.id)]
        )
        self.assertEqual(subscription.state, "draft")
        self.assertEqual(subscription.environment, "test")
        self.assertEqual(subscription.company_id, self.company)
        policy = self.onboarding.policy_ids
        self.assertEqual(policy.mapped("state"), ["draft"])
        for line in policy.line_ids:
            self.assertIn(system, line._ranked_systems())
        self.assertEqual(self.onboarding.stage_id.name, "Prepare")

    def test_parts_of_the_pattern_are_copied_and_led_to_each_other(self):
        pattern = self.template.system_id
        remote = self.env["sync.remote"].create(
            {
                "name": "Files",
                "system_id": pattern.id,
                "kind": "folder",
                "address": "shop",
                "active": False,
            }
        )
        self.env["sync.feed"].create(
            {
                "name": "Customers",
                "system_id": pattern.id,
                "remote_id": remote.id,
                "resource": "customers",
            }
        )
        self.env["sync.mapping"].create(
            {
                "system_id": pattern.id,
                "event_type": "customers/create",
                "resource": "customers",
                "sample": '{"id": 1}',
            }
        )
        onboarding, _key = self._launch("Copy", "test_copy")
        feed = self.env["sync.feed"].search(
            [("system_id", "=", onboarding.system_id.id)]
        )
        self.assertEqual(feed.name, "Copy: Customers")
        self.assertEqual(feed.remote_id.system_id, onboarding.system_id)
        self.assertTrue(feed.remote_id.active)
        self.assertEqual(feed.state, "draft")
        mapping = self.env["sync.mapping"].search(
            [("system_id", "=", onboarding.system_id.id)]
        )
        self.assertEqual((mapping.state, mapping.sample), ("draft", '{"id": 1}'))
        covered = self.env["sync.onboarding.item"].new(
            {"check": "mapping_covered", "onboarding_id": onboarding.id}
        )
        evidence = self.env["sync.onboarding.proof"]._of(covered)
        self.assertFalse(evidence.holds)
        self.assertIn("name", evidence.reason)

    def test_the_lock_says_what_is_open(self):
        with self.assertRaises(UserError) as caught:
            self.onboarding.action_go_live()
        self.assertIn("Contact named", str(caught.exception))
        self.assertIn("Nobody is named", str(caught.exception))

    def test_the_lock_holds_wherever_it_is_tried(self):
        system = self.onboarding.system_id
        for write in (
            lambda: system.with_user(self.manager).action_go_live(),
            lambda: system.write({"state": "live"}),
            lambda: system.sudo().write({"environment": "live"}),
        ):
            with self.assertRaises(UserError):
                write()
        self.onboarding.active = False
        with self.assertRaises(UserError):
            system.action_go_live()
        system.action_retire()  # nor by beginning anew
        with self.assertRaises(AccessError):
            self.onboarding.unlink()

    def test_nobody_unlocks_by_editing(self):
        for values in ({"live_at": Datetime.now()}, {"stage_id": False}):
            with self.assertRaises(AccessError):
                self.onboarding.write(values)
        item = self.item("contact")
        for change in (
            lambda: item.write({"required": False}),
            lambda: item.write({"state": "done"}),
            lambda: item.unlink(),
        ):
            with self.assertRaises(UserError):
                change()

    def test_what_the_system_sees_is_not_declared(self):
        with self.assertRaises(UserError):
            self.item("contact")._declare("done", "Trust me.")

    def assertNotAgreed(self, user, item):
        with self.assertRaises(AccessError):
            item.with_user(user).action_agree()
        self.assertTrue(item.is_blocking)

    def test_that_something_is_not_needed_takes_two(self):
        item = self.item("contact")
        item.with_user(self.second)._declare("waived", "In-house.")
        self.onboarding.action_refresh()
        self.assertIn("In-house", item.reason)
        self.assertNotAgreed(self.second, item)
        self.assertNotAgreed(self.operator, item)
        # Who leads makes no difference: not to be asked by oneself, nor to be agreed.
        for leader in (self.second, self.manager, self.operator):
            self.onboarding.with_user(self.second).owner_id = leader
            self.assertNotAgreed(self.second, item)
        item.with_user(self.manager).action_agree()
        self.assertEqual((item.state, item.done_by_id), ("waived", self.manager))
        self.assertEqual(item.asked_by_id, self.second)
        self.assertFalse(item.is_blocking)

    def test_a_proof_is_better_than_a_waiver(self):
        item = self.item("contact")
        item.with_user(self.second)._declare("waived", "In-house.")
        self.onboarding.contact_id = self.contact
        self.onboarding.action_refresh()
        self.assertEqual((item.state, item.done_by_id.id), ("done", False))
        with self.assertRaises(UserError):
            item.with_user(self.manager).action_agree()

    def test_a_waiver_is_taken_back(self):
        item = self.item("contact")
        item.with_user(self.second)._declare("waived", "In-house.")
        item.action_reopen()
        self.assertFalse(item.asked_by_id)
        self.assertIn("Nobody is named", item.reason)
        with self.assertRaises(UserError):
            item.with_user(self.manager).action_agree()

    def waiting(self, user):
        """What waits for this user in the inbox, as far as it is of this partner."""
        self.env.flush_all()
        inbox = self.env["sync.inbox"].with_user(user)
        waivers = inbox.search([("kind", "=", "sync.onboarding.item")])
        return waivers.filtered(lambda row: row.system_id == self.onboarding.system_id)

    def test_a_waiver_waits_in_the_inbox_of_those_who_may_agree(self):
        item = self.item("contact")
        self.assertFalse(self.waiting(self.manager))
        item.with_user(self.second)._declare("waived", "In-house.")
        for user in (self.second, self.operator, self.officer):
            self.assertFalse(self.waiting(user), user.login)
        row = self.waiting(self.manager)
        self.assertEqual(row.res_id, item.id)
        self.assertTrue(row.can_decide and row.since)
        for word in ("Nordwind", item.name, self.second.name, "In-house."):
            self.assertIn(word, row.title)
        shown = row.action_open()
        self.assertEqual(
            (shown["res_model"], shown["res_id"]),
            ("sync.onboarding", self.onboarding.id),
        )
        other = self.env["res.company"].create({"name": "Other"})
        self.manager.company_ids |= other
        elsewhere = row.with_context(allowed_company_ids=other.ids)
        self.assertFalse(elsewhere.search([("kind", "=", row.kind)]))
        row.action_accept()
        self.assertEqual((item.state, item.done_by_id), ("waived", self.manager))
        self.assertFalse(self.waiting(self.manager))

    def test_a_waiver_is_turned_down_from_the_inbox(self):
        item = self.item("contact")
        item.with_user(self.second)._declare("waived", "In-house.")
        self.waiting(self.manager).action_reject()
        self.assertFalse(item.asked_by_id or item.asked_at)
        self.assertTrue(item.is_blocking)
        self.assertFalse(self.waiting(self.manager))
        [entry] = self.env["sync.audit"].search(
            [("action", "=", "onboarding.item_reopened")]
        )
        self.assertEqual(entry.user_id, self.manager)

    def test_words_are_not_written_by_hand(self):
        optional = self.onboarding.item_ids.filtered(lambda item: not item.required)
        self.assertTrue(optional)
        for values in (
            {"state": "waived"},
            {"asked_by_id": self.second.id},
            {"done_by_id": self.second.id},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                optional[:1].write(values)
        stage = self.env.ref("sync_governance_connectors.onboarding_stage_prepare")
        items = self.env["sync.onboarding.item"].with_user(self.manager)
        with self.assertRaises(AccessError):
            items.with_context(default_state="done").create(
                {
                    "name": "Seen",
                    "onboarding_id": self.onboarding.id,
                    "stage_id": stage.id,
                }
            )

    def test_a_stage_that_holds_partners_back_goes_on_doing_so(self):
        stage = self.onboarding.stage_id
        with self.assertRaisesRegex(UserError, "holds partners back"):
            stage.with_user(self.manager).before_live = False
        stage.with_user(self.manager).purpose = "Agree on everything."
        self.assertTrue(self.item("contact").is_blocking)

    def test_a_proof_that_stops_holding_is_open_again(self):
        self.onboarding.contact_id = self.contact
        self.onboarding.action_refresh()
        self.assertEqual(self.item("contact").state, "done")
        self.assertEqual(self.item("contact").res_id, self.contact.id)
        self.contact.email = False
        self.onboarding.action_refresh()
        self.assertEqual(self.item("contact").state, "open")
        self.assertIn("no e-mail", self.item("contact").reason)

    def test_further_groups_are_seen(self):
        self.assertEqual(self.item("account_rights").state, "done")
        user = self.onboarding.system_id.service_account_ids.user_id
        user.sudo().group_ids += self.env.ref("sales_team.group_sale_manager")
        self.onboarding.action_refresh()
        self.assertEqual(self.item("account_rights").state, "open")

    def test_test_and_live_are_kept_apart(self):
        test_key = self.onboarding.credential_ids
        account = self.onboarding.system_id.service_account_ids
        early, _key = (
            self.env["sync.credential"]
            .with_user(self.manager)
            ._issue(account, ["order:read"])
        )
        with self.assertRaises(ValidationError):
            self.activate(early)
        early.with_user(self.officer).action_revoke()
        self.fulfil()
        self.assertFalse(self.onboarding.blocked_reason)
        self.assertEqual(self.onboarding.stage_id.name, "Go Live")
        shown = self.go_live()
        self.assertTrue(shown["context"]["default_key"].startswith("sgk_"))
        self.assertEqual(test_key.state, "revoked")
        system = self.onboarding.system_id
        self.assertEqual((system.state, system.environment), ("live", "live"))
        live = self.onboarding.credential_ids - test_key - early
        self.assertEqual((live.sandbox, live.state), (False, "pending"))
        self.activate(live)
        self.onboarding._refresh()
        self.assertEqual(self.item("credential_live").state, "done")
        self.assertEqual(self.onboarding.stage_id.name, "Go Live")  # no live call yet
        late, _key = (
            self.env["sync.credential"]
            .with_user(self.manager)
            ._issue(account, ["order:read"], sandbox=True)
        )
        with self.assertRaises(ValidationError):
            self.activate(late)

    def test_ids_of_trial_documents_are_given_up(self):
        system = self.onboarding.system_id
        order = self.env["sale.order"].create({"partner_id": self.contact.id})
        crosswalk = self.env["sync.crosswalk"]
        crosswalk._link(system, order, "SO-1")
        crosswalk._link(system, self.contact, "C-1")
        self.fulfil()
        self.go_live()
        self.assertFalse(crosswalk._resolve(system, "sale.order", "SO-1"))
        self.assertTrue(crosswalk._resolve(system, "res.partner", "C-1"))
        real = order.copy()
        self.assertEqual(crosswalk._link(system, real, "SO-1").res_id, real.id)

    def trial_orders(self):
        """A draft and a confirmed order of the trials, and a draft of nobody's."""
        system = self.onboarding.system_id
        orders = self.env["sale.order"].create(
            [{"partner_id": self.contact.id} for _number in range(3)]
        )
        draft, confirmed, _other = orders
        confirmed.action_confirm()
        for number, order in enumerate(draft | confirmed):
            self.env["sync.crosswalk"]._link(system, order, f"SO-{number}")
        return orders

    def test_drafts_of_the_trials_are_shown_and_cancelled(self):
        draft, confirmed, other = self.trial_orders()
        self.fulfil()
        action = self.onboarding.action_go_live()
        line = self.env["sync.onboarding.live"].browse(action["res_id"]).line_ids
        self.assertEqual(
            (line.drafts, line.confirmed), (draft.display_name, confirmed.display_name)
        )
        self.go_live()
        self.assertEqual(
            (draft.state, confirmed.state, other.state), ("cancel", "sale", "draft")
        )
        log = self.env["sync.audit"].search(
            [("action", "=", "onboarding.drafts_cancelled")]
        )
        self.assertEqual(len(log), 1)

    def test_drafts_stay_where_that_is_chosen(self):
        draft, _confirmed, _other = self.trial_orders()
        self.fulfil()
        self.go_live(cancel=False)
        self.assertEqual(draft.state, "draft")

    def test_what_was_not_shown_is_not_cancelled(self):
        draft, confirmed, other = self.trial_orders()
        self.fulfil()
        action = self.onboarding.action_go_live()
        wizard = self.env["sync.onboarding.live"].browse(action["res_id"])
        draft.action_confirm()  # meanwhile
        wizard.line_ids.draft_res_ids = (draft | confirmed | other).ids
        wizard.with_user(self.manager).action_confirm()
        self.assertEqual(
            (draft.state, confirmed.state, other.state), ("sale", "sale", "draft")
        )

    def test_for_trials_only_never_goes_live(self):
        onboarding, _key = self._launch("Lab", "test_lab", target="sandbox")
        self.assertFalse(
            onboarding.item_ids.filtered(lambda i: i.check == "live_request")
        )
        with self.assertRaises(UserError):
            onboarding.system_id.sudo().action_go_live()

    def test_time_in_stages(self):
        entered = Datetime.now() - timedelta(days=9)
        stay = self.onboarding.sudo().stay_ids
        stay.entered_at = self.onboarding.sudo().entered_at = entered
        self.onboarding.invalidate_recordset()
        self.assertEqual(self.onboarding.days_in_stage, 9)
        self.assertTrue(self.onboarding.is_stuck)
        self.fulfil()
        self.assertAlmostEqual(stay.days, 9, 2)
        self.assertTrue(stay.left_at)
        self.assertEqual(
            self.onboarding.stay_ids.stage_id.mapped("name"),
            ["Prepare", "Connect", "Prove", "Go Live"],
        )
        self.assertEqual(self.onboarding.stay_ids.mapped("left_at").count(False), 1)

    def test_rights(self):
        onboardings = self.env["sync.onboarding"]
        seen = self.onboarding.with_user(self.operator)
        self.assertEqual(seen.name, "Nordwind")
        with self.assertRaises(AccessError):
            seen.write({"name": "Mine"})
        with self.assertRaises(AccessError):
            onboardings.with_user(self.operator)._launch(
                self.template, "No", "test_no", self.company
            )
        with self.assertRaises(AccessError):
            self.item("manual").with_user(self.operator)._declare("done", "x")
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "onboarding_stranger",
            groups=f"base.group_user,{GROUP}integration_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        for model in (
            "sync.onboarding",
            "sync.onboarding.item",
            "sync.onboarding.stay",
        ):
            self.assertFalse(self.env[model].with_user(stranger).search([]), model)

    def test_hand_over_sheet_is_a_page_where_no_pdf_can_be_made(self):
        reports = type(self.env["ir.actions.report"])
        for state, kind in (
            ("ok", "ir.actions.report"),
            ("install", "ir.actions.act_url"),
            ("workers", "ir.actions.act_url"),
        ):
            with (
                self.subTest(state),
                patch.object(
                    reports, "get_wkhtmltopdf_state", lambda _self, s=state: s
                ),
            ):
                self.assertEqual(self.onboarding.action_hand_over()["type"], kind)

    def test_hand_over_sheet_without_secrets(self):
        report = self.env["ir.actions.report"].with_user(self.manager)
        html, _kind = report._render_qweb_html(
            "sync_governance_connectors.sync_onboarding_sheet", self.onboarding.ids
        )
        text = html.decode()
        for expected in (
            "/sync/v1/orders",
            "order:write",
            "curl -X POST",
            "/sync/v1/hooks/test_nordwind",
            "HMAC-SHA256",
        ):
            self.assertIn(expected, text)
        self.assertNotIn(self.key, text)
        self.assertNotIn(self.onboarding.credential_ids.prefix, text)


@tagged("post_install", "-at_install")
class TestSample(OnboardingCase):
    def test_every_contract_has_a_valid_sample(self):
        versions = self.env["sync.contract.version"].search([])
        self.assertGreater(len(versions), 15)
        for version in versions:
            with self.subTest(contract=version.display_name):
                schema = json.loads(version.schema_text)
                made = sample(schema)
                self.assertFalse(pointer.validate(schema, made))
                self.assertEqual(made, sample(schema))
                told = json.loads(self.env["sync.sample"]._make(self.shop, version))
                self.assertFalse(pointer.validate(schema, told))

    def findings(self, body):
        return self.env["sync.sample"]._findings(self.shop, "orders", "create", body)

    def test_contract_layer(self):
        body = self.order_body()
        del body["customer"]
        [finding] = self.findings(body)
        self.assertEqual((finding.layer, finding.pointer), ("contract", "/customer"))

    def test_business_layer(self):
        self.customer()
        self.assertEqual(self.findings(self.order_body()), [])
        line = {
            "product": {"external_id": "NOBODY-KNOWS"},
            "quantity": "0",
            "uom": "Bushel of nothing",
            "unit_price": "10.00",
        }
        body = self.order_body(totals={"net": "50.00", "tax": "5.00", "total": "54.00"})
        body["lines"].append(line)
        found = {finding.pointer: finding for finding in self.findings(body)}
        self.assertEqual({one.layer for one in found.values()}, {"business"})
        self.assertLessEqual(
            {
                "/lines/1/quantity",
                "/lines/1/product",
                "/lines/1/uom",
                "/totals/net",
                "/totals/total",
            },
            set(found),
        )

    def test_wizard_makes_and_checks(self):
        self.customer()
        contract = self.env["sync.contract"].search([("code", "=", "orders.write")])
        wizard = (
            self.env["sync.onboarding.sample"]
            .with_user(self.manager)
            .create({"onboarding_id": self.onboarding.id, "contract_id": contract.id})
        )
        wizard.action_make()
        self.assertIn("external_id", json.loads(wizard.message))
        wizard.action_check()
        self.assertFalse(wizard.is_sound)  # this partner knows no product yet
        self.assertIn("/customer", wizard.result_html)
        wizard.message = "{"
        wizard.action_check()
        self.assertIn("Contract", wizard.result_html)

    def test_sample_names_what_the_system_knows(self):
        self.customer()
        contract = self.env["sync.contract"].search([("code", "=", "orders.write")])
        text = self.env["sync.sample"]._make(self.shop, contract.active_version_id)
        self.assertEqual(json.loads(text)["customer"], {"external_id": "C-T1"})
        self.assertEqual(self.findings(json.loads(text)), [])


@tagged("post_install", "-at_install")
class TestOnboardingScenarios(HttpCase, OnboardingCase):
    def send(self, path, body, key=None):
        return self.url_open(
            f"/sync/v1{path}",
            data=json.dumps(body),
            headers={
                "Authorization": f"Bearer {key or self.key}",
                "Idempotency-Key": f"{path}-{body['external_id']}",
                "Content-Type": "application/json",
            },
        )

    def test_calls_with_the_test_key_prove_scenarios(self):
        customer = {"external_id": "C-9", "name": "Trial Ltd", "is_company": True}
        self.assertEqual(self.send("/customers", customer).status_code, 401)
        self.activate(self.onboarding.credential_ids)
        answer = self.send("/customers", customer)
        self.assertEqual(answer.status_code, 201, answer.text)
        self.onboarding._refresh()
        item = self.item("request", "customers.create")
        self.assertEqual(item.state, "done", item.reason)
        call = self.env["sync.request"].browse(item.res_id)
        self.assertTrue(call.sandbox)
        self.assertEqual(call.system_id, self.onboarding.system_id)
        self.assertEqual(self.item("credential_used").state, "done")
        self.assertEqual(self.item("request", "orders.create").state, "open")

    def hook(self, secret, external_id):
        """A webhook of the partner about a customer."""
        return self.url_open(
            "/sync/v1/hooks/test_nordwind",
            data=json.dumps(
                {
                    "type": "customer.created",
                    "data": {"external_id": external_id, "name": "By hook"},
                }
            ),
            headers={
                "X-Sync-Secret": secret,
                "X-Event-Id": f"e-{external_id}",
                "Content-Type": "application/json",
            },
        )

    def test_the_secret_of_the_trials_is_refused_once_live(self):
        system = self.onboarding.system_id
        system.inbound_strategy = "shared_secret"
        trial = system._set_inbound_secret()
        self.assertEqual(self.hook(trial, "C-7").status_code, 202)
        self.fulfil()
        shown = self.go_live()["context"]
        live = shown["default_secret"]
        self.assertTrue(shown["default_key"].startswith("sgk_"))
        self.assertEqual(self.hook(trial, "C-8").status_code, 401)
        self.assertEqual(self.hook(live, "C-9").status_code, 202)
        calls = self.env["sync.request"].search(
            [("system_id", "=", system.id), ("kind", "=", "hook")], order="id"
        )
        marks = {call.event_id: call.sandbox for call in calls}
        self.assertEqual((marks["e-C-7"], marks["e-C-9"]), (True, False))

    def test_a_secret_that_the_partner_makes_is_asked_for(self):
        system = self.onboarding.system_id.with_user(self.manager)
        system.inbound_strategy = "shopify"
        system.inbound_secret = "trial secret of the shop"
        self.fulfil()
        self.assertFalse(self.go_live()["context"]["default_secret"])
        self.assertFalse(system._secrets(PURPOSE_INBOUND))
        system.inbound_secret = "live secret of the shop"
        self.assertEqual(
            [secret._reveal() for secret in system._secrets(PURPOSE_INBOUND)],
            ["live secret of the shop"],
        )
        system.invalidate_recordset()
        self.assertFalse(system.read(["inbound_secret"])[0]["inbound_secret"])

    def test_hook_of_a_system_under_trial_is_marked(self):
        system = self.onboarding.system_id
        system.inbound_strategy = "shared_secret"
        secret = system._set_inbound_secret()
        answer = self.hook(secret, "C-8")
        self.assertEqual(answer.status_code, 202, answer.text)
        call = self.env["sync.request"].search([("system_id", "=", system.id)], limit=1)
        self.assertTrue(call.sandbox)
        call._process_hook()
        self.assertEqual(
            (call.state, call.resource, call.operation, call.external_id),
            ("applied", "customers", "create", "C-8"),
        )
        received = self.env["sync.onboarding.item"].new(
            {"check": "hook_received", "onboarding_id": self.onboarding.id}
        )
        self.assertTrue(self.env["sync.onboarding.proof"]._of(received).holds)
        self.onboarding._refresh()
        self.assertEqual(self.item("request", "customers.create").state, "done")
