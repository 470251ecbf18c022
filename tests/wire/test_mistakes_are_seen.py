"""A mistake in a program's own function reaches stderr, if it reaches nothing else."""

from __future__ import annotations

import gc
import io
import logging
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

from keyyo_cti import CTI, Backoff
from keyyo_cti.account import Account
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import OAuth2
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.token_file import TokenFile

from ..helpers.probe import PATIENCE, Record, eventually
from ..helpers.running import Running
from .occasions import OCCASIONS, Handler, scene

#: The last line of the traceback.
LAST = "ValueError: a slip"

_log = logging.getLogger("keyyo_cti")

Unconfigured = Callable[[], logging.Logger]

Act = Callable[[Simulator, Line, Handler, Dict[str, Any]], CTI]


@pytest.fixture
def levels() -> Iterator[Callable[[], None]]:
    """Makes logging forget which levels are on. It remembers them for each logger; the tests
    after this one would find the SDK's log disabled."""

    def forget() -> None:
        _log.setLevel(_log.level)

    yield forget
    forget()


# The levels first, so that they are forgotten after monkeypatch has undone its changes.
@pytest.fixture
def unconfigured(
    levels: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], logging.Logger]:
    """Takes pytest's handlers away, which it adds just before the test; gives the root."""

    def take() -> logging.Logger:
        root = logging.getLogger()
        monkeypatch.setattr(root, "handlers", [])
        monkeypatch.setattr(_log, "handlers", [logging.NullHandler()])
        return root

    return take


class Slip:
    """A function of the program with a mistake."""

    def __init__(self) -> None:
        self.called = Record()

    def __call__(self, *arguments: Any) -> Any:
        self.called.add(arguments)
        raise ValueError("a slip")


def _connected(sim: Simulator, alice: Line, options: Dict[str, Any]) -> CTI:
    cti = CTI(endpoint=sim.endpoint, cookie_auto=False, **options)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    return cti


def _on_occasion(occasion: str) -> Act:
    def act(sim: Simulator, alice: Line, slip: Handler, options: Dict[str, Any]) -> CTI:
        where = scene(sim, alice, occasion)
        OCCASIONS[occasion](where, slip)
        return where.cti

    return act


def _may_dial(sim: Simulator, alice: Line, slip: Handler, options: Dict[str, Any]) -> CTI:
    cti = CTI(cookie_auto=False, may_dial=slip, **options)
    cti.dial("33199020000").exception(PATIENCE)
    return cti


def _token_provider(sim: Simulator, alice: Line, slip: Handler, options: Dict[str, Any]) -> CTI:
    backoff = Backoff(first=0.01, longest=0.01)
    cti = _connected(sim, alice, {"token_provider": slip, "backoff": backoff, **options})
    sim.faults.drop()
    return cti


def _dispatch(sim: Simulator, alice: Line, slip: Handler, options: Dict[str, Any]) -> CTI:
    work: List[Callable[[], None]] = []

    def dispatch(piece: Callable[[], None]) -> None:
        work.append(piece)
        if len(work) == 1:
            slip()
        piece()

    cti = _connected(sim, alice, {"dispatch": dispatch})
    cti.ping(print)
    return cti


ACTS: Dict[str, Act] = {
    **{occasion: _on_occasion(occasion) for occasion in OCCASIONS},
    "may_dial": _may_dial,
    "token_provider": _token_provider,
    "dispatch": _dispatch,
}

#: Those of whose exceptions no handler of ``error`` can be told.
UNTOLD = ("unreadable", "handler that raises", "dispatch")


def finish(cti: CTI, slip: Slip) -> None:
    slip.called.wait_for_count(1)
    cti.close()


