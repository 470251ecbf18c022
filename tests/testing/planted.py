"""Small programs, each with one mistake that a rehearsal has to find."""

from __future__ import annotations

import queue
import threading
from typing import Any, Dict, List, Optional, Tuple

from keyyo_cti import CTI, Call

#: Set by the test in the end, so that blocked threads do not outlive it.
BLOCKERS: List[threading.Event] = []


def assumes_one_call(cti: CTI) -> None:
    current: Dict[str, Call] = {}

    def on_new_call(call: Call) -> None:
        if call.state == "SETUP":
            current["call"] = call
        if call.ended:
            del current["call"]

    cti.onNewCall = on_new_call


def ignores_err(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.onMissed = lambda: cti.get_subscriptions(lambda err, res: print(res.numbers))

    cti.onNewCall = on_new_call


def starts_a_timer_that_is_no_daemon(cti: CTI) -> None:
    threading.Timer(600, cti.get_calls).start()


def compares_with_the_state_before(cti: CTI) -> None:
    follows = {"": ("SETUP",), "SETUP": ("CONNECT", "MISSED"), "CONNECT": ("RELEASE",)}
    before: Dict[str, str] = {}

    def on_new_call(call: Call) -> None:
        state = str(call.state)
        if state not in follows[before.get(call.callref, "")]:
            raise ValueError(f"{state} after {before.get(call.callref)}")
        before[call.callref] = state

    cti.onNewCall = on_new_call


def never_calls_off(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.on("release", lambda: print("over", call))

    cti.onNewCall = on_new_call


def calls_back_with_a_plus(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.onMissed = lambda: cti.dial(f"+{call.caller}", lambda err, res: None)

    cti.onNewCall = on_new_call


def answers_its_own_calls(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.onSetup = lambda: call.answer(lambda err, res: None)

    cti.onNewCall = on_new_call


def expects_a_number_of_each_caller(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        print(int(str(call.caller)))

    cti.onNewCall = on_new_call


def waits_for_another_handler(cti: CTI) -> None:
    released = threading.Event()
    BLOCKERS.append(released)

    def on_new_call(call: Call) -> None:
        call.onSetup = lambda: released.wait()
        call.onRelease = released.set

    cti.onNewCall = on_new_call


def expects_each_result(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.onMissed = lambda: print(cti.get_subscriptions().result(5).numbers)

    cti.onNewCall = on_new_call


def raises_in_a_timer(cti: CTI) -> None:
    names = {"33199020001": "Bob"}

    def on_new_call(call: Call) -> None:
        timer = threading.Timer(0.001, lambda: print(names[str(call.caller)]))
        timer.daemon = True
        timer.start()

    cti.onNewCall = on_new_call


def raises_in_a_thread(cti: CTI) -> None:
    def work() -> None:
        for call in iter(waiting.get, None):
            print({"SETUP": "rings"}[str(call.state)])

    waiting: "queue.SimpleQueue[Call]" = queue.SimpleQueue()
    threading.Thread(target=work, daemon=True).start()
    cti.onNewCall = waiting.put


def checks_the_number_of_each_caller(cti: CTI) -> None:
    def check(call: Any) -> bool:
        return bool(call.other.startswith("339"))

    cti.wait_for("newCall", check).add_done_callback(lambda future: None)


def hangs_up_calls_that_are_over(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        if call.state != "SETUP":
            call.hang_up(lambda err, res: None)

    cti.onNewCall = on_new_call


def dials_a_hidden_caller(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        number: Any = call.caller
        if call.callee == cti.number:
            call.onMissed = lambda: cti.dial(number, lambda err, res: None)

    cti.onNewCall = on_new_call


#: Program, the kind of its mistake, and a part of its subject.
PLANTED: List[Tuple[Any, str, str]] = [
    (assumes_one_call, "raised", "KeyError in assumes_one_call"),
    (ignores_err, "raised", "AttributeError in ignores_err"),
    (starts_a_timer_that_is_no_daemon, "thread left", "Timer (CTI.get_calls"),
    (compares_with_the_state_before, "raised", "in compares_with_the_state_before"),
    (never_calls_off, "added twice", "to release of a Call"),
    (calls_back_with_a_plus, "refused", "call"),
    (answers_its_own_calls, "refused", "answer_call"),
    (expects_a_number_of_each_caller, "raised", "ValueError in expects_a_number"),
    (waits_for_another_handler, "stuck", "waits_for_another_handler"),
    (expects_each_result, "raised", "KeyyoError in expects_each_result"),
    (raises_in_a_timer, "raised", "KeyError in Timer"),
    (raises_in_a_thread, "raised", "KeyError in Thread (work ("),
    (checks_the_number_of_each_caller, "raised", "AttributeError in checks_the_number"),
    (hangs_up_calls_that_are_over, "refused", "terminate_call"),
    (dials_a_hidden_caller, "refused", ""),
]


# Programs without a mistake.


def ends_after_one_call(cti: CTI) -> None:
    def on_new_call(call: Call) -> None:
        call.onRelease = call.onMissed = lambda: cti.close()

    cti.onNewCall = on_new_call


def answers_and_writes(cti: CTI) -> None:
    answered = set()

    def on_answered(err: Optional[Exception], res: Any) -> None:
        if err is None:
            cti.send_message("33199020001", "answered", lambda err, res: None)

    def on_new_call(call: Call) -> None:
        if call.callee == cti.number and call.state == "SETUP" and call.callref not in answered:
            answered.add(call.callref)
            call.answer(on_answered)

    cti.onNewCall = on_new_call
