"""What the server's administrator decides, and no user of the database."""

import configparser
import os

from odoo.tools import config

SECTION = "sync_governance"


def option(name: str, variable: str) -> str | None:
    """A setting of this server: the environment variable, else the option ``name`` in
    the section ``[sync_governance]`` of odoo.conf, else None."""
    if value := os.environ.get(variable):
        return value
    # odoo.tools.config reads the section [options] alone
    parser = configparser.RawConfigParser()
    parser.read([config["config"]] if config["config"] else [])
    return parser.get(SECTION, name, fallback=None)
