"""Right uses of the public API: no type checker may refuse a line of this file."""

from __future__ import annotations

import functools
import json
import logging
from concurrent.futures import Future, wait
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from keyyo_cti import (
    CTI,
    AutoAnswer,
    Backoff,
    Call,
    Callback,
    CallEnded,
    CommandTimeout,
    ConnectionClosed,
    Conversation,
    CTIOptions,
    EventTimeout,
    Health,
    Keyyo,
    KeyyoError,
    Restored,
    Result,
    SessionEnded,
    SessionInfo,
    Side,
    SlowHandler,
    Subscriptions,
    Transport,
)
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.call_history import CallRecord
from keyyo_cti.catch_up import CatchUp, CaughtUp
from keyyo_cti.manager import CSIToken, Diagnosis, Manager, ManagerError, RingTest
from keyyo_cti.oauth2 import OAuth2, OAuth2Error, Tokens
from keyyo_cti.token_file import TokenFile
from keyyo_cti.token_provider import TokenProvider

log = logging.getLogger(__name__)

# Options.

cti = CTI()
cti = CTI(cookie_name="my_session_name", cookie_expires=365, timeout=5)
cti = Keyyo.CTI({"cookie_name": "my_session_name", "cookie_expires": 365})
cti = CTI({"cookie_name": "my_session_name"}, ping_auto=False)
cti = CTI({})
cti = CTI(None)
cti = CTI(transports=["websocket", "xhr-polling"], dispatch="manual", max_ended_calls=None)
cti = CTI(transports=("xhr-streaming",), dispatch=lambda work: work(), backoff=Backoff())
cti = CTI(cookie_jar=CookieJar(), proxies={"https": "http://127.0.0.1:3128", "http": None})
cti = CTI(cookie_file=Path("cookie"), ca_certs="authorities.pem")
cti = CTI(may_dial=lambda number: number.startswith("33"), token_provider=lambda: "token")
options: CTIOptions = {"endpoint": "https://ws.keyyo.com/cti", "timeout": 5.5}
cti = CTI(options)
cti = CTI(**options)
cti = CTI(json.loads("{}"))
cti = CTI(**json.loads("{}"))
read: Dict[str, Any] = {}
cti = CTI(read)
cti = CTI(read, cookie_auto=False)
cti = CTI(**read)
cti = CTI(lines=["33199000001", {"csi": "33199000002", "short_number": "7702"}])
transport: Transport = "websocket"
cti = CTI(transports=[transport])
with CTI(cookie_auto=False) as inside:
    inside.wait(timeout=5)

# Handlers.


def on_new_call(call: Call) -> None:
    call.onSetup = lambda: print("ringing", call.caller)
    call.onConnect = call.onRelease = None
    call.onMissed = functools.partial(print, "missed")
    call.on("connect", lambda: print(call.get_duration()))
    call.on("release, missed", on_end)
    call.addEventListener("setup", on_end)
    call.off("setup")
    call.removeEventListener("connect,release", on_end)
    if call.caller is not None and call.caller.startswith("33"):
        print(call["a field of the server"], call.fields.get("another"), "more" in call)
    print(call.callee)
    if call.state == "SETUP" and call.type != "MISSED":
        call.answer()
    if call.setup_date:
        print(call.setup_date + 60, call.connect_date or call.release_date)
    taken: Dict[str, Any] = {**call, **dict(call)}
    print(taken, call.get("caller"), call.get("a field of the server", 0) + 1)
    print([name.upper() for name in call.keys()], dict(call.fields.items()))
    print(json.dumps(call.fields), "caller" in call)
    print(call.callref.upper(), call.ended, call.stale, call.callpark_slot)
    if call.direction == "in" and not call.hidden and call.other is not None:
        print(call.other.upper(), (call.line or "").upper(), call.active is not call.answered)
    if call.other_side:
        call.transfer(call.other_side, "33172587948")

    @call.on("release, missed")
    @call.addEventListener("connect")
    def changed() -> str:
        return "changed"

    print(changed().upper())
    waiting: "Future[Call]" = call.wait_for("connect", timeout=5)
    print(waiting.result().other, call.wait_for("release, missed").result(5).answered)


def on_end() -> None:
    print("over")


def on_restored(info: Restored) -> None:
    print(info.gap + 1, info.recreated)


def on_lost(error: KeyyoError) -> None:
    log.error("%s %s %s", error.status_code, error.message, error.hint)


def on_error(exception: Exception) -> None:
    log.error("oops", exc_info=exception)


def on_conversation(conversation: Conversation) -> None:
    first: Call = conversation.first
    numbers: Tuple[str, ...] = conversation.parties
    ends = [call.ended for call in conversation.calls]
    print(first.caller, numbers, ends, conversation.ended, conversation.certain)
    print(first.conversation is conversation)


def on_caught_up(records: CaughtUp) -> None:
    missed: List[CallRecord] = [record for record in records if record.missed]
    ended: List[Call] = list(records.calls.values())
    print(missed, ended, records.until - records.since, records.error and records.error.hint)


