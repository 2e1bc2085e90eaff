from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

MODULE = "sync_governance_base"


@tagged("post_install", "-at_install")
class TestControlTower(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.viewer = new_test_user(
            cls.env, "tower.viewer", groups=f"{MODULE}.group_sync_viewer"
        )
        cls.tower = cls.env["sync.control.tower"].with_user(cls.viewer)

    def _tile(self, key):
        return next(
            tile for tile in self.tower.get_overview()["tiles"] if tile["key"] == key
        )

    def test_every_number_opens_a_list_that_holds_as_many(self):
        self.env["sync.issue"]._raise(
            "tower:1", "Late", "feed.late", value_at_risk=1200
        )
        tile = self._tile("issues")
        action = self.env["ir.actions.act_window"]._for_xml_id(tile["action"]["xmlid"])
        model = self.env[action["res_model"]].with_user(self.viewer)
        self.assertEqual(model.search_count(tile["action"]["domain"]), tile["value"])
        self.assertEqual(tile["level"], "warning")
        self.assertIn("at risk", tile["subtitle"])
        for other in self.tower.get_overview()["tiles"]:
            self.assertIn(other["level"], ("ok", "warning", "danger", "muted"))
            self.assertTrue(self.env.ref(other["action"]["xmlid"]))

    def test_systems_carry_their_open_issues(self):
        system = self.env["sync.system"].create(
            {"name": "Tower WMS", "code": "tower_wms", "kind": "wms"}
        )
        overview = self.tower.get_overview()
        self.assertIsNone(overview["next_step"])
        row = next(row for row in overview["systems"] if row["id"] == system.id)
        self.assertEqual((row["level"], row["state"]), ("ok", "draft"))
        self.env["sync.issue"]._raise("tower:2", "Late", "feed.late", system=system)
        row = next(
            row
            for row in self.tower.get_overview()["systems"]
            if row["id"] == system.id
        )
        self.assertEqual((row["level"], row["figures"][0]["value"]), ("danger", 1))

    def test_an_empty_suite_tells_the_next_step(self):
        self.env["sync.system"].search([("kind", "!=", "odoo")]).kind = "odoo"
        overview = self.tower.get_overview()
        self.assertEqual(overview["systems"], [])
        self.assertTrue(self.env.ref(overview["next_step"]["action"]["xmlid"]))

    def test_only_users_of_the_suite_see_it(self):
        stranger = new_test_user(self.env, "tower.stranger")
        with self.assertRaises(AccessError):
            self.tower.with_user(stranger).get_overview()
        auditor = new_test_user(
            self.env, "tower.auditor", groups=f"{MODULE}.group_sync_auditor"
        )
        self.assertTrue(self.tower.with_user(auditor).get_overview()["tiles"])

    def test_refresh_is_sent_once_a_transaction(self):
        data = self.env.cr.precommit.data
        data.pop("sync_governance/refresh", None)
        before = len(data.get("bus.bus.values", []))
        self.tower._notify()
        self.tower._notify()
        sent = data["bus.bus.values"][before:]
        self.assertEqual(len(sent), 1)
        group = self.env.ref(f"{MODULE}.group_sync_viewer")
        self.assertIn(f'"res.groups",{group.id}', sent[0]["channel"])
