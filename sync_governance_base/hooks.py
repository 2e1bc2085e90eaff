def uninstall_hook(env):
    """Drop the function behind the audit log's triggers, unknown to the ORM."""
    env.cr.execute("DROP FUNCTION IF EXISTS sync_audit_refuse() CASCADE")
