from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user

from ..tools.source import Channel


class OwnershipCase(TransactionCase):
    """Systems, people of every kind, and a shorthand that puts a policy in force.

    The fields under test are those every database has: a contact's.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        systems = cls.env["sync.system"]
        cls.odoo = cls.env.ref("sync_governance_base.system_odoo")
        cls.shop = systems.create({"name": "Shop", "code": "t_shop", "kind": "shop"})
        cls.finance = systems.create(
            {"name": "Finance", "code": "t_finance", "kind": "finance"}
        )
        cls.wms = systems.create({"name": "WMS", "code": "t_wms", "kind": "wms"})
        cls.account = cls.env["sync.service.account"]._create_for(cls.shop, "tests")
        cls.account.user_id.group_ids = [
            Command.link(cls.env.ref("base.group_partner_manager").id)
        ]
        cls.user = cls._new_user("t_user")
        cls.steward = cls._new_user(
            "t_steward", "sync_governance_base.group_sync_steward"
        )
        cls.manager = cls._new_user(
            "t_manager", "sync_governance_base.group_sync_integration_manager"
        )
        cls.viewer = cls._new_user("t_viewer", "sync_governance_base.group_sync_viewer")
        cls.partner = cls.env["res.partner"].create(
            {"name": "Ada", "phone": "1", "city": "Paris", "ref": "A-1"}
        )

    @classmethod
    def _new_user(cls, login, *groups):
        groups = ("base.group_user", "base.group_partner_manager", *groups)
        return new_test_user(cls.env, login, ",".join(groups))

    @classmethod
    def _policy(cls, owners, activate=True, model="res.partner", **values):
        """A policy, in force unless told otherwise.

        :param owners: the owner system, or a list of them by rank, for each field name
        """
        lines = []
        for name, ranked in owners.items():
            first, *others = ranked if isinstance(ranked, list) else [ranked]
            lines.append(
                Command.create(
                    {
                        "field_id": cls.env["ir.model.fields"]._get(model, name).id,
                        "owner_system_id": first.id if first else False,
                        "owner_ids": [
                            Command.create({"system_id": system.id, "sequence": rank})
                            for rank, system in enumerate(others)
                        ],
                    }
                )
            )
        policy = cls.env["sync.policy"].create(
            {
                "name": "Contacts",
                "model_id": cls.env["ir.model"]._get_id(model),
                "line_ids": lines,
                **values,
            }
        )
        if activate:
            policy.action_activate()
        return policy

    def _hits(self, policy):
        """What was counted for the policy: outcome and channel by field."""
        self.env.cr.precommit.run()
        return [
            (hit.field_name, hit.channel, hit.outcome)
            for hit in self.env["sync.policy.hit"].search(
                [("policy_id", "=", policy.id)]
            )
        ]

    def _as(self, system, **values):
        """The partner, written by a system."""
        source = system._as_source(channel=Channel.INBOUND, **values)
        return self.partner.with_user(self.user).with_context(sync_source=source)
