"""Mistakes that type checkers find: one in each line that ends with ``# mistake``.

A line that ends with ``# mistake for mypy`` is one that pyright finds in its strict mode only.
"""

from __future__ import annotations

from typing import List, Optional

from keyyo_cti import (
    CTI,
    AutoAnswer,
    Backoff,
    Call,
    Callback,
    ConnectionClosed,
    ConnectionFailed,
    CTIOptions,
    Keyyo,
    KeyyoError,
    Restored,
    SessionInfo,
    Side,
    Subscriptions,
    Transport,
)
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.manager import CSIToken, Diagnosis, Manager, ManagerError, RingTest
from keyyo_cti.oauth2 import OAuth2, Tokens
from keyyo_cti.token_file import TokenFile
from keyyo_cti.token_provider import TokenProvider

# Options: names, kinds, values.

cti = CTI(cookie_nmae="x")  # mistake
cti = CTI(timeout="soon")  # mistake
cti = CTI({"cookie_nmae": "x"})  # mistake
cti = CTI({"timeout": "soon"})  # mistake
cti = Keyyo.CTI({"cookie_expires": "30"})  # mistake
cti = Keyyo.CTI(cookie_auto="no")  # mistake
cti = CTI(["cookie_name"])  # mistake
cti = CTI("cookie_name")  # mistake
cti = CTI({}, {})  # mistake
cti = CTI(cookie_name=None)  # mistake
cti = CTI(cookie_jar="jar")  # mistake
cti = CTI(cookie_file=5)  # mistake
cti = CTI(transports=["websockets"])  # mistake
cti = CTI({"transports": ["websocket", "xhr"]})  # mistake
cti = CTI(transports=[1])  # mistake
cti = CTI(dispatch="manuel")  # mistake
cti = CTI(dispatch=lambda: None)  # mistake
cti = CTI(max_backlog="100")  # mistake
cti = CTI(max_message_size=None)  # mistake
cti = CTI(backoff=5)  # mistake
cti = CTI(catch_up=True)  # mistake
cti = CTI(backoff=Backoff(attempt=5))  # mistake
cti = CTI(proxies="http://127.0.0.1:3128")  # mistake
cti = CTI(proxies={"https": 3128})  # mistake
cti = CTI(token_provider="token")  # mistake
cti = CTI(token_provider=lambda: 5)  # mistake
cti = CTI(token_provider=lambda line: "token")  # mistake
cti = CTI(may_dial=lambda: True)  # mistake
cti = CTI(ca_certs=True)  # mistake
options: CTIOptions = {"cookie_nam": "x"}  # mistake
options = {"ping_interval": "often"}  # mistake
transport: Transport = "xhr_streaming"  # mistake

# Attributes and methods of a CTI.

cti.conected  # mistake
cti.onNewcall = print  # mistake
cti.on_new_call = print  # mistake
cti.newCall = print  # mistake
cti.getCalls()  # mistake
cti.get_calls().length  # mistake
cti.conected = True  # mistake
cti.connected = True  # mistake
cti.number.upper()  # mistake
cti.session_id + "x"  # mistake
cti.transport.upper()  # mistake
cti.transport = "websocket"  # mistake
cti.dail("33172587948")  # mistake
cti.wait("5")  # mistake
cti.poll(timeout=None)  # mistake
cti.closed()  # mistake

# Handlers.


def on_new_call(call: Call) -> None:
    """A right one."""


def on_nothing() -> None:
    """A right one of ``disconnected``, and of a call's events."""


def on_result(call: SessionInfo) -> None:
    """A right one of no event."""


def on_failure(error: ConnectionFailed) -> None:
    """Right for some of the errors only."""


