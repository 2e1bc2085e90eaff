"""How a machine gets Odoo 19, PostgreSQL, a running demo and a test run.

Standard library only: this package runs before any virtual environment exists.
One file per concern; ``python3 -m devenv --help`` lists what it can do.
"""