def on_any(*event: object) -> None:
    print(event)


class Window:
    def on_new_call(self, call: Call) -> bool:
        return call.ended


@cti.on("newCall")
def shown(call: Call) -> bool:
    return call.active


@cti.on("disconnected")
@cti.on("newCall,disconnected")
def at_once(*event: object) -> None:
    print(event)


@cti.on("lost, error")
@cti.on("lost")
def failed(error: Exception) -> None:
    print(error)


@cti.addEventListener("restored")
def back(info: Restored) -> None:
    print(info.gap)


errors: List[BaseException] = []
calls: List[Call] = []
cti.onNewCall = on_new_call
cti.onNewCall = Window().on_new_call
cti.onNewCall = calls.append
cti.onNewCall = lambda call: print(call.caller)
cti.onNewCall = print
cti.onNewCall = None
cti.onDisconnected = lambda: print("gone")
cti.onRestored = on_restored
cti.onLost = on_lost
cti.onLost = on_error
cti.onError = on_error
cti.onError = errors.append
cti.onConversationEnded = on_conversation
cti.onCaughtUp = on_caught_up
if cti.onNewCall is not None:
    cti.onNewCall(calls[0])
cti.on("newCall", on_new_call)
cti.on("newCall", lambda call: print(call.callref))
cti.on("disconnected", on_end)
cti.on("restored", lambda info: print(info.gap))
cti.on("lost", lambda error: print(error.status_code))
cti.on("lost", on_lost)
cti.on("error", on_error)
cti.on("conversationEnded", on_conversation)
cti.on("caughtUp", on_caught_up)
cti.on("lost, error", on_error)
cti.on("newCall,disconnected", on_any)
cti.addEventListener("newCall", on_new_call)
rings: "Future[Call]" = cti.wait_for("newCall", lambda call: call.other == "33172587948", 5)
print(rings.result().wait_for("release", 60.5).cancel(), cti.wait_for("newCall").result().line)
print(cti.wait_for("caughtUp", timeout=400).result().calls)
print(cti.wait_for("restored", timeout=5).result().gap + 1)
print(cti.wait_for("lost", lambda error: error.status_code == 403).result().hint)
print(cti.wait_for("error", check=None).result().args)
nothing: None = cti.wait_for("disconnected", lambda: True).result()
try:
    rings.result()
except (CallEnded, EventTimeout, SessionEnded) as ended:
    print(ended.message.upper(), ended.error_code)
health: Health = cti.health()
print(health.at - (health.last_frame or health.at), health.state == "connected", str(health))
print(health.drops + health.gaps + health.backlog, health.gap_seconds + (health.round_trip or 0.0))
slowest: Optional[SlowHandler] = health.slowest_handler
if slowest is not None:
    print(slowest.event.upper(), slowest.function, slowest.seconds, slowest.began + 1)
    print(slowest.running is True)
print(health.to_dict()["number"], [number.upper() for number in health.subscriptions or ()])
print(shown(calls[0]) is True, cti.same_number("7701", calls[0].other))
cti.off("newCall", on_new_call)
cti.off("newCall,disconnected")
cti.removeEventListener("lost", on_lost)

# Sessions.


def connected(err: Optional[KeyyoError], res: SessionInfo) -> None:
    if err:
        print(err.status_code, err.message, err.error_code, err.final)
        print(err["a field of the server"], "another" in err)
        return
    print(res.number.upper(), res.now + 1, res.session_id, res["more"], res.get("more"))


def answered(err: Optional[KeyyoError], res: int) -> None:
    print(err or res)


def whatever(err: Optional[KeyyoError], res: object) -> None:
    print(err, res)


def perhaps(err: Optional[Exception], res: Optional[SessionInfo]) -> None:
    print(err, res)


bare: Callback = whatever
of_session: Callback[SessionInfo] = connected
future: "Future[SessionInfo]" = cti.create_session("token")
cti.create_session("token", connected)
cti.create_session("token", True, connected)
cti.create_session("token", None, perhaps)
cti.create_session("token", auto_answer=False, callback=of_session)
cti.create_session("token", lambda err, res: print(err.message if err else res.number))
cti.create_session(csi_token="token", callback=bare)
cti.restore_session("token", connected)
cti.restore_session("token", cti.session_id, connected)
cti.restore_session("token", session_id="id").add_done_callback(lambda done: print(done.result()))
cti.destroy_session(answered)
session = future.result(timeout=10)
print(session.number.upper(), session.now - 1, session.session_id or "")
wait([future])
try:
    cti.dial("33172587948").result()
except CommandTimeout as error:
    print(error.hint)
except ConnectionClosed as error:
    print(error.sent)
except KeyyoError as error:
    print(error.status_code + 1, error.message.upper())
failure = future.exception()
if isinstance(failure, KeyyoError):
    print(failure.error_code)

# The line.

cti.dial("33172587948", lambda err, res: print(err or res))
cti.dial(number="33172587948", callback=answered)
cti.send_message("33172587948", "Hello", answered)
cti.subscribe("callpark", whatever)
cti.unsubscribe("callpark")


