"""Which commands there are to send, and what each is like."""

from __future__ import annotations

import random
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

from keyyo_cti import CTI, Call, Side

from .errands import What
from .tags import as_number

#: Characters of a text that does not fit into a socket's buffers.
_HUGE = 150_000

Ask = Callable[[Optional[Callable[[Any, Any], None]]], Any]


class Chosen(NamedTuple):
    """A command that is to be sent.

    :ivar what: it is.
    :ivar ask: sends it, with a callback or None; gives its Future.
    """

    what: What
    ask: Ask


#: Makes a command with a tag, if there is one to be made.
_Make = Callable[[int], Optional[Chosen]]


class Commands:
    """Makes commands of every kind, for one thread of a client's.

    :param cti: whose they are.
    :param dice: of that thread.
    :param lines: the numbers of all lines.
    """

    def __init__(self, cti: CTI, dice: random.Random, lines: Sequence[str]) -> None:
        self._cti = cti
        self._dice = dice
        self._lines = lines
        weights: Dict[_Make, int] = {
            self._to_local: 3, self._to_int: 3, self._message: 3, self._dial: 2,
            self._dial_line: 2, self._huge: 1, self._bogus: 1, self._invalid: 1, self._ping: 1,
            self._subscriptions: 1, self._auto_answer: 1, self._on_call: 8,
        }
        self._kinds = list(weights)
        self._weights = list(weights.values())

    def choose(self, tag: int) -> Chosen:
        """Some command, for which there is this tag."""
        chosen = self._dice.choices(self._kinds, self._weights)[0](tag)
        return self._to_local(tag) if chosen is None else chosen

    def echo(self, tag: int) -> Chosen:
        """One that has no effect, and whose answer has its tag in it."""
        return self._to_local(tag)

    def _to_local(self, tag: int) -> Chosen:
        number = as_number(tag)
        return Chosen(
            What("int_to_local", "get_int_to_local_numbers", echo=number),
            lambda call: self._cti.int_to_local(number, call))

    def _to_int(self, tag: int) -> Chosen:
        number = as_number(tag)
        return Chosen(
            What("local_to_int", "get_local_to_int_number", echo=number),
            lambda call: self._cti.local_to_int(number, call))

    def _message(self, tag: int) -> Chosen:
        text = f"{as_number(tag)} what you hear is the sea"
        to = self._dice.choice(self._lines)
        return Chosen(
            What("send_message", "send_message"),
            lambda call: self._cti.send_message(to, text, call))

    def _huge(self, tag: int) -> Chosen:
        # To a number that is none, so that no telephone has to keep it.
        text = f"{as_number(tag)} " + "é" * self._dice.randrange(_HUGE // 10, _HUGE)
        return Chosen(
            What("send_message, huge", "send_message"),
            lambda call: self._cti.send_message("0", text, call))

    def _dial(self, tag: int) -> Chosen:
        return Chosen(What("dial", "call"), lambda call: self._cti.dial(as_number(tag), call))

    def _dial_line(self, tag: int) -> Chosen:
        to = self._dice.choice(self._lines)
        return Chosen(
            What("dial, a line", "call", shows_tag=False), lambda call: self._cti.dial(to, call))

    def _bogus(self, tag: int) -> Chosen:
        return Chosen(
            What("subscribe, refused"), lambda call: self._cti.subscribe(as_number(tag), call))

    def _invalid(self, tag: int) -> Chosen:
        return Chosen(
            What("send_message, invalid", invalid=True),
            lambda call: self._cti.send_message(as_number(tag), "", call))

    def _ping(self, tag: int) -> Chosen:
        return Chosen(What("ping", shows_tag=False), self._cti.ping)

    def _subscriptions(self, tag: int) -> Chosen:
        return Chosen(What("get_subscriptions", shows_tag=False), self._cti.get_subscriptions)

    def _auto_answer(self, tag: int) -> Chosen:
        return Chosen(What("get_auto_answer", shows_tag=False), self._cti.get_auto_answer)

    def _on_call(self, tag: int) -> Optional[Chosen]:
        """A command of a call that was heard of lately, if there is one."""
        calls = [call for call in self._cti.get_calls()[-30:] if not call.ended]
        if not calls:
            return None
        call, other = self._dice.choice(calls), self._dice.choice(calls)
        return self._dice.choice((
            self._plain(call.answer, "answer_call"), self._plain(call.answer, "answer_call"),
            self._plain(call.hang_up, "terminate_call"), self._plain(call.reject, "reject_call"),
            self._plain(call.pause, "pause_call"), self._plain(call.unpark, "unpark_call"),
            self._plain(call.unpark, "unpark_call"), self._park(call), self._merge(call, other),
            self._transfer(call, tag), self._supervised(call, tag),
        ))

    def _side(self) -> Side:
        return self._dice.choice(("caller", "callee"))

    def _plain(self, ask: Ask, action: str) -> Chosen:
        return Chosen(What(action, action, shows_tag=False), ask)

    def _transfer(self, call: Call, tag: int) -> Chosen:
        side = self._side()
        return Chosen(
            What("transfer", "transfer_call"),
            lambda done: call.transfer(side, as_number(tag), done))

    def _supervised(self, call: Call, tag: int) -> Chosen:
        side = self._side()
        return Chosen(
            What("supervised_transfer", "supervised_transfer_call"),
            lambda done: call.supervised_transfer(side, as_number(tag), 1, done))

    def _park(self, call: Call) -> Chosen:
        side = self._side()
        return Chosen(
            What("park", "park_call", shows_tag=False), lambda done: call.park(side, done))

    def _merge(self, call: Call, other: Call) -> Chosen:
        sides = self._side(), self._side()
        return Chosen(
            What("merge", "merge_call", shows_tag=False),
            lambda done: call.merge(sides[0], other, sides[1], done))
