"""``keyyo-cti watch``: the calls of a line as they change."""

import argparse
import importlib.util

from .._display.extras import install_hint
from .account_names import add_names, make_names
from .call_printer import CallPrinter
from .invocation import name_program
from .parser import TOKEN_SOURCES, add_json, add_session
from .record_printer import make_printer
from .session_config import make_session_config
from .terminal import Terminal
from .watch_catch_up import add_catch_up
from .watch_hooks import add_hooks, attach_hooks, read_hook_options
from .watch_session import HEALTH_KEY, LineWatch, WatchSession


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        f"The table is for a terminal, and needs the extra: {_make_hint()}. Without "
        f"it, and into a pipe, there is one line per change. On a terminal, the key {HEALTH_KEY} "
        "shows the health of the connection; without the table, press Enter after it. Any other "
        f"key shows which keys there are.\n{TOKEN_SOURCES}"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NUMBER",
        help='another line of the organisation, or "callpark"; may be repeated',
    )
    add_names(parser)
    add_session(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--plain", action="store_true", help="print one line per change, also on a terminal"
    )
    add_json(form, "one object per change, one per line,")
    add_hooks(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    options = read_hook_options(arguments)
    session = _make_session(arguments, out, err)
    with attach_hooks(options, session, err, session.names):
        return session.run()


def _make_hint() -> str:
    return name_program(install_hint("terminal"))


def _make_session(
    arguments: argparse.Namespace, out: Terminal, err: Terminal
) -> WatchSession:
    config = add_catch_up(make_session_config(arguments), arguments.also)
    names = make_names(arguments, config)
    # The lines of --debug would break a table.
    is_plain = arguments.plain or arguments.json or arguments.debug
    wants_table = out.can_redraw and not is_plain
    has_rich = importlib.util.find_spec("rich") is not None
    if wants_table and not has_rich:
        err.print_line(f"no table, because rich is missing: {_make_hint()}")
    if not (wants_table and has_rich):
        printer = CallPrinter(out, arguments.json, names)
        print_record = make_printer(out, "json" if arguments.json else None, names)
        return LineWatch(config, arguments.also, printer, print_record, err, names)
    # Imported late, because it needs an extra.
    from .live_watch import LiveWatch

    return LiveWatch(config, arguments.also, out, err, names)
