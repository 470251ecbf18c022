"""Asks the history about the gaps of one client, on threads of its own."""

import logging
from collections import deque
from functools import partial
from typing import Any, Callable, Deque, List, Optional, Sequence

from .._catch_up.endings import complete
from .._catch_up.findings import Gap
from .._catch_up.inquiry import Answer, Inquiry, Request
from .._catch_up.last_run import State
from .._catch_up.matching import ToldCall
from .._catch_up.told_calls import ToldCalls, describe, exclude
from .._net import process
from .._net.clock import NEVER, monotonic
from .._net.reentrant import Wakeup
from ..call import Call
from ..catch_up import CatchUp, CaughtUp, make_caught_up
from .call_views import is_stale, latest_fields
from .deadline_thread import DeadlineThread
from .line_numbers import LineNumbers
from .notifications import EventSource
from .registry import Registry
from .server_clock import ServerClock
from .shared import Shared

_log = logging.getLogger("keyyo_cti")

EVENT = "caughtUp"

#: Seconds for which a told call is remembered beyond the margin: the service's dates are whole
#: seconds, and its clock is known only to within some.
_MEMORY = 60.0

#: Maximum seconds until a told call is in the file of the last run.
_SAVE_DELAY = 1.0

#: Seconds between two changes of the file without a call.
_SAVE_PERIOD = 30.0

#: Seconds by which the service's clock, as two runs know it, may differ without a warning.
_MAX_AHEAD = 60.0

#: Maximum seconds since the last run: the window of the history slides.
_MAX_GAP = 31 * 86_400.0


