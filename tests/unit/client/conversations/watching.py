"""Programs that watch the lines of a simulator without sockets, and the truth about its calls."""

from __future__ import annotations

import itertools
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Sequence, Set

from keyyo_cti._client import handovers
from keyyo_cti._client.conversation_model import ConversationModel
from keyyo_cti._client.conversation_views import ConversationViews, State, read_root
from keyyo_cti._client.handovers import Handover, make_handover
from keyyo_cti._client.leg_groups import LegGroups
from keyyo_cti._client.legs import Leg
from keyyo_cti._client.wire import Command as Asked
from keyyo_cti.simulator.clients import Client
from keyyo_cti.simulator.commands import Command
from keyyo_cti.simulator.exchange import Subscriber

from ....simulator.desk import ALICE, CAROL, Desk, MemoryWire
from .keys import key_of

ERIN = "33199000003"
FRANK = "33199000004"
LINES = [ALICE, CAROL, ERIN, FRANK]


class Asker(MemoryWire):
    """A client that sends commands and looks at their replies only.

    :param numbers: its subscriptions beside its own line.
    """

    def __init__(self, desk: "World", own: str, numbers: Iterable[str] = ()) -> None:
        super().__init__()
        self._desk = desk
        desk.clients.add(self)
        self.client: Client = desk.clients[self]
        desk.ask(self.client, "create_session", token=desk.token(own))
        for number in numbers:
            desk.ask(self.client, "subscribe", number=number)

    def send(self, text: str) -> bool:
        return '"notify"' in text or super().send(text)

    def ask(self, action: str, **fields: Any) -> bool:
        """Send a command; return True if the service has agreed."""
        self.messages.clear()
        number = next(self._desk.numbers)
        self._desk.actions.perform(self.client, Command(number, {"action": action, **fields}))
        return "result" in self.messages[-1]


class Program(Asker):
    """A model that is fed what a client of the desk is sent, and what it asks."""

    def __init__(self, desk: "World", own: str, numbers: Iterable[str] = ()) -> None:
        self.model = ConversationModel(LegGroups(ConversationViews, lambda: False), key_of)
        self.model.guesses.own = own
        self.model.guesses.lines = frozenset([own, *numbers])
        self.legs: Dict[str, Leg] = {}
        self.ended: List[ConversationViews[Any]] = []
        self._asked: Optional[Handover] = None
        super().__init__(desk, own, numbers)

    def send(self, text: str) -> bool:
        MemoryWire.send(self, text)
        message = self.messages[-1]
        now = self._desk.clock()
        if "notify" in message:
            self.notify(message["call"], now)
        elif self._asked is not None:
            outcome = handovers.REFUSED if "error" in message else handovers.DONE
            self.model.resolve(self._asked, outcome, now)
        self.model.take_changes()
        return True

    def notify(self, fields: Dict[str, Any], now: float) -> None:
        ref = fields["callref"]
        self.legs[ref] = self.model.notify(self.legs.get(ref), ref, ref, fields, now)

    def ask(self, action: str, **fields: Any) -> bool:
        self._asked = make_handover(Asked(action, fields))
        if self._asked is not None:
            self.model.begin(self._asked, self._desk.clock())
        return super().ask(action, **fields)

    def expire(self) -> None:
        self.ended += self.model.expire(self._desk.clock())
        self.model.take_changes()

    def state(self, ref: str) -> State:
        return read_root(self.legs[ref].views.read())[1]


class World(Desk):
    """The simulator with four lines, and the truth: which calls belong together, and which ended.

    :ivar groups: the calls of each conversation, by any of its callrefs.
    :ivar announcing: the calls in which a colleague announces another party.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1000)
        self.groups: Dict[str, Set[str]] = {}
        self.announcing: Set[str] = set()
        self.by_others: Set[str] = set()
        self.lines: List[Subscriber] = [self.exchange.add_line(each) for each in LINES]

    def live(self) -> FrozenSet[str]:
        return frozenset(call.record.callref for call in self.exchange.get_live_calls())

    def known(self) -> List[str]:
        return [record.callref for record in self.exchange.get_records()]

    def act(self, calls: Sequence[str], action: Callable[[], object]) -> List[str]:
        """Do something to calls of a conversation; the calls that it makes belong to it.

        :returns: the calls that it makes.
        """
        before = set(self.known())
        action()
        made = [ref for ref in self.known() if ref not in before]
        made.sort(key=_order)
        group: Set[str] = set(made)
        for ref in calls if made else ():
            group |= self.groups[ref]
        for ref in group:
            self.groups[ref] = group
        return made

    def begin(self, action: Callable[[], object]) -> str:
        """Make a call that continues none."""
        return self.act([], action)[0]

    def first(self, ref: str, seen: Iterable[str]) -> str:
        """Return the call with which a conversation began, of those that a program has seen."""
        calls = sorted(self.groups[ref] & set(seen), key=_order)
        return next((each for each in calls if each not in self.announcing), calls[0])


def _order(ref: str) -> int:
    return int(ref.rpartition("-")[2])
