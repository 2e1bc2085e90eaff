"""Opens the doors for the story's outside systems, inside Odoo.

Systems, domains and policies come as demo data. Keys and secrets are made here, at run
time, by the same methods that the backend's buttons call; they leave Odoo once, in
what :func:`provision` returns.
"""

from contextlib import contextmanager

# what each system may do, what it is told, how soon a failed delivery is tried again
SCOPES = {
    "shop": ("customer:*", "order:*", "product:read", "stock:read", "shipment:read"),
    "wms": ("order:read", "shipment:*", "stock:read", "product:read"),
    "carrier": ("shipment:*",),
    "finance": ("customer:*", "invoice:*", "payment:*"),
}
PATTERNS = {
    "shop": "customer.*,order.*,shipment.*",
    "wms": "order.*,shipment.*",
    "carrier": "shipment.*",
    "finance": "customer.*,invoice.*,payment.*",
}
RETRY_SCHEDULE = "0,1,2,5,10"
LOOPBACK = "127.0.0.0/8"


@contextmanager
def environment(config, database):
    """An Odoo environment of the superuser; commits if the block ends well."""
    import odoo.modules.registry
    from odoo import SUPERUSER_ID, api, tools

    tools.config.parse_config(["--config", config, "--no-http", "--log-level", "warn"])
    registry = odoo.modules.registry.Registry(database)
    with registry.cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
    registry.signal_changes()


def provision(env, receiver_url):
    """Give every system a key, a subscription and its secrets.

    :return: ``{system code: {"token", "webhook_secret"[, "hook_secret"]}}``
    """
    # receivers of the demo live on loopback, which the product refuses by default
    env["ir.config_parameter"].set_param("sync_governance.allowed_networks", LOOPBACK)
    systems = env["sync.system"].search([("code", "in", list(SCOPES))])
    return {system.code: _open_doors(env, system, receiver_url) for system in systems}


def _open_doors(env, system, receiver_url):
    account = system.service_account_ids[:1] or env["sync.service.account"]._create_for(
        system, f"The story's {system.name}"
    )
    _credential, token = env["sync.credential"]._issue(account, SCOPES[system.code])
    doors = {"token": token, "webhook_secret": _subscribe(env, system, receiver_url)}
    if system.code == "carrier":
        system._secrets()._revoke("The story begins anew.")
        doors["hook_secret"] = system._set_inbound_secret()
    return doors


def _subscribe(env, system, receiver_url):
    """Replace the story's subscription of the system; return the new signing secret."""
    earlier = env["sync.subscription"].search([("system_id", "=", system.id)])
    earlier.action_disable()
    earlier.unlink()
    subscription = env["sync.subscription"].create(
        {
            "name": f"{system.name}: what it is told",
            "system_id": system.id,
            "url": f"{receiver_url}/{system.code}",
            "patterns": PATTERNS[system.code],
            "retry_schedule": RETRY_SCHEDULE,
            "ordered": True,
        }
    )
    secret = subscription._rotate_secret()
    subscription.action_activate()
    return secret
