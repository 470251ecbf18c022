"""What a program passes to be called: refused if it cannot run, called whatever happens."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, Optional
from unittest.mock import AsyncMock, Mock

import pytest

from keyyo_cti import CTI, Call, Transport
from keyyo_cti._net.user_code import is_async
from keyyo_cti.oauth2 import OAuth2

from ..helpers.probe import PATIENCE, Record
from ..helpers.scripted_server import ScriptedServer, session
from .test_handlers import notification


async def coroutine(*_: Any) -> None:
    """A handler of another world."""


async def generator(*_: Any) -> Any:
    yield


class Async:
    async def __call__(self, *_: Any) -> None: ...

    async def method(self, *_: Any) -> None: ...

    @classmethod
    async def of_the_class(cls, *_: Any) -> None: ...


ASYNC: Dict[str, Any] = {
    "function": coroutine,
    "generator": generator,
    "partial": functools.partial(functools.partial(coroutine, 1), 2),
    "object": Async(),
    "partial of an object": functools.partial(Async()),
    "method": Async().method,
    "partial of a method": functools.partial(Async().method),
    "method of the class": Async.of_the_class,
    "mock": AsyncMock(),
}

pytestmark = pytest.mark.fault(80)

SETTERS: Dict[str, Callable[[CTI, Call, Any], object]] = {
    "on": lambda cti, call, f: cti.on("newCall", f),
    "addEventListener": lambda cti, call, f: cti.addEventListener("disconnected, lost", f),
    "on of a call": lambda cti, call, f: call.on("setup", f),
    "onNewCall": lambda cti, call, f: setattr(cti, "onNewCall", f),
    "onError": lambda cti, call, f: setattr(cti, "onError", f),
    "onRelease": lambda cti, call, f: setattr(call, "onRelease", f),
    "create_session": lambda cti, call, f: cti.create_session("tok", f),
    "restore_session": lambda cti, call, f: cti.restore_session("tok", "s-0", f),
    "destroy_session": lambda cti, call, f: cti.destroy_session(f),
    "dial": lambda cti, call, f: cti.dial("33199020000", callback=f),
    "answer": lambda cti, call, f: call.answer(f),
    "park": lambda cti, call, f: call.park("caller", f),
    "add_done_callback": lambda cti, call, f: cti.ping().add_done_callback(f),
    "token_provider": lambda cti, call, f: CTI(token_provider=f),
    "dispatch": lambda cti, call, f: CTI(dispatch=f),
    "dispatch of OAuth2": lambda cti, call, f: OAuth2("i", "s", "http://127.0.0.1/", dispatch=f),
}


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("setter", SETTERS)
def test_async_function_is_refused_when_it_is_set(setter: str, kind: str) -> None:
    """A coroutine function of any kind is a TypeError where it is set, which says what to do."""
    cti = CTI(cookie_auto=False)
    with pytest.raises(TypeError, match="coroutine function; .*run_coroutine_threadsafe"):
        SETTERS[setter](cti, Call(cti._client, "c1"), ASYNC[kind])


def test_async_method_in_a_subclass_is_refused() -> None:
    """A method in place of an attribute is called as before; an asynchronous one is refused."""

    class Mine(CTI):
        def onNewCall(self, call: Call) -> None: ...

    assert len(Mine(cookie_auto=False).handlers("newCall")) == 1
    with pytest.raises(TypeError, match="onNewCall: .*coroutine"):
        type("Theirs", (CTI,), {"onNewCall": coroutine})


@pytest.mark.parametrize(
    "function",
    [print, len, Async, Mock(), threading.Event().set, functools.partial(print), lambda: None,
     Future().cancel, "".join],
)
def test_plain_function_is_not_async(function: Any) -> None:
    """What can be called from a thread is taken."""
    assert not is_async(function)


def test_handler_that_returns_a_coroutine_is_an_error() -> None:
    """A coroutine that a plain function returns would never run: that is an error of the
    handler, and it is closed, so that no warning comes later."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        errors = Record()
        cti.onError = errors.add
        cti.onNewCall = lambda call: coroutine(call)
        cti.create_session("tok", lambda err, res: coroutine()).result(PATIENCE)
        server.push(notification("a"))
        for error in errors.wait_for_count(2):
            assert isinstance(error, TypeError) and "returned a coroutine" in str(error)