cti.onNewCall(cti.get_calls()[0])  # mistake
cti.onNewCall = 5  # mistake
cti.onNewCall = "print"  # mistake
cti.onNewCall = lambda: None  # mistake
cti.onNewCall = lambda call, more: None  # mistake
cti.onNewCall = on_nothing  # mistake
cti.onNewCall = on_new_call(cti.get_calls()[0])  # mistake for mypy
cti.onNewCall = on_result  # mistake
cti.onNewCall = lambda call: print(call.calee)  # mistake
cti.onDisconnected = on_new_call  # mistake
cti.onDisconnected = lambda error: None  # mistake
cti.onRestored = lambda: None  # mistake
cti.onRestored = on_new_call  # mistake
cti.onRestored = lambda info: print(info.gab)  # mistake
cti.onLost = lambda: None  # mistake
cti.onLost = on_failure  # mistake
cti.onLost = lambda error: print(error.status)  # mistake
cti.onError = on_nothing  # mistake
cti.onError = on_failure  # mistake
cti.onConversationEnded = on_nothing  # mistake
cti.onConversationEnded = on_new_call  # mistake
cti.onConversationEnded = lambda conversation: print(conversation.begin)  # mistake
cti.onCaughtUp = on_nothing  # mistake
cti.onCaughtUp = on_new_call  # mistake
cti.onCaughtUp = lambda records: print(records.begin)  # mistake
cti.on("newCall", 5)  # mistake
cti.on("conversationEnded", on_new_call)  # mistake
cti.on("newCall", lambda: None)  # mistake
cti.on("newCall", on_result)  # mistake
cti.on("newCall", lambda call: print(call.calee))  # mistake
cti.on("disconnected", on_new_call)  # mistake
cti.on("restored", on_nothing)  # mistake
cti.on("restored", lambda info: print(info.gab))  # mistake
cti.on("lost", on_failure)  # mistake
cti.on("error", on_nothing)  # mistake
cti.on("newcall", on_new_call)  # mistake
cti.on("onNewCall", lambda call: None)  # mistake
cti.on("newCall,disconnected", on_new_call)  # mistake
cti.on()  # mistake
cti.on("newCall", None)  # mistake
cti.on("newCall")(on_nothing)  # mistake
cti.on("newCall")(5)  # mistake
cti.on("disconnected")(on_new_call)  # mistake
cti.on("lost, error")(on_failure)  # mistake
cti.on("newCall,disconnected")(on_nothing)  # mistake
cti.addEventListener("newCall")(on_nothing)  # mistake
cti.wait_for("newcall")  # mistake
cti.wait_for("newCall", 5)  # mistake
cti.wait_for("newCall", on_nothing)  # mistake
cti.wait_for("newCall", lambda call: call.calee)  # mistake
cti.wait_for("newCall", timeout="5")  # mistake
cti.wait_for("newCall").caller  # mistake
cti.wait_for("newCall").result().calee  # mistake
cti.wait_for("disconnected", on_new_call)  # mistake
cti.wait_for("restored").result().gab  # mistake
cti.wait_for("lost", on_failure)  # mistake
cti.wait_for("lost").result().status  # mistake
cti.wait_for("error").result().status_code  # mistake
cti.same_number(33199020000)  # mistake
cti.same_number("33199020000", "33199020000").upper()  # mistake
cti.health("now")  # mistake
cti.health.drops  # mistake
cti.health().conected_since  # mistake
cti.health().drops = 0  # mistake
cti.health().state == "lost"  # mistake for mypy
cti.health().token_until + 1  # mistake
cti.health().slowest_handler.function  # mistake
cti.health().to_dict("json")  # mistake
cti = CTI(lines=33199020000)  # mistake
cti = CTI(lines=[33199020000])  # mistake
cti.on(on_new_call)  # mistake
cti.addEventListener("newCall", on_nothing)  # mistake
cti.off(5)  # mistake
cti.off("newCall", "print")  # mistake
cti.removeEventListener(on_new_call)  # mistake

# Callbacks.


def strict(err: KeyyoError, res: int) -> None:
    """It has no err of None."""


def no_result(err: Optional[KeyyoError]) -> None:
    """It has no res."""


def three(err: Optional[KeyyoError], res: int, more: int) -> None:
    """It has too much."""


def of_number(err: Optional[KeyyoError], res: int) -> None:
    """It has the right shape."""


def of_session(err: Optional[KeyyoError], res: SessionInfo) -> None:
    """It has the right shape."""
    print(err.message)  # mistake
    if err:
        print(err.mesage)  # mistake
        print(err.status_code.upper())  # mistake
        print(err.error_code.upper())  # mistake
        print(err.hint + "!")  # mistake
        print(err.sent)  # mistake
        print(err.reason)  # mistake
        return
    print(res.numbr)  # mistake
    print(res.numbers)  # mistake
    print(res.number + 1)  # mistake
    print(res.now.upper())  # mistake
    print(res.session_id.upper())  # mistake


