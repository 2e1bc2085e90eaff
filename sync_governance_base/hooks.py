def uninstall_hook(env):
    """Drop what the ORM does not know of: the function behind the audit log's triggers."""
    env.cr.execute("DROP FUNCTION IF EXISTS sync_audit_refuse() CASCADE")
