{
    "name": "Sync Governance Connectors",
    "summary": "Governed REST API, credentials, idempotency and mappings for partners",
    "version": "19.0.1.0.0",
    "category": "Productivity/Sync Governance",
    "website": "https://github.com/sync-governance/sync-governance-odoo",
    "author": "Sync Governance contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "maintainers": [],
    "depends": [
        "sync_governance_base",
        "sync_governance_webhooks",
        "sync_governance_dedup",
        "sale_stock",
        "account",
    ],
    "external_dependencies": {"python": ["jsonschema"]},
    "data": [
        "security/ir.model.access.csv",
    ],
    "demo": [],
    "installable": True,
}
