"""One client's diary against what was sent to it: what was lost, what was repeated.

Of a notification that was sent nobody knows whether it arrived: it may have been lost with its
connection. But connections keep the order, and so must the SDK. Of each connection the client
must have been told a beginning, without a gap and without a repetition; and that beginning must
reach as far as the last answer that the client got on it. What is to be told of a notification
is for `rules` to say.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Protocol, Set, Union

from keyyo_cti._net.clock import NEVER

from .cursor import Book, Cursor, Emission, SaysCalled
from .diary import (
    LATE,
    Called,
    Closing,
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Problem,
    Restored,
    StateEvent,
    shown,
)
from .findings import LOST, REPEATED, WRONG, Findings
from .life import CLOSED, IDLE, UP, Life
from .rules import EVENT_OF, Memory, SaysNewCall, SaysState
from .track import Track
from .wiretap import Told, Wire

#: How many entries, how many of those about the session, and how many items before and after, a
#: finding shows.
_ENTRIES, _TURNS, _ITEMS = 14, 8, 5

#: Seconds between what one thread reads off a clock and what another one does, at most.
_BLINK = 0.25

#: Seconds that a gap may begin before the last frame was read: the frame was on its way.
_LATENCY = 1.0

#: How many explanations are kept.
_TRACKS = 12


class Wires(Protocol):
    """What is known of the connections; a `Wiretap`."""

    def wires(self, line: str, after: int) -> List[Wire]:
        """Those with sessions of a line, of a greater number, oldest first."""

    def wires_of(self, tag: int) -> List[int]:
        """The numbers of those on which a tag was heard."""


class Model:
    """What one client must have been told, and what it must not.

    :param who: its name in findings.
    :param line: its line, which no other client has.
    :param restores: whether it restores by itself.
    :param events_precede_close: whether ``close()`` has the events handled that are there.
    :param is_meant: whether an ``error`` event is one that somebody caused on purpose.
    :param may_lose: whether an error is a reason to give a session up.
    :param faults: tells the last faults that may have to do with the client.
    """

    def __init__(
        self,
        who: str,
        line: str,
        restores: bool,
        wires: Wires,
        book: Book,
        findings: Findings,
        events_precede_close: bool = True,
        is_meant: Callable[[BaseException], bool] = lambda error: False,
        may_lose: Callable[[Any], bool] = lambda error: True,
        faults: Callable[[], List[str]] = list,
    ) -> None:
        self.life = Life(restores, lambda what: self._complain(WRONG, what))
        self._who = who
        self._line = line
        self._wires = wires
        self._book = book
        self._findings = findings
        self._events_precede_close = events_precede_close
        self._is_meant = is_meant
        self._may_lose = may_lose
        self._faults = faults
        # The last entries, and the last of those that are about the session.
        self._recent: List[Entry] = []
        self._turns: List[Entry] = []
        # What explains all that was told; the first one is as good as any.
        self._tracks = [Track(Memory(restores), book)]
        # The time from which on a callback may run though the events before it were left out.
        self._leaves_out_at = NEVER
        # The time since which the connection that the client is on can be open.
        self._since = 0.0
        #: The calls of which something was on its way when the program closed. The client may
        #: know it, though no handler was told.
        self.unheard: Set[str] = set()
        # What `restored` said of the session.
        self._said_recreated: Optional[bool] = None

    @property
    def memory(self) -> Memory:
        """What the client knows."""
        return self._tracks[0].memory

    @property
    def wire(self) -> Optional[Wire]:
        """The connection that the client is on, if it was told anything on it."""
        cursor = self._tracks[0].cursor
        return cursor.wire if cursor is not None else None

    def read(self, entries: List[Entry]) -> None:
        """Goes on by these entries of the diary."""
        for entry in entries:
            self._recent = [*self._recent[-_ENTRIES:], entry]
            if not isinstance(entry, (NewCall, StateEvent, Called, Problem)):
                self._turns = [*self._turns[-_TURNS:], entry]
            was = self.life.state
            self.life.see(entry)
            self._see(entry, was)

    def finish(self) -> None:
        """The client has got the answer to the last command, and was told everything since."""
        self._leave()
        self._pass(NEVER)

    def _see(self, entry: Entry, was: str) -> None:
        if isinstance(entry, NewCall):
            self._new_call(entry)
        elif isinstance(entry, StateEvent):
            self._state(entry)
        elif isinstance(entry, Called):
            self._called(entry)
        elif isinstance(entry, Disconnected):
            self._disconnected(entry, was)
        elif isinstance(entry, Closing):
            self._leaves_out_at = entry.at + (LATE if self._events_precede_close else 0.0)
        elif isinstance(entry, Ended):
            self._ended(entry)
        elif isinstance(entry, Restored):
            self._restored(entry)
        elif isinstance(entry, Opened):
            self._up()
        elif isinstance(entry, (Lost, Problem)):
            self._error(entry)

    def _error(self, entry: Union[Lost, Problem]) -> None:
        if isinstance(entry, Problem):
            if not self._is_meant(entry.error):
                self._complain(WRONG, f"an unplanned error: {entry.error!r}")
        elif not self._may_lose(entry.error):
            self._complain(WRONG, f"lost for no reason: {entry.error!r}")

    # Calls and callbacks.

    def _new_call(self, entry: NewCall) -> None:
        if entry.stale:
            self._complain(WRONG, f"{entry.call['callref']} is stale while it is notified")
        self.unheard.discard(entry.call["callref"])
        self._told(SaysNewCall(entry.call))

    def _state(self, entry: StateEvent) -> None:
        if EVENT_OF.get(entry.state or "") != entry.name:
            self._complain(WRONG, f"{entry.name} of a call that is {entry.state}")
        self._told(SaysState(entry.callref, entry.name))

    def _called(self, entry: Called) -> None:
        tag = entry.tag
        if not self._book.answered(tag):
            return
        heard_on = self._wires.wires_of(tag)
        if not heard_on:
            self._complain(WRONG, f"command {tag} was answered, though it never came in")
            return
        wire = self._known(heard_on[-1])
        # Else it is owed since before the last close, or from where there was no session yet.
        if wire is None or tag in wire.early:
            return
        what = SaysCalled(tag)
        if entry.at < self._leaves_out_at or not self._is_ahead(what, wire):
            self._told(what, wire)

    def _is_ahead(self, what: Emission, wire: Wire) -> bool:
        """True if the client gets this event before one that it has missed."""
        if any(self._followed(track, what, wire) for track in self._tracks):
            return False
        cursors = [track.cursor for track in self._tracks]
        return any(cursor is None or cursor.wire is not wire
                   or (cursor.find(what) or 0) >= cursor.at for cursor in cursors)

    def _known(self, number: int) -> Optional[Wire]:
        here = [track.cursor.wire for track in self._tracks if track.cursor is not None]
        wires = [*here, *self._candidates(min(track.last for track in self._tracks))]
        return next((wire for wire in wires if wire.number == number), None)

    def _candidates(self, after: int) -> List[Wire]:
        # Those before all tracks are forgotten by asking so.
        wires = self._wires.wires(self._line, min(track.last for track in self._tracks))
        return [wire for wire in wires
                if wire.number > after and wire.session_at >= self._since]

    def _told(self, what: Emission, on: Optional[Wire] = None) -> None:
        """The client was told this.

        :param on: the connection that it must be on, if that is known.
        """
        tracks = [new for track in self._tracks for new in self._followed(track, what, on)]
        if self._said_recreated is not None and self.life.state == UP:
            tracks = self._agreeing(tracks)
        if not tracks:
            self._mismatch(self._tracks[0], what, on)
            return
        for track in tracks:
            track.advance()
            track.movable = self.life.state != UP
        self._tracks = _different(tracks)

    def _followed(self, track: Track, what: Emission, on: Optional[Wire]) -> List[Track]:
        """The ways in which an explanation can go on with this."""
        ways = []
        here = track.cursor is not None and on in (None, track.cursor.wire)
        if here and track.fits(what):
            ways.append(track)
        if track.movable and track.can_leave():
            ways += self._moves(track, on)
        return [way for way in ways if way.fits(what)]

    def _moves(self, track: Track, on: Optional[Wire]) -> List[Track]:
        """The later connections that the client can be on instead; past one on which it has got
        an answer it cannot."""
        moves: List[Track] = []
        passed: List[Wire] = []
        for wire in self._candidates(track.last):
            passed.append(wire)
            if on in (None, wire):
                moves.append(track.moved(wire, passed))
            if not track.begun(wire).can_leave():
                break
        return moves

    def _agreeing(self, tracks: List[Track]) -> List[Track]:
        """Those that agree with what `restored` said, or all of them if none does."""
        said, self._said_recreated = bool(self._said_recreated), None
        agreeing = [track for track in tracks if track.agrees(said)]
        if tracks and not agreeing:
            self._complain(WRONG, f"recreated: {said}, which the session is not")
        return agreeing or tracks

    def _mismatch(self, track: Track, what: Emission, on: Optional[Wire]) -> None:
        """Says what is wrong, and goes on where this is right, if that is ahead."""
        self._tracks = [track]
        if on is not None and (track.cursor is None or on is not track.cursor.wire):
            if track.cursor is not None and not track.movable:
                self._complain(WRONG, f"{what} is of connection {on.number}")
            self._move_on(on)
        cursor = self._tracks[0].cursor
        if on is None and (cursor is None or cursor.find(what) is None):
            # It may be the middle of a connection whose beginning was lost.
            wires = self._candidates(track.last) if track.movable else []
            found = [wire for wire in wires if track.begun(wire).find(what) is not None]
            if found:
                self._move_on(found[0])
            cursor = self._tracks[0].cursor
        self._resume(cursor, what)

    def _move_on(self, wire: Wire) -> None:
        self._leave()
        self._pass(wire.session_at)
        self._tracks = [self._tracks[0].moved(wire, [wire])]

    def _resume(self, cursor: Optional[Cursor], what: Emission) -> None:
        place = None if cursor is None else cursor.find(what)
        if cursor is None or place is None:
            self._complain(WRONG, f"never sent: {what}")
        elif place < cursor.at:
            self._complain(REPEATED, f"told already, or too late: {what}")
        else:
            self._skip(cursor, place)
            self._go_on_at(cursor, place, what)

    def _go_on_at(self, cursor: Cursor, place: int, what: Emission) -> None:
        while cursor.next() != what:
            if cursor.at > place and not cursor.owed:
                self._complain(REPEATED, f"told, though it is known: {what}")
                return
            self._lose(cursor)
        cursor.advance()

    # What was lost.

    def _skip(self, cursor: Cursor, place: int) -> None:
        """What was to be told of the items before that place was not."""
        while cursor.next() is not None and (cursor.owed or cursor.at < place):
            self._lose(cursor)

    def _lose(self, cursor: Cursor) -> None:
        self._complain(LOST, f"not told: {cursor.next()}")
        cursor.advance()

    def _leave(self) -> None:
        """Nothing more is told of the connection."""
        able = [track for track in self._tracks if track.can_leave()]
        if able:
            self._tracks = able
            return
        del self._tracks[1:]
        cursor = self._tracks[0].cursor
        assert cursor is not None
        self._skip(cursor, cursor.acknowledged())

    def _pass(self, until: float) -> None:
        """The client was told nothing of the connections up to this time: it must not have got
        an answer there before which there was something to tell."""
        for wire in self._candidates(self._tracks[0].last):
            cursor = self._tracks[0].begun(wire)
            if wire.session_at < until and not cursor.can_leave():
                self._skip(cursor, cursor.acknowledged())

    # The session.

    def _disconnected(self, entry: Disconnected, was: str) -> None:
        if was in (IDLE, CLOSED):
            return
        if entry.fresh:
            self._complain(WRONG, f"{entry.fresh} calls are not stale after the drop")
        self._leave()
        self._cut()

    def _ended(self, entry: Ended) -> None:
        if entry.how == "destroyed" or (entry.how == "closed" and self._events_precede_close):
            self._leave()
            self._pass(entry.at)
        self._leaves_out_at = NEVER
        self._note_unheard()
        self._cut()
        self._since = entry.at

    def _note_unheard(self) -> None:
        for track in self._tracks:
            begun = [track.begun(wire) for wire in self._candidates(track.last)]
            for cursor in filter(None, (track.cursor, *begun)):
                self.unheard.update(item.call["callref"] for item in cursor.wire.items[cursor.at:]
                                    if isinstance(item, Told))

    def _cut(self) -> None:
        for track in self._tracks:
            track.cut()
        self._tracks = _different(self._tracks)
        self._said_recreated = None

    def _restored(self, entry: Restored) -> None:
        self._up()
        self._said_recreated = entry.recreated
        longest = entry.at - min(track.told_before for track in self._tracks) + _BLINK + _LATENCY
        if not 0 <= entry.gap <= longest:
            self._complain(WRONG, f"a gap of {entry.gap:.3f} s, when only {longest:.3f} s have "
                                  "passed since the last event")

    def _up(self) -> None:
        for track in self._tracks:
            track.movable = True

    def _complain(self, kind: str, what: str) -> None:
        context = ["faults:", *self._faults()]
        context += ["the session:", *map(shown, self._turns)]
        context += ["the diary:", *map(shown, self._recent)]
        for track in self._tracks[:2]:
            if track.cursor is not None:
                wire, at = track.cursor.wire, track.cursor.at
                context.append(f"connection {wire.number} ({wire.transport}), opened by "
                               f"{wire.opened_by}, at item {at} of {len(wire.items)}:")
                nearby = wire.items[max(0, at - _ITEMS):at + _ITEMS]
                context += map(shown, nearby)
        context += [
            f"connection {wire.number}: {wire.opened_by} at {wire.session_at:.3f}, "
            f"closed at {wire.closed_at or NEVER:.3f}"
            for wire in self._wires.wires(self._line, 0)
        ]
        self._findings.add(kind, self._who, what, context)


def _different(tracks: List[Track]) -> List[Track]:
    """Without those that are like another."""
    different: List[Track] = []
    for track in tracks:
        if not any(track.is_like(other) for other in different):
            different.append(track)
    return different[:_TRACKS]
