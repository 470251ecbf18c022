"""Everything that can be done to a call on the simulator, by the program and by others."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set

from keyyo_cti.simulator.calls import Call
from keyyo_cti.simulator.errors import NotPossible

from ....simulator.desk import ALICE, BOB, CAROL
from .watching import ERIN, FRANK, LINES, Asker, Program, World

OPERATIONS = (
    "transfer", "taken", "refused", "timed out", "merge", "consult", "park", "unpark", "pause",
)


class Step(NamedTuple):
    """One operation.

    :ivar own: True if the program under test does it.
    """

    operation: str
    own: bool


class Scene:
    """A conversation on the simulator, programs that watch it, and what is done to it.

    :param gap: seconds between two operations.
    :param everything: True if the program that does them watches all lines, not only its own.
    :param alone: True if no other program watches.
    """

    def __init__(self, gap: float = 0.0, everything: bool = True, alone: bool = False) -> None:
        self.world = World()
        self.gap = gap
        every_line = [CAROL, ERIN, FRANK, "callpark"]
        self.program = Program(self.world, ALICE, every_line if everything else [])
        self.watchers = {"the program": self.program}
        if not alone:
            self.watchers["everything"] = Program(self.world, ALICE, every_line)
            self.watchers["one line"] = Program(self.world, ALICE)
            self.watchers["a colleague"] = Program(self.world, CAROL)
        self.others = [
            Asker(self.world, own, [each for each in LINES if each != own] + ["callpark"])
            for own in (CAROL, ALICE)
        ]
        self.call = self.world.begin(
            lambda: self.world.exchange.place_call(self.world.bob, ALICE)
        )
        self.world.exchange.pick_up(self.world.alice)
        self.own_only = True

    # What is done.

    def play(self, step: Step) -> None:
        """Do one operation to the call that goes on, with the telephones that it needs."""
        self.world.clock.advance(self.gap)
        if self.live is None:
            return
        asked = self.program if step.own else self._other(step.operation)
        done = getattr(self, "_" + step.operation.replace(" ", "_"))(asked, self.live)
        if done and not step.own:
            self.own_only = False
        self.expire()

    def expire(self) -> None:
        for watcher in self.watchers.values():
            watcher.expire()

    def end(self) -> None:
        for ref in sorted(self.world.live()):
            if ref in self.world.live():
                self.world.exchange.end(self.world.exchange.find_call(ref))

    @property
    def live(self) -> Optional[Call]:
        """The call of the conversation that goes on."""
        refs = self.world.groups[self.call]
        live = [each for each in self.world.exchange.get_live_calls()
                if each.record.callref in refs]
        return live[-1] if live else None

    def _other(self, operation: str) -> Asker:
        # Another line takes parked calls back, so that they move.
        return self.others[0] if operation == "unpark" else self.others[1]

    def _do(self, asked: Asker, refs: Sequence[str], action: str, **fields: Any) -> List[str]:
        agreed: List[bool] = []
        made = self.world.act(
            refs, lambda: agreed.append(asked.ask(action, call_ref=refs[0], **fields))
        )
        self._agreed = agreed[0]
        return made

    def visible(self, watcher: Program) -> Set[str]:
        """The live calls of which a program is still notified."""
        lines = watcher.model.guesses.lines or frozenset()
        return {call.record.callref for call in self.world.exchange.get_live_calls()
                if call.record.audience & lines}

    def _sides(self, call: Call) -> Dict[str, Any]:
        """The customer's side, or the caller's, and a line that is free to take the call."""
        record = call.record
        side = "callee" if record.callee == BOB else "caller"
        free = next(each for each in LINES
                    if each not in (record.caller, record.callee) and not self._legs(each))
        return {"side": side, "to": free}

    def _legs(self, number: str) -> List[Any]:
        return self.world.exchange.find_legs(self.world.exchange.get_subscriber(number))

    def _pick_up(self, number: str, refs: Sequence[str]) -> None:
        line = self.world.exchange.get_subscriber(number)
        self.world.act(refs, lambda: self.world.exchange.pick_up(line))

    def _transfer(self, asked: Asker, call: Call) -> bool:
        sides = self._sides(call)
        made = self._do(asked, [call.record.callref], "transfer_call", **sides)
        if made:
            self._pick_up(sides["to"], made)
        return self._agreed

    def _supervise(self, asked: Asker, call: Call, **more: Any) -> List[str]:
        ref = call.record.callref
        made = self._do(asked, [ref], "supervised_transfer_call", **self._sides(call), **more)
        self.world.announcing.update(made)
        return made

    def _taken(self, asked: Asker, call: Call) -> bool:
        made = self._supervise(asked, call)
        if made:
            second = self.world.exchange.find_call(made[0])
            self._pick_up(second.record.callee, made)
        return self._agreed

    def _refused(self, asked: Asker, call: Call) -> bool:
        made = self._supervise(asked, call)
        if made:
            self.world.exchange.end(self.world.exchange.find_call(made[0]))
        return self._agreed

    def _timed_out(self, asked: Asker, call: Call) -> bool:
        if self._supervise(asked, call, invite_timer=20):
            self.world.clock.advance(20)
        return self._agreed

    def _consult(self, asked: Asker, call: Call) -> bool:
        """The agent calls a colleague by himself, and connects him with the customer."""
        ref, sides = call.record.callref, self._sides(call)
        agent = call.record.caller if sides["side"] == "callee" else call.record.callee
        if not call.talking or agent not in LINES or (asked is self.program and agent != ALICE):
            return False
        line = self.world.exchange.get_subscriber(agent)
        if asked is self.program:
            second = self.world.begin(lambda: asked.ask("call", number=sides["to"]))
        else:
            # Nothing tells it from a supervised transfer.
            made = self.world.act([ref], lambda: self.world.exchange.place_call(line, sides["to"]))
            second = made[0]
            self.world.announcing.add(second)
        self._pick_up(sides["to"], [second])
        self._do(asked, [ref, second], "merge_call", side=sides["side"], call_ref2=second,
                 side2="callee")
        if call.record.caller != agent:
            self.world.announcing.add(second)
        return self._agreed

    def _merge(self, asked: Asker, call: Call) -> bool:
        """Another line calls the agent, who connects it with the customer."""
        record = call.record
        sides = self._sides(call)
        side = sides["side"]
        agent = record.party("caller" if side == "callee" else "callee")
        caller = self.world.exchange.get_subscriber(sides["to"])
        second = self.world.begin(lambda: self.world.exchange.place_call(caller, agent))
        try:
            self.world.exchange.connect(self.world.exchange.find_call(second))
        except NotPossible:  # The other party is an outside telephone, which is busy.
            return False
        self._do(asked, [record.callref, second], "merge_call", side=side, call_ref2=second,
                 side2="caller")
        if not self._agreed:
            self.world.exchange.end(self.world.exchange.find_call(second))
        return self._agreed

    def _park(self, asked: Asker, call: Call) -> bool:
        self._do(asked, [call.record.callref], "park_call", side=self._sides(call)["side"])
        return self._agreed

    def _pause(self, asked: Asker, call: Call) -> bool:
        self._do(asked, [call.record.callref], "pause_call")
        return self._agreed

    def _unpark(self, asked: Asker, call: Call) -> bool:
        self._do(asked, [call.record.callref], "unpark_call")
        return self._agreed
