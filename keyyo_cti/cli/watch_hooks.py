"""``keyyo-cti watch --run`` and ``--post``: a command or a webhook for the events of calls."""

import argparse
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from .._display.names import Names
from .._hooks.commands import CommandRunner, split_command
from .._hooks.events import EVENTS, EventReader, HookEvent
from .._hooks.failure_log import FailureLog
from .._hooks.forms import FORMS, Form, make_standard
from .._hooks.signatures import parse_keys
from .._hooks.webhook import Webhook, check_url
from .._net.clock import monotonic
from ..call import Call
from ..catch_up import CaughtUp
from .exit_codes import UsageError
from .parser import WHY_NO_ARGUMENT
from .session_config import check_permissions
from .terminal import Terminal, escape
from .watch_session import WatchSession

SECRET_VARIABLE = "KEYYO_WEBHOOK_SECRET"

#: Seconds that the end of the watch may wait for commands and posts.
DRAIN_TIMEOUT = 2.0

#: Seconds of a command, unless --run-timeout says otherwise.
_RUN_TIMEOUT = 30.0
_MAX_RUN_TIMEOUT = 86_400.0

#: File descriptor of stderr.
_STDERR = 2


class HookOptions(NamedTuple):
    """What the command line asks for, checked.

    :ivar words: the command of ``--run``; None without it.
    :ivar url: the URL of ``--post``; None without it.
    :ivar warnings: messages for a person.
    """

    events: Sequence[str]
    words: Optional[List[str]]
    run_timeout: float
    url: Optional[str]
    form: Form
    keys: List[bytes]
    ca_certs: Optional[str]
    warnings: List[str]


