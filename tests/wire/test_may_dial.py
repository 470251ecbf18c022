"""The option ``may_dial``: a number that it does not allow never leaves this machine."""

from __future__ import annotations

import re
import threading
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from keyyo_cti import CTI, ConnectionClosed, KeyyoError
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.probe import PATIENCE, Seen
from ..helpers.running import ROOT
from .conftest import websocket_only

pytestmark = [pytest.mark.fault(71), websocket_only, pytest.mark.usefixtures("transport")]

NUMBER = "33199030000"

ACTIONS: Dict[str, Callable[[CTI, Any], Any]] = {
    "call": lambda cti, callback: cti.dial(NUMBER, callback),
    "transfer_call": lambda cti, callback: cti.get_calls()[-1].transfer(
        "caller", NUMBER, callback),
    "supervised_transfer_call": lambda cti, callback: cti.get_calls()[-1].supervised_transfer(
        "caller", NUMBER, 30, callback),
}
every_action = pytest.mark.parametrize("action", ACTIONS)


class Guard:
    """A program that allows what the test says."""

    def __init__(self) -> None:
        self.answer: Any = True
        self.asked: List[str] = []
        self.threads: List[threading.Thread] = []

    def __call__(self, number: str) -> Any:
        self.asked.append(number)
        self.threads.append(threading.current_thread())
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture
def cti(sim: Simulator, alice: Line, bob: Phone, guard: Guard) -> Iterator[CTI]:
    """A connected CTI that talks to Bob."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False, may_dial=guard) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        seen = Seen(cti)
        bob.call(alice)
        seen.wait_for("setup")
        cti.get_calls()[0].answer().result(PATIENCE)
        yield cti


def refused(future: Any) -> KeyyoError:
    error = future.exception(PATIENCE)
    assert isinstance(error, KeyyoError)
    assert (error.status_code, error.error_code) == (403, "not_allowed")
    assert NUMBER in error.message
    return error


@every_action
@pytest.mark.parametrize("answer", [True, 1, "yes"])
def test_allowed_number_is_called(
    sim: Simulator, cti: CTI, guard: Guard, action: str, answer: Any
) -> None:
    """A number that is allowed goes out as it is, and is asked for once, in this thread."""
    guard.answer = answer
    ACTIONS[action](cti, None).result(PATIENCE)
    assert guard.asked == [NUMBER] and guard.threads == [threading.current_thread()]
    assert len(sim.received(action)) == 1


@every_action
@pytest.mark.parametrize(
    "answer", [False, None, 0, "", [], ValueError("oops"), KeyyoError(1, "x")]
)
def test_number_that_is_not_allowed(
    sim: Simulator, cti: CTI, guard: Guard, action: str, answer: Any
) -> None:
    """Nothing is sent, the callback gets 403 once, and what was raised is an error event."""
    seen = Seen(cti)
    guard.answer = answer
    error = refused(ACTIONS[action](cti, seen.callback("asked")))
    assert seen.wait_for("callback") == ("callback", "asked", error, None)
    if isinstance(answer, Exception):
        assert seen.wait_for("error") == ("error", answer)
        assert error.message.endswith(f"may_dial raised {type(answer).__name__}")
    cti.ping().result(PATIENCE)
    assert sim.received(action) == []


def test_raised_exception_is_logged(
    cti: CTI, guard: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    """What it raises is logged with its traceback, as what a handler raises is."""
    guard.answer = ValueError("oops")
    refused(cti.dial(NUMBER))
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.getMessage() == "ValueError in may_dial"
    assert record.exc_info and record.exc_info[1] is guard.answer


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3)])
def test_end_of_the_program(
    sim: Simulator, cti: CTI, guard: Guard, raised: BaseException
) -> None:
    """Ctrl-C and ``sys.exit()`` end the program from its main thread; in a handler they are
    errors. Nothing is sent."""
    guard.answer = raised
    with pytest.raises(type(raised)):
        cti.dial(NUMBER)
    seen = Seen(cti)
    answers: List[KeyyoError] = []
    cti.ping(lambda err, res: answers.append(refused(cti.dial(NUMBER))))
    assert seen.wait_for("error") == ("error", raised)
    assert sim.received("call") == [] and len(answers) == 1


def test_no_lock_is_held(cti: CTI, guard: Guard) -> None:
    """While it runs, another thread and the function itself use every part of the CTI."""
    done: List[Any] = []

    def elsewhere() -> None:
        done.append(cti.get_calls()[0].pause().exception(PATIENCE))
        done.append(cti.get_subscriptions().result(PATIENCE).numbers)

    def ask() -> bool:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(PATIENCE)
        done.append(cti.local_to_int("0199000001").result(PATIENCE))
        return False

    guard.answer = ask
    refused(cti.dial(NUMBER))
    assert len(done) == 3


def test_other_commands_are_not_asked_for(cti: CTI, guard: Guard) -> None:
    """Only what calls a number is asked for, and only after its arguments were checked."""
    guard.answer = False
    cti.subscribe("callpark").result(PATIENCE)
    cti.local_to_int("0199000001").result(PATIENCE)
    wrong: Any = None
    side: Any = "nobody"
    for future in (cti.dial(""), cti.dial(wrong), cti.get_calls()[0].transfer(side, NUMBER)):
        error = future.exception(PATIENCE)
        assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
    assert guard.asked == []


def test_without_a_connection(guard: Guard) -> None:
    """It is asked without a connection too, and the answer is the same."""
    guard.answer = False
    with CTI(cookie_auto=False, may_dial=guard) as cti:
        refused(cti.dial(NUMBER))


def test_coroutines(guard: Guard) -> None:
    """A coroutine would be true whatever it said: the function is refused when it is set, and
    one that only returns a coroutine allows nothing."""

    async def always(number: str = "") -> bool:
        return False

    class Asynchronous:
        async def __call__(self, number: str) -> bool:
            return False

    mistakes: Tuple[Any, ...] = (always, Asynchronous(), "33", 5)
    for function in mistakes:
        with pytest.raises(TypeError, match="may_dial: expected a function"):
            CTI(cookie_auto=False, may_dial=function)
    guard.answer = always
    with CTI(cookie_auto=False, may_dial=guard) as cti:
        error = refused(cti.dial(NUMBER))
    assert error.message.endswith("may_dial raised TypeError")


def test_example_of_the_guide() -> None:
    """The guide's own pattern lets no premium number and no other country through."""
    guide = (ROOT / "docs" / "guides" / "your-own-line.md").read_text("utf-8")
    (pattern,) = re.findall(r'may_dial=re\.compile\(r"(.*?)"\)\.fullmatch', guide)
    may_dial = re.compile(pattern).fullmatch
    with CTI(cookie_auto=False, may_dial=may_dial) as cti:
        for number in ("33199030000", "33612345678", "7701"):
            error = cti.dial(number).exception(PATIENCE)
            assert isinstance(error, ConnectionClosed)
        for number in (
            "33899000000", "0033899000000", "+33899000000", "4412345678", "004412345678", "3617",
            "118", "33199030000 ", "33199030000\n", "\u0663\u0663199030000",
        ):
            error = cti.dial(number).exception(PATIENCE)
            assert isinstance(error, KeyyoError) and error.error_code == "not_allowed"
