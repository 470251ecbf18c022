"""The work of `bare`, done by the SDK, with handlers that do nothing but count."""

from __future__ import annotations

import gc
import json
import threading
import time
import tracemalloc
from contextlib import ExitStack
from typing import Any, Dict, List

from keyyo_cti import CTI, Call, Transport

from ..helpers.footprint import footprint
from .arrivals import Arrivals, spread
from .peer import Order


def notifications(
    endpoint: str,
    transport: Transport,
    number: int,
    calls: int,
    rate: float = 0.0,
    page: bool = False,
) -> Dict[str, float]:
    """How many a second reach a handler, when the SDK knows so many calls already; with a rate,
    how long each takes to get there.

    :param page: set the four handlers of the call at each notification, as Keyyo's page does.
    """
    with _cti(endpoint, transport) as cti:
        _tell(cti, Order(calls, calls))
        arrivals = _tell(cti, Order(number, calls, rate), page)
        assert len(cti.get_calls()) == calls
    return spread(arrivals.delays) if rate else {"a second": arrivals.rate()}


def round_trips(endpoint: str, number: int, rate: float = 0.0) -> Dict[str, float]:
    """How long a command and its answer take, while so many notifications come each second."""
    took: List[float] = []
    with _cti(endpoint) as cti:
        if rate:
            cti.onNewCall = lambda call: None
            # More than can come meanwhile.
            _ask(cti, Order(10**9, 20, rate))
        for _ in range(number):
            began = time.perf_counter()
            cti.ping().result()
            took.append(time.perf_counter() - began)
    return spread(took)


def opening(endpoint: str, number: int) -> Dict[str, float]:
    """How long it takes from a new CTI to its session."""
    took: List[float] = []
    for _ in range(number):
        began = time.perf_counter()
        with CTI(endpoint=endpoint, cookie_auto=False) as cti:
            cti.create_session("t").result()
            took.append(time.perf_counter() - began)
    return spread(took)


def calls(endpoint: str, number: int) -> Dict[str, float]:
    """Bytes that are kept for each call that goes on."""
    with _cti(endpoint) as cti:
        _tell(cti, Order(100, 100))
        gc.collect()
        tracemalloc.start()
        _tell(cti, Order(number, number))
        # The last of them may still be on its way through the thread that delivered it.
        cti.ping().result()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        assert len(cti.get_calls()) == number
    return {"bytes": kept / (number - 100)}


def ctis(endpoint: str, number: int, seconds: float) -> Dict[str, float]:
    """What so many connected CTIs cost each: bytes, threads; and how much of a core they use all
    together when nothing happens."""
    with ExitStack() as stack:
        stack.enter_context(_cti(endpoint))
        before, threads = _memory(), footprint().threads
        for _ in range(number):
            stack.enter_context(_cti(endpoint))
        after, more = _memory(), footprint().threads
        used, began = time.process_time(), time.monotonic()
        # Nothing happens for that time: an event that never comes.
        threading.Event().wait(seconds)
        idle = (time.process_time() - used) / (time.monotonic() - began)
    return {
        "bytes": (after - before) / number,
        "threads": (more - threads) / number,
        "core": idle,
    }


def _cti(endpoint: str, transport: Transport = "websocket") -> CTI:
    # More calls are listed here than are kept by default.
    cti = CTI(
        endpoint=endpoint, cookie_auto=False, transports=[transport], max_active_calls=None
    )
    cti.create_session("t").result()
    return cti


def _tell(cti: CTI, order: Order, page: bool = False) -> Arrivals:
    """Has the server tell of calls, and waits until a handler was told of all."""
    arrivals = Arrivals(order.notifications)

    def count(call: Call) -> None:
        arrivals.add(call["sent_at"] if order.rate else None)

    def as_on_the_page(call: Call) -> None:
        call.onSetup = lambda: None
        call.onConnect = lambda: None
        call.onRelease = lambda: None
        call.onMissed = lambda: None
        count(call)

    cti.onNewCall = as_on_the_page if page else count
    _ask(cti, order)
    arrivals.wait()
    return arrivals


def _ask(cti: CTI, order: Order) -> Any:
    return cti.send_message("33199000001", json.dumps(order._asdict())).result()


def _memory() -> int:
    """Bytes that this process has resident."""
    gc.collect()
    resident = footprint().resident
    assert resident is not None, "this system does not tell the memory of a process"
    return resident * 1024
