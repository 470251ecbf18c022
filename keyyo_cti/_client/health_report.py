"""A ``Health`` from what a client keeps anyway."""

from typing import Dict, Literal, Optional

from .._net import process
from .._net.clock import wall_clock
from ..health import Health, SlowHandler
from .handler_times import Timed
from .session_state import State
from .shared import Shared

Word = Literal["connected", "connecting", "restoring", "disconnected"]

_WORDS: Dict[State, Word] = {
    State.OPENING: "connecting",
    State.OPEN: "connected",
    State.RESTORING: "restoring",
}


def make_health(shared: Shared, process_of_client: int) -> Health:
    """Return the health of a client. From any thread; it takes no lock and sends nothing.

    :param process_of_client: the number of the process that the client belongs to.
    """
    if process_of_client != process.current():
        # A forked child has none of the parent's threads, and so no connection.
        return Health(wall_clock(), "disconnected")
    session, history = shared.session, shared.session.history
    now, at = history.clock(), history.wall()
    current = shared.sessions.current
    state: Word = "disconnected"
    transport, silence, round_trip = None, None, None
    if current is not None:
        # It may have ended since.
        state = _WORDS.get(current.state, state)
        transport = current.connection.transport
        silence, round_trip = current.connection.vitals
    is_ours = state in ("connected", "restoring")
    numbers = session.settings.list_subscriptions(session.number) if is_ours else None
    drops, gaps, gap_seconds = history.summary(now)
    slowest = shared.dispatcher.slowest(now)

    def as_unix(time: Optional[float]) -> Optional[float]:
        # From the wall clock as it is now. Otherwise times from before it was set would be wrong.
        return None if time is None else at - (now - time)

    def describe(timed: Timed) -> SlowHandler:
        began = at - (now - timed.ended_at) - timed.seconds
        return SlowHandler(timed.event, timed.function, timed.seconds, began, timed.running)

    return Health(
        at=at,
        state=state,
        number=session.number,
        connected_since=as_unix(history.opened_at) if state == "connected" else None,
        transport=transport,
        last_frame=as_unix(history.last_frame_at if silence is None else now - silence),
        round_trip=history.round_trip if round_trip is None else round_trip,
        drops=drops,
        gaps=gaps,
        gap_seconds=gap_seconds,
        token_until=None if shared.token is None else shared.token.good_until(at),
        backlog=shared.dispatcher.count_backlog(),
        slowest_handler=None if slowest is None else describe(slowest),
        subscriptions=None if numbers is None else tuple(numbers),
    )
