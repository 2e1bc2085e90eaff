"""The command line; the Makefile is a thin list of shortcuts to it."""

import argparse
import shutil
import signal
import subprocess
import sys

from . import bench, lint, odoo_source, postgres, runner, system, virtualenv
from .console import Problem
from .demo import Demo
from .server import Odoo
from .settings import VARIABLES, Settings

# folders of the state folder that "clean" deletes; others' files may be there too
MADE = ("conf", "demo", "log", "node", "odoo", "odoo-data", "venv", "worlds", "locks")


def main():
    """Run one subcommand; a Problem is one sentence, not a traceback."""
    options = _parser().parse_args()
    # a polite kill leaves as little behind as Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
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
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"{error}: set SG_STATE_DIR to a folder you may write."
        ) from error
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


def do_demo(settings, _options):
    """start the demo in the foreground, and play its story"""
    demo = Demo(settings)
    demo.up(setup(settings), quiet=False)
    demo.stay()
    return 0


def do_up(settings, _options):
    """start the demo in the background"""
    Demo(settings).up(setup(settings))
    return 0


def do_down(settings, _options):
    """stop the demo that up has started"""
    Demo(settings).down()
    return 0


def do_lint(settings, _options):
    """run the linters"""
    setup(settings)
    return lint.check(settings)


def do_format(settings, _options):
    """let the formatters rewrite what they can"""
    setup(settings)
    return lint.rewrite(settings)


def do_bench(settings, options):
    """run one script of benchmarks/"""
    return bench.run(settings, setup(settings), options.name, options.arguments)


def do_shell(settings, _options):
    """open odoo shell on the demo database"""
    source = setup(settings)
    with postgres.running(settings) as cluster:
        odoo = Odoo(settings, source, cluster, settings.database)
        command = odoo.command("shell", "--config", str(odoo.config), "--no-http")
        return subprocess.call(command, env=odoo.environment)


def do_clean(settings, _options):
    """stop the demo and delete all that this package made"""
    Demo(settings).down()
    postgres.remove(settings)
    for name in MADE:
        shutil.rmtree(settings.state / name, ignore_errors=True)
    return 0


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
    command("demo", do_demo)
    command("up", do_up)
    command("down", do_down)
    command("lint", do_lint)
    command("format", do_format)
    command("shell", do_shell)
    command("clean", do_clean)
    bench_command = command("bench", do_bench)
    bench_command.add_argument("name", help="script of benchmarks/, without .py")
    bench_command.add_argument("--arguments", default="", help="the script's own")
    test = command("test", do_test)
    test.add_argument("target", nargs="?", default="", help="module or path[::node]")
    test.add_argument("--arguments", default="", help="more arguments for pytest")
    test.add_argument("--record", action="store_true", help="raise the counts file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