def subscribed(err: Optional[KeyyoError], res: Subscriptions) -> None:
    print([number.upper() for number in res.numbers])


def told(err: Optional[KeyyoError], res: AutoAnswer) -> None:
    print(res.auto_answer is True)


def print_result(err: Optional[KeyyoError], res: Result) -> None:
    print(res["number"])


cti.get_subscriptions(subscribed)
cti.get_subscriptions().result().numbers.sort()
cti.set_auto_answer(True, answered)
cti.get_auto_answer(told)
cti.get_auto_answer(print_result)
cti.int_to_local("33172587948", lambda err, res: print(res.number.upper()))
cti.local_to_int("0172587948").result().number.upper()
cti.ping()
count: int = cti.poll(0.1)
closed: bool = cti.wait()
number: Optional[str] = cti.number
if cti.transport == "websocket":
    print(cti.transport.upper(), cti.connected)

# Calls.

known = cti.get_call("ref")
listed: List[Call] = cti.get_calls()
if known is not None:
    known.hang_up(answered)
side: Side = "caller"
for each in listed:
    each.answer(answered)
    each.hang_up().result()
    each.reject()
    each.transfer("caller", "33172587948", answered)
    each.transfer(side, to="33172587948")
    each.supervised_transfer("callee", "33172587948", answered)
    each.supervised_transfer("callee", "33172587948", 30, answered)
    each.supervised_transfer("callee", "33172587948", invite_timer=30)
    each.merge("caller", listed[0], "callee", answered)
    each.pause()
    each.park("caller", answered)
    each.park("caller", -1, answered)
    each.park("caller", slot=2)
    each.unpark().add_done_callback(print)
    seconds: int = each.get_duration() + each.get_ringing_duration()

# From an account to a token.

oauth2 = OAuth2("client", "secret", "http://localhost:8080/", dispatch="manual", timeout=5)
url, state = oauth2.authorization_url(["cti_admin"])


def signed_in(err: Optional[KeyyoError], res: Tokens) -> None:
    print(err.hint if err else res.scope)


def minted(err: Optional[KeyyoError], res: CSIToken) -> None:
    print(err or res.expires_at + 1)


def diagnosed(err: Optional[KeyyoError], res: Diagnosis) -> None:
    print([finding.advice or finding.fact for finding in res.findings], res.good, res.faults)


oauth2.exchange(url, state, signed_in, code_verifier=oauth2.code_verifier(state))
oauth2.exchange("code", signed_in)
oauth2.refresh(Tokens("access"), signed_in).result().access_token.upper()
account = Account(oauth2, TokenMemory(), ahead=30)
account = Account(oauth2.client, TokenFile(oauth2, Path("tokens")), dispatch=lambda work: work())
account.sign_in(url, state, signed_in)
account.sign_in("code", lambda err, res: print(res.refresh_token))
account.access_token(lambda err, res: print(res.upper()))
with Manager(account, ca_certs=Path("authorities.pem")) as manager:
    catch_up = CatchUp(manager, "33199000001", quiet=30, limit=120, remember=Path("heard.json"))
    cti = CTI(catch_up=catch_up)
    caught_up: CaughtUp = CatchUp(manager.client, None).ask(0, told=cti.get_calls).result()
    cti = CTI(lines=manager.lines().result())
    manager.lines(lambda err, res: print([line.csi.upper() for line in res]))
    manager.line("33172587948").result()["a field of Keyyo"]
    manager.csi_token("33172587948", minted)
    manager.csi_token("33172587948", ["*.example.com"], minted)
    manager.csi_token("33172587948", domain_masks=("*.example.com",)).result().token.upper()
    manager.cti_plugins("33172587948", lambda err, res: print(any(one.enabled for one in res)))
    manager.enable_plugin("33172587948", "websocket", whatever)
    manager.enable_plugin("33172587948", lambda err, res: print(res.enabled is True, res.name))
    manager.sip_records("33172587948", lambda err, res: print([one["user_agent"] for one in res]))
    manager.diagnose("33172587948", diagnosed)
    manager.diagnose("33172587948", "https://ws.keyyo.com/cti", diagnosed)
    manager.diagnose("33172587948").result().to_dict()
    manager.diagnose("33172587948", diagnosed, ring=True)
    manager.diagnose("33172587948", "https://ws.keyyo.com/cti", diagnosed, ring=7.5)
    ring = RingTest(30, cti=cti, on_finding=lambda finding: print(finding.seconds, finding.fact))
    manager.diagnose("33172587948", ring=ring).result().faults
    ring.stop()
    RingTest(handler=lambda call: print(call.other), on_ready=lambda: print("call now"))
    manager.wait(5)
    new_token = TokenProvider(manager, "33172587948", ["*.example.com"], ahead=60)
    cti = CTI(token_provider=new_token)
    cti.create_session(new_token())
    try:
        manager.client.lines()
    except (ManagerError, OAuth2Error) as refused:
        print(refused.reason, refused.retry_after)
