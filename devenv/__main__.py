"""The command line; the Makefile is a thin list of shortcuts to it."""

import argparse
import sys

from . import odoo_source, postgres, runner, system, virtualenv
from .console import Problem
from .settings import VARIABLES, Settings


def main():
    """Run one subcommand; a Problem is one sentence, not a traceback."""
    options = _parser().parse_args()
    try:
        return options.call(Settings.from_environment(), options)
    except Problem as problem:
        print(f"\nERROR: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130


def setup(settings):
    """Bring the machine to where Odoo can run; return where Odoo is."""
    settings.state.mkdir(parents=True, exist_ok=True)
    system.ensure(settings)
    source = odoo_source.ensure(settings)
    virtualenv.ensure(settings, source)
    return source


def do_setup(settings, _options):
    """system packages, Odoo, virtual environment, PostgreSQL"""
    setup(settings)
    with postgres.running(settings):
        return 0


def do_test(settings, options):
    """run the tests"""
    source = setup(settings)
    return runner.run(
        settings, source, options.target, options.arguments, options.record
    )


def _parser():
    table = "\n".join(
        f"  {name:18} {meaning} (default: {default or 'empty'})"
        for name, (default, meaning) in VARIABLES.items()
    )
    parser = argparse.ArgumentParser(
        prog="python3 -m devenv",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"environment variables:\n{table}",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, call):
        sub = commands.add_parser(name, help=call.__doc__)
        sub.set_defaults(call=call)
        return sub

    command("setup", do_setup)
    test = command("test", do_test)
    test.add_argument("target", nargs="?", default="", help="module or path[::node]")
    test.add_argument("--arguments", default="", help="more arguments for pytest")
    test.add_argument("--record", action="store_true", help="raise the counts file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