@pytest.mark.parametrize("kind", ACTS)
def test_traceback_is_printed_once(
    sim: Simulator,
    alice: Line,
    unconfigured: Unconfigured,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    unconfigured()
    slip = Slip()
    finish(ACTS[kind](sim, alice, slip, {}), slip)
    err = capsys.readouterr().err
    assert err.splitlines().count(LAST) == 1
    assert "keyyo_cti: ValueError in " in err and "Traceback (most recent call last):" in err
    assert "in __call__" in err


@pytest.mark.parametrize("kind", [kind for kind in ACTS if kind not in UNTOLD])
def test_handler_of_error_gets_it_instead(
    sim: Simulator,
    alice: Line,
    unconfigured: Unconfigured,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    unconfigured()
    slip, told = Slip(), Record()
    monkeypatch.setattr(CTI, "onError", lambda cti, error: told.add(error))
    monkeypatch.setitem(CTI._holders, "error", "onError")
    cti = ACTS[kind](sim, alice, slip, {})
    assert str(told.wait_for_count(1)[0]) == "a slip"
    finish(cti, slip)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", ACTS)
def test_log_gets_it_instead_once(
    sim: Simulator,
    alice: Line,
    unconfigured: Unconfigured,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    unconfigured()
    slip, records = Slip(), Record()
    handler = logging.Handler(logging.ERROR)
    setattr(handler, "emit", records.add)
    _log.addHandler(handler)
    try:
        finish(ACTS[kind](sim, alice, slip, {}), slip)
    finally:
        _log.removeHandler(handler)
    found = [each for each in records.items if str(each.exc_info[1]) == "a slip"]
    assert len(found) == 1 and found[0].getMessage().startswith("ValueError in ")
    assert capsys.readouterr().err == ""


def test_handler_of_error_is_not_told_of_its_own_exception(
    unconfigured: Unconfigured, capsys: pytest.CaptureFixture[str]
) -> None:
    unconfigured()
    slip = Slip()
    cti = CTI(cookie_auto=False, may_dial=lambda number: 1 // 0, dispatch="manual")
    cti.on("error", slip)
    cti.dial("33199020000")
    while cti.poll():
        pass
    assert len(slip.called.items) == 1
    assert capsys.readouterr().err.splitlines().count(LAST) == 1


@pytest.mark.parametrize("by", ["callback", "done callback"])
@pytest.mark.parametrize("client", ["Account", "Manager", "OAuth2"])
def test_callback_of_a_web_client(
    sim: Simulator,
    tmp_path: Path,
    unconfigured: Unconfigured,
    capsys: pytest.CaptureFixture[str],
    client: str,
    by: str,
) -> None:
    unconfigured()
    slip = Slip()
    with OAuth2("i", "s", "http://127.0.0.1/", token_url=sim.token_url) as oauth2:
        account = Account(oauth2, TokenFile(oauth2, tmp_path / "tokens"))
        manager = Manager(account, sim.manager_url)
        asks: Dict[str, Callable[..., Any]] = {
            "Account": account.access_token,
            "Manager": manager.lines,
            "OAuth2": lambda *callback: oauth2.exchange("code", *callback),
        }
        if by == "callback":
            asks[client](slip)
        else:
            asks[client]().add_done_callback(slip)
        for each in (account, manager, oauth2):
            assert each.wait(PATIENCE)
        slip.called.wait_for_count(1)
        for each in (account, manager, oauth2):
            each.close()
    assert capsys.readouterr().err.splitlines().count(LAST) == 1


class Broken(io.StringIO):
    """A stderr that cannot be written to."""

    def write(self, text: str) -> int:
        raise OSError("no space left")


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stderr", [None, Broken(), _closed(), object()])
def test_stderr_that_cannot_be_written_to_stops_nothing(
    sim: Simulator,
    alice: Line,
    unconfigured: Unconfigured,
    monkeypatch: pytest.MonkeyPatch,
    stderr: Any,
) -> None:
    unconfigured()
    monkeypatch.setattr(sys, "stderr", stderr)
    with _connected(sim, alice, {}) as cti:
        slip, done = Slip(), threading.Event()
        cti.ping(slip)
        cti.ping(lambda err, res: done.set())
        assert done.wait(PATIENCE) and slip.called.items


def test_no_secret_and_no_control_character_is_printed(
    sim: Simulator, alice: Line, unconfigured: Unconfigured, capsys: pytest.CaptureFixture[str]
) -> None:
    unconfigured()
    token = sim.token(alice)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        session = cti.create_session(token).result(PATIENCE)

        def slip(err: Any, res: Any) -> None:
            raise ValueError(f"{token} {session.session_id}\x1b[2J {token[:12]} a slip")

        cti.ping(slip).result(PATIENCE)
    err = capsys.readouterr().err
    assert "ValueError: <hidden> " in err and "a slip" in err and "\x1b" not in err
    for secret in (token, str(session.session_id)):
        assert secret[:12] not in err


#: How the root's handler, its level and the SDK's logger are set; and what is printed.
CONFIGURED: Dict[str, Tuple[Optional[logging.Handler], int, Dict[str, Any], bool]] = {
    "nothing": (None, 0, {}, True),
    "handler": (logging.StreamHandler(io.StringIO()), 0, {}, False),
    "handler of errors": (logging.StreamHandler(io.StringIO()), logging.ERROR, {}, False),
    "handler of what is critical": (logging.StreamHandler(), logging.CRITICAL, {}, True),
    "handler that discards": (logging.NullHandler(), 0, {}, True),
    "nothing propagates": (logging.StreamHandler(), 0, {"propagate": False}, True),
    "disabled": (logging.StreamHandler(), 0, {"disabled": True}, True),
    "level": (logging.StreamHandler(), 0, {"level": logging.CRITICAL}, False),
}


@pytest.mark.parametrize("how", CONFIGURED)
def test_printed_if_no_handler_of_the_log_gets_it(
    levels: Callable[[], None],
    unconfigured: Unconfigured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    root = unconfigured()
    handler, level, settings, printed = CONFIGURED[how]
    if handler is not None:
        handler.setLevel(level)
        root.addHandler(handler)
    for name, value in settings.items():
        monkeypatch.setattr(_log, name, value)
    levels()
    cti = CTI(cookie_auto=False, may_dial=Slip())
    cti.dial("33199020000").exception(PATIENCE)
    assert capsys.readouterr().err.splitlines().count(LAST) == printed


@pytest.mark.parametrize("last_resort", [True, False])
def test_printed_once_without_the_null_handler(
    unconfigured: Unconfigured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    last_resort: bool,
) -> None:
    """Without any handler, logging itself prints to stderr, unless that is turned off."""
    unconfigured()
    monkeypatch.setattr(_log, "handlers", [])
    if not last_resort:
        monkeypatch.setattr(logging, "lastResort", None)
    CTI(cookie_auto=False, may_dial=Slip()).dial("33199020000").exception(PATIENCE)
    assert capsys.readouterr().err.splitlines().count(LAST) == 1


PROGRAM = """
import sys
from keyyo_cti import Keyyo
cti = Keyyo.CTI({"endpoint": sys.argv[1]})
def on_new_call(call):
    print("call from", call.caler)
    cti.close()
cti.onNewCall = lambda call: (cti.destroy_session(), on_new_call(call))
cti.create_session(sys.argv[2], lambda err, res: cti.dial("33199020000"))
cti.wait()
"""


def test_slip_in_the_first_program_is_printed(sim: Simulator, alice: Line) -> None:
    with Running("-c", PROGRAM, sim.endpoint, sim.token(alice)) as program:
        assert program.end() == 0
        err = program.rest("err")
    assert sum("AttributeError: " in line for line in err) == 1, err
    assert 'line 6, in on_new_call' in "\n".join(err)


def test_error_is_seen_before_the_program_ends() -> None:
    """Before any session, no thread is waited for at the end of the program."""
    text = "from keyyo_cti import CTI; CTI(may_dial=lambda number: 1 // 0).dial('33199020000')"
    with Running("-c", text) as program:
        assert program.end() == 0
        err = program.rest("err")
    assert any(line.startswith("ZeroDivisionError: ") for line in err)
    assert "dial() failed: 403 " in err[-1]


COMMANDS: Dict[str, Callable[[CTI], object]] = {
    "create_session": lambda cti: cti.create_session("0" * 40),
    "restore_session": lambda cti: cti.restore_session("0" * 40),
    "dial": lambda cti: cti.dial("+33 1 99 02 00 00"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_refusal_that_nothing_asks_for_is_printed_at_once(
    sim: Simulator, command: str, unconfigured: Unconfigured, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not when the garbage collector runs next: a program that only waits makes no garbage."""
    unconfigured()
    printed = ""

    def is_printed() -> bool:
        nonlocal printed
        printed += capsys.readouterr().err
        return bool(printed)

    gc.collect()
    gc.disable()
    try:
        with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
            COMMANDS[command](cti)
            eventually(is_printed)
    finally:
        gc.enable()
    assert printed.startswith(f"keyyo_cti: {command}() failed: 400 ")
    assert printed.count("\n") == 1 and "result() was not called" in printed
