# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import TransactionCase, new_test_user

from ..tools.types import Evidence, Group, PairScore


class DedupCase(TransactionCase):
    """Groups made by hand: what the engine finds is tested with the engine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.rule = cls.env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
        cls.Group = cls.env["sync.duplicate.group"]
        cls.Partner = cls.env["res.partner"]
        cls.steward = new_test_user(
            cls.env,
            login="dedup_steward",
            groups="base.group_user,sync_governance_base.group_sync_steward",
        )
        cls.shop = cls.env["sync.system"].create({"name": "Shop", "code": "dedup_shop"})
        cls.wms = cls.env["sync.system"].create({"name": "WMS", "code": "dedup_wms"})

    @classmethod
    def partners(cls, *names, **values):
        return cls.Partner.create([dict(values, name=name) for name in names])

    @classmethod
    def found(cls, records, probability=0.97):
        """What the engine would return for these records."""
        ids = sorted(records.ids)
        evidence = (
            Evidence("name", "equal", 9.5, "Ann Miller", "Anne Miller"),
            Evidence("prior", "prior", -14.0),
        )
        if probability > 0.995:  # the safe band asks for more than a high score
            evidence += (Evidence("email", "equal", 9), Evidence("phone", "equal", 9))
        pairs = tuple(
            PairScore(left, right, probability, -4.5, evidence)
            for place, left in enumerate(ids)
            for right in ids[place + 1 :]
        )
        return Group(tuple(ids), probability, pairs)

    @classmethod
    def group_of(cls, records, probability=0.97):
        return cls.Group._suggest(cls.rule, [cls.found(records, probability)])

    def as_steward(self, record):
        return record.with_user(self.steward)
