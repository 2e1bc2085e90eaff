{
    "name": "Sync Governance: Duplicates",
    "summary": "One customer once: matching, steward desk,"
    " merge with survivorship and undo",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Productivity/Sync Governance",
    "website": "https://github.com/sync-governance/sync-governance-odoo",
    "author": "Sync Governance contributors",
    "license": "LGPL-3",
    "depends": ["sync_governance_base", "base_import", "contacts", "phone_validation"],
    "external_dependencies": {
        "python": ["numpy", "phonenumbers", "python-stdnum", "rapidfuzz"],
    },
    "data": [
        "security/res_groups.xml",
        "security/ir.model.access.csv",
        "security/ir_rule.xml",
        "data/queue_job.xml",
        "data/sync_duplicate_rule.xml",
        "data/ir_cron.xml",
        "views/sync_duplicate_group_views.xml",
        "views/sync_duplicate_prevention_views.xml",
        "views/sync_duplicate_rule_views.xml",
        "views/sync_duplicate_scan_views.xml",
        "views/sync_merge_journal_views.xml",
        "views/sync_merge_band_views.xml",
        "views/res_partner_views.xml",
        "views/menus.xml",
    ],
    "assets": {
        "web.assets_backend": ["sync_governance_dedup/static/src/**/*"],
    },
}
