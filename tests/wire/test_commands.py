"""Every method on the wire: with every optional argument and without, by position and by
keyword, with and without a callback."""

from typing import Any, Dict

import pytest

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.simulator import Line, Simulator

from ..helpers.methods import CALLREF, SECOND_CALLREF, USES, WRONG, Method, Use, name_use
from ..helpers.probe import PATIENCE, Seen
from ..helpers.scripted_server import ScriptedServer, session

pytestmark = pytest.mark.usefixtures("transport")


@pytest.mark.parametrize(("method", "use"), USES, ids=name_use)
@pytest.mark.parametrize("how", ["positions", "keywords", "callback last", "callback keyword"])
def test_method_sends_its_command_and_returns_its_reply(
    method: Method, use: Use, how: str
) -> None:
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            server.push(*[
                {"notify": "call", "call": {"callref": callref}}
                for callref in (CALLREF, SECOND_CALLREF)
            ])
            seen.wait_for("newCall", 2)
            target = cti.get_call(CALLREF) if method.owner == "Call" else cti
            ask, callback = getattr(target, method.name), seen.callback()
            arguments = {
                name: cti.get_call(value) if name == "second_call" else value
                for name, value in use.arguments.items()
            }
            future = {
                "positions": lambda: ask(*arguments.values()),
                "keywords": lambda: ask(**arguments),
                "callback last": lambda: ask(*arguments.values(), callback),
                "callback keyword": lambda: ask(**arguments, callback=callback),
            }[how]()
            result = future.result(PATIENCE)
            if "callback" in how:
                assert seen.wait_for("callback")[3] == result
        sent = server.received.items[1]
    expected = {"action": method.action, "id": 2, **use.fields}
    assert sent == ({**expected, "call_ref": CALLREF} if method.owner == "Call" else expected)


@pytest.mark.parametrize(
    ("method", "argument"),
    [(method, argument) for method, argument in WRONG if method.owner == "CTI"], ids=name_use,
)
def test_method_with_a_wrong_value_sends_nothing_and_opens_nothing(
    method: Method, argument: str
) -> None:
    before, after = method.before(argument), method.after(argument)
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        ask = getattr(cti, method.name)
        for count, value in enumerate(method.wrong[argument], 1):
            future = ask(**before, **{argument: value}, **after, callback=seen.callback())
            error = future.exception(PATIENCE)
            assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
            assert error.status_code == 400 and error.message.startswith(f"{argument}: expected")
            assert seen.wait_for("callback", count)[2] is error
        assert cti.wait(0) and server.connections == []


def test_wrong_value_of_a_call() -> None:
    """The same for the methods of a call."""
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint) as cti, CTI() as other:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            server.push({"notify": "call", "call": {"callref": CALLREF}})
            seen.wait_for("newCall")
            (call,) = cti.get_calls()

            def expect_refusal(argument: str, name: str, arguments: Dict[str, Any]) -> None:
                if arguments.get("second_call") == SECOND_CALLREF:
                    arguments["second_call"] = call
                error = getattr(call, name)(**arguments).exception(PATIENCE)
                assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
                assert error.message.startswith(f"{argument}: expected")

            for method, argument in WRONG:
                others = {**method.before(argument), **method.after(argument)}
                for value in method.wrong[argument] if method.owner == "Call" else ():
                    expect_refusal(argument, method.name, {**others, argument: value})
            for stranger in ("another", None, Call(other._client, CALLREF)):
                arguments = {"second_call": stranger, "second_call_side": "callee"}
                expect_refusal("second_call", "merge", {"side": "caller", **arguments})
        assert len(server.received.items) == 1


def test_refused_number_is_rewritten_in_the_hint(sim: Simulator, alice: Line) -> None:
    """From the national format to the international one, with the country of the line."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.fail("call", 400, "RPC invalid params", times=2)
        error = cti.dial("01 99 02 00 00").exception(PATIENCE)
        assert isinstance(error, KeyyoError) and error.hint is not None
        assert "number: write '33199020000'" in error.hint
        error = cti.dial("33199020000").exception(PATIENCE)
        assert isinstance(error, KeyyoError) and "write" not in str(error.hint)


def test_mistakes_in_the_program() -> None:
    """A callback that cannot be called, a missing argument, an unknown option or event: a
    TypeError at once, in the caller."""
    cti: Any = CTI()
    unchecked: Any = CTI
    for mistake in (
        lambda: cti.dial("33199020000", "print"),
        lambda: cti.dial(),
        lambda: cti.dial(print),
        lambda: cti.send_message("33199020000", print),
        lambda: cti.create_session(print),
        lambda: unchecked(cookie_nam="x"),
        lambda: unchecked({"cookie_nam": "x"}),
        lambda: CTI({"timeout": 1}, timeout=1),
        lambda: unchecked(timeout="1"),
        lambda: cti.on("newcall", print),
        lambda: cti.on("newCall", None),
    ):
        with pytest.raises(TypeError):
            mistake()
    with pytest.raises(AttributeError, match="onNewCall"):
        cti.onNewcall = print
