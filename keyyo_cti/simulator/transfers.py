"""Transfers: new connections between the parties of calls."""

from __future__ import annotations

from .calls import Call, get_other_side, require_distinct
from .errors import NotPossible
from .exchange import Exchange


class Transfers:
    """Transfer, supervised transfer and merge on an exchange.

    :param exchange: holds the calls.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def transfer(self, call: Call, side: str, to: str) -> None:
        """Release the call and let the party on `side` call `to`.

        :raises WrongValue: `to` is the transferred party itself.
        :raises NotPossible: the parties of the call do not talk.
        """
        party = call.record.party(side)
        require_distinct(party, self._exchange.get_subscriber(to).number)
        _require_talking(call)
        self._exchange.end(call)
        self._exchange.place_call(self._exchange.get_subscriber(party), to)

    def supervised_transfer(self, call: Call, side: str, to: str, invite_timer: int = 0) -> None:
        """Call `to`, and connect the party on `side` with it if it picks up.

        :param invite_timer: timeout in seconds for the second call; 0 is no timeout.
        :raises WrongValue: `to` is a party of the call.
        :raises NotPossible: the parties of the call do not talk.
        """
        party, supervisor = call.record.party(side), call.record.party(get_other_side(side))
        require_distinct(party, supervisor, self._exchange.get_subscriber(to).number)
        _require_talking(call)
        second = self._exchange.place_call(self._exchange.get_subscriber(supervisor), to)
        if second.ended:
            return
        second.on_connect.append(lambda: self._complete(call, party, second))
        call.on_end.append(lambda: self._give_up(second))
        if invite_timer:
            self._exchange.end_if_unanswered(second, invite_timer)

    def merge(self, first: Call, side: str, second: Call, second_side: str) -> None:
        """Connect one party of each of two calls and release both calls.

        :raises WrongValue: the two calls or the two parties are the same.
        :raises NotPossible: the parties of one of the calls do not talk.
        """
        require_distinct(first.record.callref, second.record.callref)
        parties = first.record.party(side), second.record.party(second_side)
        require_distinct(*parties)
        _require_talking(first)
        _require_talking(second)
        self._exchange.end(first)
        self._exchange.end(second)
        self._exchange.join(*parties)

    def _complete(self, call: Call, party: str, second: Call) -> None:
        # If the first call was parked meanwhile, the second becomes an ordinary call.
        if call.talking:
            self.merge(call, call.get_side(party), second, "callee")

    def _give_up(self, second: Call) -> None:
        if second.ringing:
            self._exchange.end(second)


def _require_talking(call: Call) -> None:
    if not call.talking:
        raise NotPossible(f"the parties of {call.record.callref} do not talk")