class _Posted:
    """An answer whose handlers have not run.

    :ivar ends: calls whose ends it tells, as they were before.
    :ivar caught_up: the argument of the event, once it is made.
    :ivar dropped: True if no handler was called, because the program had closed.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.since = answer.gaps[0].since
        self.ends = [told for told, _ in answer.findings.ends]
        self.caught_up: Optional[CaughtUp] = None
        self.dropped = False


class Gaps:
    """Follows when a client hears its line, and asks the history about the rest.

    The threads of sessions only leave notes in an inbox. One thread of its own reads them, decides
    and saves. Another one asks and completes waits: both are user code, which may take its time.
    They live while there is something to do. Handlers run where they always do.

    :param catch_up: the option.
    :param number: of the client, for the name of the thread.
    """

    def __init__(
        self,
        catch_up: CatchUp,
        shared: Shared,
        registry: Registry,
        clock: ServerClock,
        lines: LineNumbers,
        number: int,
    ) -> None:
        self._shared = shared
        self._registry = registry
        self._clock = clock
        self._lines = lines
        self._last_run = catch_up.last_run
        self._memory = catch_up.timing.margin + _MEMORY
        # The registry's lock guards it.
        self._told = ToldCalls(self._memory, latest_fields, clock.now)
        self._process = process.current()
        # The state below belongs to the thread, except where noted.
        self._inbox: Deque[Callable[[], object]] = deque()
        self._inquiry = Inquiry(catch_up.timing, catch_up.search, self._list_told)
        self._earlier: List[ToldCall] = []
        self._source: Optional[EventSource] = None
        self._is_open = False
        self._heard_until: Optional[float] = None
        self._save_at = NEVER
        # Monotonic time of the first notification that is not in the file; NEVER if all are.
        # The reader thread sets it, too.
        self._dirty_at = NEVER
        self._posted: List[_Posted] = []
        self._idle = Wakeup()
        self._is_working = False
        self._thread = DeadlineThread(f"keyyo-cti-catch-up-{number}", self._due, self._work)
        # What the other thread has to do; what it does now is the first.
        self._jobs: Deque[Callable[[], object]] = deque()
        self._worker = DeadlineThread(
            f"keyyo-cti-catch-up-{number}-history", lambda: 0.0 if self._jobs else NEVER,
            self._do_job,
        )
        shared.session.history.watcher = self
        shared.notifications.on_call = self.on_call

    # By the threads of sessions, and by the program when it closes.

    def on_open(self, gap: Optional[float]) -> None:
        """Note that a session is open, after a gap of so many seconds or after none."""
        now = self._clock.now()
        if gap is not None:
            self._told.keeps_all = True
        if gap is not None or self._last_run is not None:
            self._note(partial(self._begin, gap, now, monotonic()))

    def on_end(self, silence: float) -> None:
        """Note that the connection has ended, after so many seconds of silence."""
        self._told.keeps_all = True
        self._note(partial(self._end, self._clock.now() - silence, False))

    def on_close(self) -> None:
        """Note that the program closes."""
        self._note(partial(self._end, self._clock.now() - self._read_silence(), True))

    def on_call(self, call: Call) -> None:
        """Note that a call was notified. Under the registry's lock, on the reader thread."""
        self._told.add(call)
        if self._last_run is not None and self._dirty_at == NEVER:
            self._dirty_at = now = monotonic()
            self._thread.on_added(now + _SAVE_DELAY)

    def finish(self, timeout: float) -> None:
        """Wait until the file is saved and the threads have ended.

        A request that is under way ends with its own timeout.
        """
        until = monotonic() + timeout
        if self._dirty_at != NEVER:
            # Handlers were called until now, after the end was noted.
            self._note(self._save)
        if self._idle.wait_for(lambda: not self._is_working and self._due() == NEVER, timeout):
            self._thread.finish(max(0.0, until - monotonic()))
        self._worker.finish(max(0.0, until - monotonic()))

    def _note(self, note: Callable[[], object]) -> None:
        self._inbox.append(note)
        self._thread.on_added(0.0)

    def _read_silence(self) -> float:
        """Return the seconds since the last frame. An event behind it may be lost."""
        current = self._shared.sessions.current
        silence = None if current is None else current.connection.vitals[0]
        return silence or 0.0

    # By its own thread.

    def _due(self) -> float:
        if self._inbox:
            return 0.0
        if self._find_source() is None:
            # Without a session no handler can run. The next session has the gap too.
            return NEVER
        save_at = min(self._save_at, self._dirty_at + _SAVE_DELAY)
        return min(self._inquiry.due, save_at if self._is_open else NEVER)

    def _work(self) -> None:
        self._is_working = True
        try:
            self._do_due()
        except process.OtherProcess:
            raise
        except Exception:
            # A bug. The thread goes on, so that later gaps have their event.
            _log.exception("catching up has failed")
            self._inquiry.forget()
        finally:
            self._is_working = False
            self._idle.notify_all()

    def _do_due(self) -> None:
        self._take_notes()
        if monotonic() >= self._inquiry.due and self._find_source() is not None:
            self._perform(partial(self._ask, self._inquiry.begin()))
        pending = self._inquiry.since is not None or bool(self._inbox or self._posted)
        self._told.keeps_all = pending or not self._is_open
        if self._is_open and monotonic() >= min(self._save_at, self._dirty_at + _SAVE_DELAY):
            self._save()

    def _take_notes(self) -> None:
        while self._inbox:
            self._inbox.popleft()()

    def _perform(self, job: Callable[[], object]) -> None:
        self._jobs.append(job)
        self._worker.on_added(0.0)
        if not self._worker.is_running():
            # The system has no thread left.
            while self._jobs:
                self._do_job()

    def _on_answer(self, request: Request) -> None:
        self._inquiry.is_down = not self._is_open
        answer = self._inquiry.end(request)
        if answer is not None:
            posted = _Posted(answer)
            self._posted.append(posted)
            self._perform(partial(self._tell, posted))

    def _begin(self, seconds: Optional[float], now: float, at: float) -> None:
        """Begin to hear the line, after a gap or at the start."""
        self._is_open = True
        since = self._find_start(now) if seconds is None else now - seconds
        self._heard_until = None
        if since is not None:
            self._inquiry.add(Gap(since, now), at)
        self._repeat_dropped()
        if self._last_run is not None:
            self._save()

    def _find_start(self, now: float) -> Optional[float]:
        """Return until when the line was heard, in this run or in the last one."""
        assert self._last_run is not None, "without a file, a first session is not noted"
        since = self._heard_until
        if since is None:
            state = self._last_run.load()
            if state is None:
                return None
            since, self._earlier = state.heard_until, list(state.told)
            self._inquiry.reported.update(state.reported)
            self._inquiry.running.update(state.running)
            self._inquiry.past = [*state.past, *self._inquiry.past]
            if since > now + _MAX_AHEAD:
                _log.warning(
                    "the file of the last run is from the future, as after a change of the clock: "
                    "calls since then are not asked for"
                )
        return max(since, now - _MAX_GAP) if since < now else None

    def _end(self, heard_until: float, closed: bool) -> None:
        """Stop hearing the line."""
        if self._is_open:
            self._is_open = False
            first = self._inquiry.since
            self._heard_until = heard_until if first is None else min(first, heard_until)
            self._save()
        if closed:
            self._inquiry.forget()

    def _find_source(self) -> Optional[EventSource]:
        current = self._shared.sessions.current
        if current is not None:
            self._source = current.events
        return None if current is None else self._source

    def _on_told(self, posted: _Posted) -> None:
        self._posted.remove(posted)
        if self._inquiry.since is None and not self._posted:
            # A gap that begins at once could still show the others.
            before = self._clock.now() - self._memory
            recent = [told for told in self._earlier if max(told.starts) > before]
            self._earlier = [told._replace(stale=False) for told in recent]
        self._save()

    def _on_dropped(self, posted: _Posted) -> None:
        if self._last_run is None:
            self._posted.remove(posted)
        else:
            posted.dropped = True
            self._repeat_dropped()

    def _repeat_dropped(self) -> None:
        """Emit the events for which the program had closed, now that it has a session again."""
        source = self._find_source()
        if source is not None and not source.muted and self._is_open:
            for posted in self._posted:
                if posted.dropped:
                    posted.dropped = False
                    self._perform(partial(self._post, source, posted))

    def _list_told(self) -> Sequence[ToldCall]:
        with self._registry.lock:
            rows = [
                (call, latest_fields(call), first, is_stale(call))
                for call, first in self._told.all().items()
            ]
        told = [describe(*row, normalize=self._lines.normalize) for row in rows]
        # A call that goes on over a restart is notified again.
        return told + exclude(self._earlier, told)

    def _save(self) -> None:
        if self._last_run is None:
            return
        self._dirty_at, self._save_at = NEVER, monotonic() + _SAVE_PERIOD
        heard_until, pending = self._heard_until, self._inquiry.since
        if heard_until is None:
            heard_until = self._clock.now() - self._read_silence()
        starts = [posted.since for posted in self._posted]
        starts += [heard_until] if pending is None else [heard_until, pending]
        reported, running = dict(self._inquiry.reported), dict(self._inquiry.running)
        for posted in self._posted:
            for call_id in posted.answer.ids:
                reported.pop(call_id, None)
            # They may have begun in an earlier gap.
            untold = posted.answer.findings.untold
            running.update((each.call_id, each.start_time) for each in untold)
        kept, past = self._list_kept(), self._inquiry.past
        self._last_run.save(State(min(starts), kept, reported, running, past))

    def _list_kept(self) -> List[ToldCall]:
        """Return the told calls for the next run, where those that go on now may have ended."""
        # Those whose end is not told yet: they are settled in the meantime.
        kept = [told for posted in self._posted for told in posted.ends]
        known = {_identify(told) for told in kept}
        for told in self._list_told():
            if _identify(told) in known:
                continue
            call: Any = told.call
            ends = told.stale if call is None else not call.ended
            kept.append(told._replace(stale=ends))
        return kept

    # By the other thread.

    def _do_job(self) -> None:
        try:
            self._jobs[0]()
        except process.OtherProcess:
            raise
        except Exception:
            # A bug. Later gaps must have their event.
            _log.exception("catching up has failed")
        finally:
            self._jobs.popleft()

    def _ask(self, request: Request) -> None:
        request.run()
        # The history may have forked; the parent decides.
        process.check(self._process)
        self._note(partial(self._on_answer, request))

    def _tell(self, posted: _Posted) -> None:
        """Settle the stale calls, and emit the event."""
        source = self._source
        assert source is not None
        ends, told_ends = [], []
        for told, record in posted.answer.findings.ends:
            call, settle = told.call, self._shared.notifications.settle
            if call is None or settle(source, call, partial(complete, record)):
                ends.append((record, call))
                told_ends.append(told)
            # Otherwise its end was told in the meantime.
        posted.ends = told_ends
        posted.caught_up = make_caught_up(posted.answer, ends)
        self._post(source, posted)

    def _post(self, source: EventSource, posted: _Posted) -> None:
        source.post(EVENT, posted.caught_up, work=partial(self._emit, source, posted))

    # Where handlers run.

    def _emit(self, source: EventSource, posted: _Posted) -> None:
        emitted = not source.muted and (
            source.emit(EVENT, posted.caught_up) or not source.muted
        )
        # Only now: a program that ends before asks again when it runs next.
        self._note(partial(self._on_told if emitted else self._on_dropped, posted))


def _identify(told: ToldCall) -> object:
    return (*told[:3], told.callref) if told.call is None else told.call