def test_handler_that_returns_an_asynchronous_generator_is_an_error() -> None:
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        errors = Record()
        cti.onError = errors.add
        cti.create_session("tok", lambda err, res: generator()).result(PATIENCE)
        assert "asynchronous generator" in str(errors.wait_for_count(1)[0])


def test_dispatch_that_returns_a_coroutine_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """It would never run the work. The SDK does its own part, so that calls go on."""
    options: Dict[str, Any] = {"dispatch": lambda work: coroutine(work)}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        cti.create_session("tok", print).result(PATIENCE)
        server.push(notification("a"))
        assert cti.ping().result(PATIENCE) == 1
        assert [call.callref for call in cti.get_calls()] == ["a"]
    assert "the function returned a coroutine" in caplog.text


@pytest.mark.parametrize("kind", ["xhr-streaming", "xhr-polling"])
@pytest.mark.parametrize("which", ["keyyo-cti-receiver", "keyyo-cti-sender"])
def test_transport_that_gets_no_thread_fails_in_words(
    monkeypatch: pytest.MonkeyPatch, which: str, kind: Transport
) -> None:
    """The callback says that no thread can be started; nothing is raised to the caller, and it
    is no fault of the SDK."""
    start, refused = threading.Thread.start, [True]

    def refuse(thread: threading.Thread) -> None:
        if refused[0] and thread.name == which:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, transports=[kind]) as cti:
            answers = Record()
            cti.create_session("tok", lambda err, res: answers.add(str(err)))
            assert "no thread can be started" in answers.wait_for_count(1)[0]
            refused[0] = False
            assert cti.create_session("tok").result(PATIENCE).session_id == "s-1"


@pytest.mark.parametrize("how", ["poll", "wait"])
def test_sys_exit_in_the_main_thread_ends_the_program(how: str) -> None:
    """sys.exit() in a handler that runs in the main thread leaves poll() and wait(), which
    closes; nothing is reported."""
    options: Dict[str, Any] = {"dispatch": "manual"}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        errors = Record()
        cti.onError = errors.add

        def leave(*_: Any) -> None:
            raise SystemExit(3)

        cti.create_session("tok", leave).result(PATIENCE)
        with pytest.raises(SystemExit) as raised:
            cti.poll(PATIENCE) if how == "poll" else cti.wait(PATIENCE)
        assert raised.value.code == 3 and errors.items == []
        assert cti.connected == (how == "poll")


@pytest.mark.parametrize("which", ["reader", "events", ""])
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
def test_callback_comes_though_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch, which: str, dispatch: Optional[str]
) -> None:
    """Where the system has no thread to give, a session is refused through its callback and
    Future, any other command too, and the next attempt works."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(f"keyyo-cti-{which}"):
            raise RuntimeError("can't start new thread")
        start(thread)

    options: Dict[str, Any] = {"dispatch": dispatch}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        answers = Record()
        with monkeypatch.context() as patch:
            if not (which == "events" and dispatch):
                patch.setattr(threading.Thread, "start", refuse)
                future = cti.create_session("tok", lambda err, res: answers.add(str(err)))
                error = future.exception(PATIENCE)
                assert isinstance(error.__cause__ if error else None, RuntimeError)
                cti.ping(lambda err, res: answers.add(str(err)))
                cti.poll(0) if dispatch else None
                first, second = answers.wait_for_count(2)
                assert "no thread can be started" in first and "not connected" in second
        assert cti.create_session("tok").result(PATIENCE).session_id == "s-1"
