"""A transport that follows a script, on a clock that is set by hand."""

from __future__ import annotations

import threading
from typing import Callable, Iterator, List, Optional, Sequence, Union

from keyyo_cti._net.clock import NEVER
from keyyo_cti._sockjs.transport import SendProgress, Transport, TransportConfig

from ...helpers.background import SOON, Hand


class Together(List[Union[str, Exception]]):
    """Frames that come together."""

    def __init__(self, *frames: Union[str, Exception]) -> None:
        super().__init__(frames)


#: What happens next: a frame comes, or several, or none in time, or it fails, or the test does
#: something first. Opening is a step too: None where that succeeds.
Step = Union[str, Together, None, Exception, Callable[[], Union[str, Together, None]]]


class Scripted(Transport):
    """After its script it is silent, until somebody says goodbye or it is discarded.

    :ivar until: monotonic time by which it was to be open.
    :ivar waits: those by which it was to receive something.
    :ivar sent: what was sent by it.
    :ivar does: the other things that were asked of it, in order.
    """

    name = "scripted"
    script: Sequence[Step] = ()
    tried: List[Scripted] = []
    clock = Hand()

    def __init__(self, config: TransportConfig) -> None:
        self.config = config
        self.until = NEVER
        self.waits: List[float] = []
        self.sent: List[str] = []
        self.does: List[str] = []
        self.failing: Optional[OSError] = None
        self._last_received_at = self.clock()
        self._steps = list(self.script)
        self._together = Together()
        self.tried.append(self)

    @property
    def discarded(self) -> int:
        return self.does.count("discard")

    @property
    def last_received_at(self) -> float:
        return self._last_received_at

    def open(self, until: float) -> None:
        self.until = until
        self._step()

    def receive(self, until: float) -> Optional[str]:
        self.waits.append(until)
        frame = next(self.buffered_frames(), None) or self._step()
        if frame is None:
            self.clock.time = max(self.clock.time, until)
        else:
            self._last_received_at = self.clock()
        return frame

    def buffered_frames(self) -> Iterator[str]:
        while self._together:
            frame = self._together.pop(0)
            if isinstance(frame, Exception):
                raise frame
            yield frame

    def _step(self) -> Optional[str]:
        step = self._steps.pop(0) if self._steps else None
        if isinstance(step, Exception):
            raise step
        came = step() if callable(step) else step
        if isinstance(came, Together):
            self._together = came
            return next(self.buffered_frames(), None)
        return came

    def send(self, message: str, progress: SendProgress) -> None:
        self._fail()
        progress.begun = True
        self.sent.append(message)

    def probe(self) -> None:
        self.does.append("probe")
        self._fail()

    def send_close(self) -> None:
        self.does.append("goodbye")
        self._fail()

    def discard(self) -> None:
        self.does.append("discard")

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing


class Pause:
    """A step at which the script waits until the test goes on."""

    def __init__(self, frame: Optional[str] = None) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self._frame = frame

    def __call__(self) -> Optional[str]:
        self.reached.set()
        assert self.go_on.wait(SOON)
        return self._frame
