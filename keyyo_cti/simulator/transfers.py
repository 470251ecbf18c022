"""Transfers: how the parties of calls are connected anew."""

from __future__ import annotations

from .calls import Call, other_side, require_distinct
from .errors import NotPossible
from .exchange import Exchange


class Transfers:
    """Transfer, supervised transfer and merge on an exchange.

    :param exchange: where the calls are.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def transfer(self, call: Call, side: str, to: str) -> None:
        """Send the party on `side` to `to`: the call is released, and the party calls `to`.

        :raises WrongValue: `to` is the transferred party itself.
        :raises NotPossible: the parties of the call do not talk.
        """
        party = call.record.party(side)
        require_distinct(party, self._exchange.station(to).number)
        _require_talking(call)
        self._exchange.end(call)
        self._exchange.place_call(self._exchange.station(party), to)

    def supervised_transfer(self, call: Call, side: str, to: str, invite_timer: int = 0) -> None:
        """Call `to` first, and connect it with the party on `side` only if it picks up.

        :param invite_timer: seconds before the second call is given up; 0 never gives up.
        :raises WrongValue: `to` is a party of the call.
        :raises NotPossible: the parties of the call do not talk.
        """
        party, supervisor = call.record.party(side), call.record.party(other_side(side))
        require_distinct(party, supervisor, self._exchange.station(to).number)
        _require_talking(call)
        second = self._exchange.place_call(self._exchange.station(supervisor), to)
        if second.ended:
            return
        second.on_connect.append(lambda: self._complete(call, party, second))
        call.on_end.append(lambda: self._give_up(second))
        if invite_timer:
            self._exchange.end_if_unanswered(second, invite_timer)

    def merge(self, first: Call, side: str, second: Call, second_side: str) -> None:
        """Connect a party of each of two calls; both calls are released.

        :raises WrongValue: the calls are one, or the two parties are.
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
        # A call parked meanwhile stays where it is: the second one becomes an ordinary call.
        if call.talking:
            self.merge(call, call.side_of(party), second, "callee")

    def _give_up(self, second: Call) -> None:
        if second.ringing:
            self._exchange.end(second)


def _require_talking(call: Call) -> None:
    if not call.talking:
        raise NotPossible("the parties of the call do not talk")
