"""What a Future shows of itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from keyyo_cti._client.background import Background
from keyyo_cti._client.pending import CommandFuture, Request
from keyyo_cti._client.wire import Command, create_session, dial, send_message, transfer
from keyyo_cti.errors import ConnectionClosed, KeyyoError
from keyyo_cti.results import wrap

from ..client.test_pending import FakeDispatcher
from .test_html import SCRIPT, read

SECRET = "CANARY-secret"


def future(command: Command = dial("33199020000"), name: str = "dial") -> Any:
    return Request(command, FakeDispatcher(), name=name).future


@pytest.mark.parametrize(
    ("command", "name", "subject"),
    [
        (dial("33199020000"), "dial", "dial 33199020000"),
        (dial("33199020000"), None, "call 33199020000"),
        (transfer("call-3", "caller", "7701"), "transfer", "transfer call-3 7701"),
        (send_message("7701", SECRET), "send_message", "send_message 7701"),
        (create_session(SECRET), "create_session", "create_session"),
    ],
)
def test_pending_future_shows_its_command_and_since_when(
    command: Command, name: Any, subject: str
) -> None:
    pending = future(command, name)
    clock = time.strftime("%H:%M:", time.localtime(pending._began))
    assert repr(pending).startswith(f"<Future of {subject}, pending since {clock}")
    text = read(pending).text
    assert text.startswith(f"pending {subject} since {clock}") and "result(timeout=10)" in text
    assert SECRET not in repr(pending) + text


@pytest.mark.parametrize(
    ("result", "text", "shown"),
    [
        (1, "result 1", "result 1"),
        (wrap({"number": "33199000001", "session_id": SECRET}),
         "result Result(number='33199000001', session_id=<hidden>)", "number +33 1 99 00 00 01"),
        ([wrap({"csi": "33199000001", "token": SECRET})], "token=<hidden>", "csi 33199000001"),
        (SECRET, "hidden because it may be a secret", "hidden because it may be a secret"),
        ([SECRET], "result 1 item", "result 1 item"),
        ({"a": SECRET}, "result dict", "result dict"),
        (wrap(None), "result NoResult()", "empty"),
        ([wrap({"csi": str(number)}) for number in range(150)], "csi='0'", "and 50 more"),
    ],
)
def test_future_with_result_shows_it_without_secrets(result: Any, text: str, shown: str) -> None:
    done = future()
    done.set_result(result)
    assert repr(done).startswith("<Future of dial 33199020000, result ")
    assert text in repr(done) and SECRET not in repr(done)
    page = read(done).text
    assert page.startswith("done dial 33199020000") and shown in page and SECRET not in page


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyyoError(400, "Cannot treat action", None, "enable the plugin"),
         "400 Cannot treat action "
         "(enable the plugin; see docs/errors.md#cannot-treat-action)"),
        (ConnectionClosed(sent=False),
         "400 Connexion closed (see docs/errors.md#connexion-closed)"),
        (ValueError("broken"), "ValueError: broken"),
    ],
)
def test_failed_future_shows_why(error: BaseException, text: str) -> None:
    failed = future()
    failed.set_exception(error)
    assert repr(failed) == f"<Future of dial 33199020000, failed: {text}>"
    page = read(failed).text
    assert page.startswith("failed dial 33199020000")
    assert all(word in page for word in text.replace("(", "").replace(")", "").split())


@pytest.mark.fault(33)
@pytest.mark.promise(10)
@pytest.mark.parametrize("value", [SCRIPT, [SCRIPT], f"{SCRIPT}\x1b[31m\n"])
def test_future_shows_text_of_the_server_as_text(value: Any) -> None:
    for finish in ("set_result", "set_exception"):
        one: Any = CommandFuture(FakeDispatcher(), f"dial {SCRIPT}\n")
        odd = wrap({"number": value}) if finish == "set_result" else KeyyoError(400, str(value))
        getattr(one, finish)(odd)
        assert "\n" not in repr(one) and "\x1b" not in repr(one)
        assert SCRIPT in read(one).text


def test_future_of_a_web_service_names_its_method() -> None:
    class Client:
        def access_token(self) -> str:
            return SECRET

    background = Background("test")
    one = background.ask(Client().access_token)
    assert one.result(10) == SECRET
    assert repr(one).startswith("<Future of access_token, result a text, hidden")
    background.close()
    background.finish(10)
