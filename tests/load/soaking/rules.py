"""What a client is told of a notification: the rules that the README and DESIGN.md give, once
more and on their own, so that the SDK's can be held against them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Set, Union

#: The event of each state.
EVENT_OF = {"SETUP": "setup", "CONNECT": "connect", "RELEASE": "release", "MISSED": "missed"}
_STAGES = {"SETUP": 0, "CONNECT": 1, "RELEASE": 2, "MISSED": 2}
_OVER = ("RELEASE", "MISSED")


class SaysNewCall(NamedTuple):
    """``newCall``, with these fields."""

    call: Mapping[str, Any]


class SaysState(NamedTuple):
    """The event of a state."""

    callref: str
    name: str


Says = Union[SaysNewCall, SaysState]


class Memory:
    """What a client knows of its calls, whose states are the four that there are.

    :param restores: whether it restores by itself, and so passes over what it is told again.
    """

    def __init__(self, restores: bool) -> None:
        self._restores = restores
        self.calls: Dict[str, Mapping[str, Any]] = {}
        self.stale: Set[str] = set()
        self._before: Set[str] = set()

    def gap(self) -> None:
        """The connection is gone."""
        self._before = set(self.calls)
        self.stale = {ref for ref, call in self.calls.items() if call["state"] not in _OVER}

    def after_gap(self) -> Memory:
        """The same after another gap."""
        copy = Memory(self._restores)
        copy.calls = dict(self.calls)
        copy.gap()
        return copy

    def says(self, call: Mapping[str, Any]) -> List[Says]:
        """What the client is told when this comes now."""
        callref, state = call["callref"], call["state"]
        everything: List[Says] = [SaysNewCall(call), SaysState(callref, EVENT_OF[state])]
        known = self.calls.get(callref)
        if not self._restores or known is None or callref not in self._before:
            return everything
        was, is_ = _STAGES[known["state"]], _STAGES[state]
        if known == call or is_ < was:
            return []
        return everything if is_ > was else everything[:1]

    def comes(self, call: Mapping[str, Any]) -> None:
        """It has come."""
        callref = call["callref"]
        self.stale.discard(callref)
        says = self.says(call)
        if says:
            self.calls[callref] = call
        if len(says) > 1:
            # Its first news: from here on it is told as ever, until the next gap.
            self._before.discard(callref)