cti.create_session("token", strict)  # mistake
cti.create_session("token", of_number)  # mistake
cti.create_session("token", True, of_number)  # mistake
cti.create_session("token", callback=of_number)  # mistake
cti.create_session("token", lambda res: None)  # mistake
cti.create_session("token", lambda: None)  # mistake
cti.create_session("token", "yes", of_session)  # mistake
cti.create_session("token", of_session, True)  # mistake
cti.create_session("token", of_session("token", None))  # mistake
cti.create_session("token", auto_anser=True)  # mistake
cti.create_session(of_session)  # mistake
cti.create_session(None)  # mistake
cti.create_session()  # mistake
cti.create_session("token", lambda err, res: print(res.numbr))  # mistake
cti.create_session("token", lambda err, res: print(err.message))  # mistake
cti.restore_session("token", 5, of_session)  # mistake
cti.restore_session("token", of_number)  # mistake
cti.restore_session("token", "id", True)  # mistake
cti.destroy_session(of_session)  # mistake
cti.destroy_session(no_result)  # mistake
cti.dial("33172587948", strict)  # mistake
cti.dial("33172587948", no_result)  # mistake
cti.dial("33172587948", three)  # mistake
cti.dial("33172587948", of_session)  # mistake
cti.dial("33172587948", lambda err, res: print(res.number))  # mistake
cti.dial("33172587948", lambda err, res: print(err.message))  # mistake
callback: Callback[SessionInfo] = of_number  # mistake

# Futures.

future = cti.create_session("token")
future.number  # mistake
future.results()  # mistake
future.result().numbr  # mistake
future.result("soon")  # mistake
future.result().session_id.upper()  # mistake
cti.create_session("token").result().numbers  # mistake
cti.dial("33172587948").result().number  # mistake
cti.get_subscriptions().result().number  # mistake
cti.get_subscriptions().result().numbers.upper()  # mistake
cti.get_auto_answer().result().autoanswer  # mistake
cti.get_auto_answer().result().auto_answer.upper()  # mistake
cti.int_to_local("33172587948").result().numbers  # mistake
cti.local_to_int("0172587948").result() + "x"  # mistake
subscriptions: SessionInfo = cti.get_subscriptions().result()  # mistake
answer: AutoAnswer = cti.get_subscriptions().result()  # mistake
exception: KeyyoError = future.exception()  # mistake


async def awaited() -> None:
    """A Future of threads cannot be awaited."""
    await cti.dial("33172587948")  # mistake


# Commands of the line.

cti.dial()  # mistake
cti.dial(33172587948)  # mistake
cti.dial(None)  # mistake
cti.dial(["33172587948"])  # mistake
cti.dial(cti.number)  # mistake
cti.dial("33172587948", of_number, of_number)  # mistake
cti.dial(to="33172587948")  # mistake
cti.dial("33172587948", calback=of_number)  # mistake
cti.send_message("33172587948")  # mistake
cti.send_message("33172587948", 5)  # mistake
cti.send_message("33172587948", b"Hello")  # mistake
cti.send_message("33172587948", of_number)  # mistake
cti.subscribe(of_number)  # mistake
cti.subscribe(7701)  # mistake
cti.unsubscribe(["7701"])  # mistake
cti.get_subscriptions("7701")  # mistake
cti.get_subscriptions(of_number)  # mistake
cti.set_auto_answer("yes")  # mistake
cti.set_auto_answer()  # mistake
cti.get_auto_answer(of_number)  # mistake
cti.get_auto_answer(lambda err, res: print(res.numbers))  # mistake
cti.int_to_local(33172587948)  # mistake
cti.local_to_int("0172587948", of_number)  # mistake
cti.ping("now")  # mistake
cti.get_call(5)  # mistake
cti.get_call("ref").answer()  # mistake
cti.get_calls("SETUP")  # mistake
cti.get_calls().answer()  # mistake
calls: List[SessionInfo] = cti.get_calls()  # mistake

# Calls.


async def wait_for(call: Call) -> None:
    """Awaits Futures of threads."""
    await cti.ping()  # mistake
    await call.answer()  # mistake