def add_hooks(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    group = parser.add_argument_group("events of calls")
    group.add_argument(
        "--on",
        nargs="+",
        action="extend",
        choices=EVENTS,
        metavar="EVENT",
        help=f"the events, of {', '.join(EVENTS)}; by default all",
    )
    group.add_argument(
        "--run",
        metavar="COMMAND",
        help="run a command for each event, without a shell; the call is in its environment, in "
        "KEYYO_EVENT, KEYYO_CALLER, KEYYO_NAME and others",
    )
    group.add_argument(
        "--run-timeout",
        type=float,
        metavar="SECONDS",
        help=f"end the command after so many seconds; by default {_RUN_TIMEOUT:g}",
    )
    group.add_argument(
        "--post",
        metavar="URL",
        help="post each event to a URL as JSON; @FILE reads the URL from the first line of a file",
    )
    group.add_argument(
        "--post-secret-file",
        metavar="FILE",
        help="sign the posts with the secret in this file, or else in the environment variable "
        f"{SECRET_VARIABLE}; there is no argument for it, {WHY_NO_ARGUMENT}",
    )
    group.add_argument(
        "--as",
        dest="form",
        choices=sorted(FORMS),
        help="post what this service would, which a CRM may take already",
    )


def read_hook_options(arguments: argparse.Namespace) -> Optional[HookOptions]:
    """Return the options, or None if neither a command nor a webhook is wanted.

    :raises UsageError: an option is wrong.
    """
    _check_combination(arguments)
    if arguments.run is None and arguments.post is None:
        return None
    warnings: List[str] = []
    url, keys = None, []
    if arguments.post is not None:
        url = _read_url(arguments.post, arguments.allow_http)
        keys = _read_keys(arguments.post_secret_file, warnings)
        if not keys and arguments.form is None:
            warnings.append(f"posts are not signed, because {SECRET_VARIABLE} is not set")
    return HookOptions(
        events=arguments.on or EVENTS,
        words=None if arguments.run is None else _read_command(arguments.run),
        run_timeout=arguments.run_timeout or _RUN_TIMEOUT,
        url=url,
        form=FORMS[arguments.form] if arguments.form else make_standard,
        keys=keys,
        ca_certs=arguments.ca_certs,
        warnings=warnings,
    )


@contextmanager
def attach_hooks(
    options: Optional[HookOptions],
    session: WatchSession,
    err: Terminal,
    names: Optional[Names] = None,
) -> Iterator[None]:
    """Run commands and post webhooks for the calls of a session, during the block.

    Its end waits at most ``DRAIN_TIMEOUT`` for those under way, and then ends them.

    :param names: a directory.
    """
    if options is None:
        yield
        return
    failures = FailureLog(lambda message: session.print_status(escape(message)))
    hooks = _make_hooks(options, failures, _find_output(session, err))
    reader = EventReader(options.events, names)
    for warning in options.warnings:
        session.print_status(warning)
    with _end_by_signals(hooks):
        timeout = 0.0
        try:
            with _follow(session, reader, hooks):
                yield
            timeout = DRAIN_TIMEOUT
        finally:
            _close(hooks, monotonic() + timeout)
            failures.summarize()


@contextmanager
def _follow(session: WatchSession, reader: EventReader, hooks: Sequence[Any]) -> Iterator[None]:
    """Pass the events of calls to the hooks during the block."""

    def send(event: HookEvent) -> None:
        for hook in hooks:
            hook.receive(event)

    def on_call(call: Call) -> None:
        event = reader.read(call)
        if event is not None:
            send(event)

    def on_caught_up(caught_up: CaughtUp) -> None:
        for event in reader.read_history(caught_up):
            send(event)

    session.cti.on("newCall", on_call)
    session.cti.on("caughtUp", on_caught_up)
    try:
        yield
    finally:
        session.cti.off("newCall", on_call)
        session.cti.off("caughtUp", on_caught_up)


def _make_hooks(options: HookOptions, failures: FailureLog, output: Optional[int]) -> List[Any]:
    hooks: List[Any] = []
    if options.words is not None:
        hooks.append(CommandRunner(options.words, options.run_timeout, output, failures))
    if options.url is not None:
        hooks.append(Webhook(options.url, options.form, options.keys, options.ca_certs, failures))
    return hooks


def _find_output(session: WatchSession, err: Terminal) -> Optional[int]:
    """Return the file descriptor for the output of commands, which must not break a table."""
    try:
        os.fstat(_STDERR)
    except OSError:
        return None
    return None if session.draws and err.is_terminal else _STDERR


def _close(hooks: Sequence[Any], until: float) -> None:
    try:
        for hook in hooks:
            hook.close(until)
    finally:
        # After a second Ctrl-C too.
        _kill_commands(hooks)


def _kill_commands(hooks: Sequence[Any]) -> None:
    for hook in hooks:
        if isinstance(hook, CommandRunner):
            hook.kill()


@contextmanager
def _end_by_signals(hooks: Sequence[Any]) -> Iterator[None]:
    """End the commands when a signal ends this process, which would leave them behind."""
    is_main = threading.current_thread() is threading.main_thread()
    old: Dict[int, Any] = {}

    def on_signal(number: int, frame: object) -> None:
        _kill_commands(hooks)
        signal.signal(number, old[number])
        os.kill(os.getpid(), number)

    for name in ("SIGTERM", "SIGHUP") if is_main and sys.platform != "win32" else ():
        number = getattr(signal, name)
        # A signal that is ignored, as SIGHUP below nohup, stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            old[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _check_combination(arguments: argparse.Namespace) -> None:
    needs = {
        "--run": ("run", ("run_timeout",)),
        "--post": ("post", ("post_secret_file", "form")),
    }
    for option, (name, others) in needs.items():
        for other in others:
            if getattr(arguments, name) is None and getattr(arguments, other) is not None:
                given = "--as" if other == "form" else f"--{other.replace('_', '-')}"
                raise UsageError(f"{given} needs {option}")
    if arguments.on and arguments.run is None and arguments.post is None:
        raise UsageError("--on needs --run or --post, which say what to do")
    seconds = arguments.run_timeout
    if seconds is not None and not 0 < seconds <= _MAX_RUN_TIMEOUT:
        raise UsageError(f"--run-timeout: expected seconds above 0, at most {_MAX_RUN_TIMEOUT:g}")


def _read_command(text: str) -> List[str]:
    try:
        return split_command(text)
    except ValueError as error:
        raise UsageError(f"--run: {error}") from error


def _read_url(text: str, allow_http: bool) -> str:
    if text.startswith("@"):
        text = _read_file(text[1:], "--post").partition("\n")[0].strip()
    try:
        return check_url(text, allow_http)
    except ValueError as error:
        raise UsageError(f"--post: {error}") from None


def _read_keys(name: Optional[str], warnings: List[str]) -> List[bytes]:
    source = SECRET_VARIABLE if name is None else f"the secret in {name}"
    text = os.environ.get(SECRET_VARIABLE, "") if name is None else _read_file(name, "secret")
    if name is None and not text.strip():
        return []
    if name is not None:
        with open(name, "rb") as file:
            warning = check_permissions(name, file.fileno(), "file of the secret")
        warnings += filter(None, [warning])
    try:
        return parse_keys(text)
    except ValueError as error:
        # Without a cause: an error of the decoder could show the secret.
        raise UsageError(f"{source}: {error}") from None


def _read_file(name: str, option: str) -> str:
    try:
        with open(name, encoding="utf-8") as file:
            return file.read(10_000)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{option}: {error}") from error
