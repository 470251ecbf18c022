"""Which fault comes when: all of it from one seed, and nothing but the seed."""

from __future__ import annotations

import random
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .junk import DEADLY, JUNK

#: The phases in which new connections can be held up, and the ways to refuse them.
STALLS = ("accept", "info", "handshake", "xhr_streaming", "xhr", "xhr_send", "open")
REFUSALS = ("connect", "info", "websocket", "xhr_streaming", "xhr", "xhr_send")

#: What a page can stand in place of, and what a proxy holds: polls most of all.
PAGES = REFUSALS[1:]
HELD = ("xhr", "xhr", "xhr", "xhr_streaming", "xhr_send", "info")

#: The actions on which something can happen before they are answered.
ACTIONS = ("call", "send_message", "get_int_to_local_numbers", "get_local_to_int_number", "ping")

#: Errors with which an action fails.
_ERRORS = ((500, "Internal error"), (503, "Busy"), (400, "Cannot treat action"))

#: Errors with which the opening of a session fails, of which one says that there is none.
_OPENING_ERRORS = ((500, "Internal error"), (503, "Busy"), (401, "Unknown session_id"))

#: Codes of close frames, of which SockJS calls some clean.
_CLOSES = ((3000, "Go away!"), (1000, "Normal closure"), (2010, "Another connection still open"),
           (4000, "why not"), (1006, "lost"))


class Fault(NamedTuple):
    """One fault.

    :ivar at: seconds after the beginning.
    :ivar kind: what is done; the name of a method of `chaos.Chaos`.
    :ivar client: to whose connection; None for all.
    :ivar lasts: seconds until it is taken away; 0 for what happens at once.
    :ivar detail: what the kind needs to know.
    """

    at: float
    kind: str
    client: Optional[int]
    lasts: float
    detail: Tuple[Any, ...]


class _Draw(NamedTuple):
    """A kind of fault.

    :ivar often: its weight.
    :ivar alone: whether it is for one client.
    :ivar lasts: the least and the most seconds.
    :ivar detail: draws that.
    """

    often: float
    alone: bool = True
    lasts: Tuple[float, float] = (0.0, 0.0)
    detail: Callable[[random.Random], Tuple[Any, ...]] = lambda dice: ()


def _one(*values: Any) -> Callable[[random.Random], Tuple[Any, ...]]:
    return lambda dice: (dice.choice(values),)


def _times(*values: Any) -> Callable[[random.Random], Tuple[Any, ...]]:
    return lambda dice: (*dice.choice(values), dice.randint(1, 3))


KINDS: Dict[str, _Draw] = {
    # On open connections.
    "drop": _Draw(8),
    "reset": _Draw(8),
    "close": _Draw(6, detail=lambda dice: dice.choice(_CLOSES)),
    "silence": _Draw(6, lasts=(0.2, 8.0)),
    "stop_reading": _Draw(4, lasts=(0.2, 8.0)),
    "garbage": _Draw(10, detail=_one(*JUNK)),
    "deadly_garbage": _Draw(2, detail=_one(*DEADLY)),
    "garble": _Draw(6, detail=_one("message", "frame", "text")),
    "cut": _Draw(8, lasts=(0.2, 6.0), detail=_one("reset", "drop", "silence")),
    "repeat": _Draw(10, detail=lambda dice: (dice.randint(1, 6),)),
    # Before the answer to a command.
    "drop_on": _Draw(5, detail=_one(*ACTIONS)),
    "reset_on": _Draw(5, detail=_one(*ACTIONS)),
    "close_on": _Draw(3, detail=_one(*ACTIONS)),
    "garbage_on": _Draw(2, detail=_one(*ACTIONS)),
    "silence_on": _Draw(2, lasts=(0.2, 6.0), detail=_one(*ACTIONS)),
    "fail": _Draw(5, detail=lambda dice: (dice.choice(ACTIONS), *dice.choice(_ERRORS))),
    "ignore": _Draw(5, detail=lambda dice: (dice.choice(ACTIONS),)),
    # On what opens.
    "stall": _Draw(5, alone=False, lasts=(0.2, 3.0), detail=_one(*STALLS)),
    "refuse": _Draw(5, alone=False, lasts=(0.2, 2.0), detail=lambda dice: (
        dice.choice(REFUSALS), dice.choice((403, 404, 500, 503)), dice.random() < 0.3)),
    "maintenance_page": _Draw(5, alone=False, lasts=(0.2, 2.0), detail=_one(*PAGES)),
    "firewall_page": _Draw(5, alone=False, lasts=(0.2, 2.0), detail=lambda dice: (
        dice.choice(PAGES), dice.choice((401, 403)))),
    "proxy_time_out": _Draw(5, alone=False, lasts=(0.5, 4.0), detail=lambda dice: (
        dice.choice(HELD), round(dice.uniform(0.2, 1.8), 2))),
    "too_many_sessions": _Draw(
        4, alone=False, detail=_one("create_session", "restore_session")),
    "fail_opening": _Draw(
        4, alone=False, detail=_times(*(
            (action, *error) for action in ("create_session", "restore_session")
            for error in _OPENING_ERRORS))),
    "ignore_opening": _Draw(
        2, alone=False, detail=_times(("create_session",), ("restore_session",))),
    "drop_on_opening": _Draw(4, alone=False, detail=_one("create_session", "restore_session")),
    "reset_on_opening": _Draw(3, alone=False, detail=_one("create_session", "restore_session")),
    "refuse_token": _Draw(2, alone=False),
    # On what lasts.
    "forget_session": _Draw(6),
    "expire_token": _Draw(5),
    "revoke_token": _Draw(4),
    "restart": _Draw(1.5, alone=False, lasts=(0.1, 4.0)),
    "drop_all": _Draw(1.5, alone=False),
}
"""Every kind of fault, by name."""


def plan(seed: int, clients: int, per_second: float) -> Iterator[Fault]:
    """The faults, one after the other, without an end.

    :param clients: how many there are.
    :param per_second: faults, on average.
    """
    dice = random.Random(f"{seed} plan")
    names: List[str] = list(KINDS)
    weights = [KINDS[name].often for name in names]
    at = 0.0
    while True:
        at += dice.uniform(0.2, 1.8) / per_second
        kind = dice.choices(names, weights)[0]
        draw = KINDS[kind]
        client = dice.randrange(clients) if draw.alone else None
        yield Fault(at, kind, client, round(dice.uniform(*draw.lasts), 2), draw.detail(dice))