def look_at(call: Call, other: Call) -> None:
    """Uses a call."""
    print(call.calee)  # mistake
    print(call.callee.upper())  # mistake
    print(call.caller + "x")  # mistake
    print(call.state.lower())  # mistake
    print(call.type.lower())  # mistake
    print(call.call_ref)  # mistake
    print(call.conversation.first.calee)  # mistake
    print(call.conversation.calls.caller)  # mistake
    call.conversation.ended = True  # mistake
    print(call.callref + 1)  # mistake
    print(call.setup_date + 1)  # mistake
    print(call.connect_date.year)  # mistake
    print(call.release_date / 2)  # mistake
    print(call.setup)  # mistake
    print(call.codec)  # mistake
    print(call.callpark_slot + 1)  # mistake
    call.state = "CONNECT"  # mistake
    print(call.other + "x")  # mistake
    print(call.line.upper())  # mistake
    print(call.directoin)  # mistake
    print(call.hidden())  # mistake
    print(call.active.upper())  # mistake
    if call.direction == "incoming":  # mistake for mypy
        print("never")
    call.answered = "yes"  # mistake
    call.transfer(call.direction, "33172587948")  # mistake
    call.caller = "33172587948"  # mistake
    call.ended = True  # mistake
    call.fields["state"] = "CONNECT"  # mistake
    call["state"] = "CONNECT"  # mistake
    call.get(5)  # mistake
    call.get()  # mistake
    call.get("caller", "?", "more")  # mistake
    call.keys("caller")  # mistake
    print([name + 1 for name in call.keys()])  # mistake
    print([name + 1 for name, value in call.fields.items()])  # mistake
    call.getDuration()  # mistake
    call.onsetup = on_nothing  # mistake
    call.on_setup = on_nothing  # mistake

    call.onSetup = lambda call: None  # mistake
    call.onConnect = on_new_call  # mistake
    call.onRelease = 5  # mistake
    call.onMissed = look_at  # mistake
    call.onHangUp = on_nothing  # mistake
    call.onNewCall = on_new_call  # mistake
    call.onSetup()  # mistake
    call.on("connect", on_new_call)  # mistake
    call.on("release, missed", lambda call: None)  # mistake
    call.on(5, on_nothing)  # mistake
    call.wait_for()  # mistake
    call.wait_for(5)  # mistake
    call.wait_for("connect", "5")  # mistake
    call.wait_for("connect", on_nothing)  # mistake
    call.wait_for("connect").state  # mistake
    call.wait_for("connect").result().sate  # mistake
    call.on("connect", None)  # mistake
    call.on("connect")(on_new_call)  # mistake
    call.on(on_nothing)  # mistake
    call.addEventListener("setup", 5)  # mistake
    call.off("setup", on_new_call)  # mistake
    call.answer("33172587948")  # mistake
    call.answer(of_session)  # mistake
    call.answer(strict)  # mistake
    call.hang_up(no_result)  # mistake
    call.hangup()  # mistake
    call.reject(True)  # mistake
    call.transfer("calller", "33172587948")  # mistake
    call.transfer("33172587948", "caller")  # mistake
    call.transfer("caller")  # mistake
    call.transfer("caller", 33172587948)  # mistake
    call.transfer("caller", other)  # mistake
    call.transfer("caller", "33172587948", of_session)  # mistake
    call.transfer(side="both", to="33172587948")  # mistake
    call.supervised_transfer("called", "33172587948")  # mistake
    call.supervised_transfer("caller", "33172587948", "30")  # mistake
    call.supervised_transfer("caller", "33172587948", 1.5)  # mistake
    call.supervised_transfer("caller", "33172587948", strict)  # mistake
    call.supervised_transfer("caller", "33172587948", invite_time=30)  # mistake
    call.merge("caller", "ref", "callee")  # mistake
    call.merge("caller", other)  # mistake
    call.merge("caller", other, "x")  # mistake
    call.merge(other, "caller", "callee")  # mistake
    call.merge("x", other, "callee", of_number)  # mistake
    call.pause("1")  # mistake
    call.park("slot")  # mistake
    call.park("caller", "1")  # mistake
    call.park("caller", 1, of_session)  # mistake
    call.park()  # mistake
    call.unpark(1)  # mistake
    call.answer().result().number  # mistake
    call.get_duration().seconds  # mistake
    call.get_duration("s")  # mistake
    print(call.get_ringing_duration() + "s")  # mistake


side: Side = "callers"  # mistake


# Errors and restored sessions.


def look_at_errors(error: KeyyoError, closed: ConnectionClosed, info: Restored) -> None:
    """Uses errors."""
    print(error.statuscode)  # mistake
    print(error.code)  # mistake
    print(error.status_code + "x")  # mistake
    print(error.final + "x")  # mistake
    print(error.retry_after)  # mistake
    print(closed.send)  # mistake
    print(info.recreate)  # mistake
    info.gap = 5  # mistake


# From an account to a token.

oauth2 = OAuth2("client", "secret")  # mistake
oauth2 = OAuth2("client", "secret", "http://localhost/", dispatch="manuel")  # mistake
oauth2 = OAuth2("client", "secret", "http://localhost/", timeout="5")  # mistake
oauth2 = OAuth2("client", "secret", redirect_url="http://localhost/")  # mistake


def of_tokens(err: Optional[KeyyoError], res: Tokens) -> None:
    """It has the right shape."""
    print(res.acces_token)  # mistake
    print(res.refresh_token.upper())  # mistake
    print(res.expires_at + 1)  # mistake
    res.access_token = "x"  # mistake


def of_token(err: Optional[KeyyoError], res: CSIToken) -> None:
    """It has the right shape."""
    print(res.tokn)  # mistake
    print(res.expires_in)  # mistake
    print(res.expires_at.year)  # mistake


def of_diagnosis(err: Optional[KeyyoError], res: Diagnosis) -> None:
    """It has the right shape."""
    print(res.fault)  # mistake
    print(res.findings.advice)  # mistake
    print(res.findings[0].advise)  # mistake
    print(res.findings[0].advice.upper())  # mistake
    print(res.good())  # mistake


url: str = oauth2.authorization_url()  # mistake
oauth2.authorization_url(5)  # mistake
oauth2.code_verifier()  # mistake
oauth2.exchange(5)  # mistake
oauth2.exchange("code", of_number)  # mistake
oauth2.exchange("code", "state", of_token)  # mistake
oauth2.exchange("code", lambda err, res: print(res.token))  # mistake
oauth2.exchange("code", code_verifer="x")  # mistake
oauth2.refresh("token")  # mistake
oauth2.refresh(Tokens("access"), of_token)  # mistake
oauth2.refresh(Tokens("access")).result().token  # mistake
Tokens()  # mistake
Tokens("access", refresh="refresh")  # mistake
account = Account(oauth2)  # mistake
account = Account("client", TokenMemory())  # mistake
account = Account(oauth2, "tokens.json")  # mistake
account = Account(oauth2, TokenMemory(), dispatch="thread")  # mistake
account.sign_in("code", of_token)  # mistake
account.sign_in("code", 5, of_tokens)  # mistake
account.access_token(of_tokens)  # mistake
account.access_token().access_token  # mistake
account.access_token().result().token  # mistake
account.tokens()  # mistake
TokenFile("tokens")  # mistake
TokenFile(oauth2, 5)  # mistake
TokenFile(oauth2).load().access_token  # mistake
TokenFile(oauth2).save("token")  # mistake
manager = Manager()  # mistake
manager = Manager("token")  # mistake
manager = Manager(account, timeout="20")  # mistake
manager = Manager(account, dispatch="manuel")  # mistake
manager.line(33172587948)  # mistake
manager.line("33172587948", of_number)  # mistake
manager.line("33172587948").result().nmae  # mistake
manager.line("33172587948").result().name.upper()  # mistake
manager.lines().result().csi  # mistake
manager.lines().result()[0].cis  # mistake
manager.lines(lambda err, res: print(res[0].cis))  # mistake
manager.lines(of_token)  # mistake
manager.csi_token()  # mistake
manager.csi_token("33172587948", of_tokens)  # mistake
manager.csi_token("33172587948", 5)  # mistake
manager.csi_token("33172587948", lambda err, res: print(res.tokn))  # mistake
manager.csi_token("33172587948").result().acces_token  # mistake
cti.create_session(manager.csi_token("33172587948"))  # mistake
cti.create_session(manager.csi_token("33172587948").result())  # mistake
manager.cti_plugins("33172587948").result()[0].enable  # mistake
manager.cti_plugins("33172587948", of_token)  # mistake
manager.enable_plugin("33172587948", 5)  # mistake
manager.enable_plugin("33172587948", of_token)  # mistake
manager.enable_plugin("33172587948").result().activated  # mistake
manager.sip_records("33172587948").result()[0].user_agent  # mistake
manager.sip_records(5)  # mistake
manager.diagnose("33172587948", of_token)  # mistake
manager.diagnose("33172587948", 5)  # mistake
manager.diagnose("33172587948", lambda err, res: print(res.fault))  # mistake
manager.diagnose("33172587948").result().finding  # mistake
manager.diagnose("33172587948", ring="60")  # mistake
RingTest(handler=lambda: None)  # mistake
RingTest(on_finding=lambda finding: print(finding.layer))  # mistake
RingTest(cti="cti")  # mistake
TokenProvider(account, "33172587948")  # mistake
TokenProvider(manager)  # mistake
TokenProvider(manager, "33172587948", ahead="60")  # mistake
TokenProvider(manager, "33172587948")().token  # mistake


def look_at_refusal(error: ManagerError, results: Subscriptions) -> None:
    """Uses an error of the Manager API."""
    print(error.resaon)  # mistake
    print(error.reason.upper())  # mistake
    print(error.retry_after + 1)  # mistake
    print(results.number)  # mistake
