"""The commands of a client: each with a tag, and with a record of what came of it."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from keyyo_cti import CommandTimeout, ConnectionClosed, ConnectionFailed, KeyyoError

from .diary import Called, Diary
from .findings import LOST, REPEATED, WRONG, Findings
from .tally import Tally

#: What can come of a command.
DONE = "result"
REFUSED = "refused by the server"
INVALID = "invalid, not sent"
TIMED_OUT = "timed out"
UNSENT = "closed, not sent"
UNKNOWN = "closed, outcome unknown"
FAILED = "no connection could be opened"

#: Those that the server has a part in.
_ANSWERED = (DONE, REFUSED)

#: Those that it must not even have seen.
_UNSEEN = (INVALID, UNSENT, FAILED)


class What(NamedTuple):
    """What a command is.

    :ivar name: of the method.
    :ivar action: on the wire, if nobody but the program asks for it.
    :ivar shows_tag: whether its tag is in what the server gets.
    :ivar invalid: whether the SDK is to refuse it.
    :ivar echo: the ``number`` that the answer is to have.
    """

    name: str
    action: Optional[str] = None
    shows_tag: bool = True
    invalid: bool = False
    echo: Optional[str] = None


class Errand:
    """One command, on its way.

    :param what: it is.
    :param tag: its own.
    :param has_callback: whether its callback is given along.
    :param diary: where that its callback was called is written.
    :param complain: is told of a callback that is called again, however late.
    :param then: what else the callback does.
    """

    def __init__(
        self,
        what: What,
        tag: int,
        has_callback: bool,
        diary: Diary,
        complain: Callable[[str, str], object],
        then: Callable[[], object],
    ) -> None:
        self.what = what
        self.tag = tag
        self.has_callback = has_callback
        self.future: "Optional[Future[Any]]" = None
        self.calls: List[Tuple[Optional[KeyyoError], Any]] = []
        self._diary = diary
        self._complain = complain
        self._then = then

    def __repr__(self) -> str:
        return f"{self.what.name} {self.tag}"

    def callback(self, error: Optional[KeyyoError], result: Any) -> None:
        """To be given along with the command."""
        self.calls.append((error, result))
        if len(self.calls) > 1:
            self._complain(REPEATED, f"the callback of {self!r} was called again")
        elif self.what.shows_tag:
            self._diary.write(Called, self.tag)
        self._then()

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it."""
        return (
            self.future is not None and self.future.done()
            and (bool(self.calls) or not self.has_callback)
        )

    def outcome(self) -> Optional[str]:
        """What has come of it; None while nobody can know."""
        if self.calls:
            return _outcome(self.calls[0][0], self.what.invalid)
        if self.future is not None and self.future.done():
            return _outcome(_error_of(self.future), self.what.invalid)
        return None

    def problems(self) -> List[Tuple[str, str]]:
        """What is wrong with what has come of it, when it is over."""
        if self.has_callback and not self.calls:
            return [(LOST, f"the callback of {self!r} was never called")]
        if self.future is None or not self.future.done():
            return [(LOST, f"the Future of {self!r} was never completed")]
        error = _error_of(self.future)
        result = None if error is not None else self.future.result(0)
        found = []
        if self.calls and (self.calls[0][0] is not error or self.calls[0][1] is not result):
            found.append(f"callback and Future of {self!r} differ")
        if (error is None) == (result is None):
            found.append(f"{self!r} has {error!r} and {result!r}: not exactly one of them")
        if self.what.invalid != (self.outcome() == INVALID):
            found.append(f"{self!r} came to be {self.outcome()}: {error!r}")
        if self.what.echo and result is not None and result.number != self.what.echo:
            found.append(f"{self!r} has the answer of another command: {result!r}")
        return [(WRONG, each) for each in found]


class Errands:
    """The commands of one client: a `cursor.Book`. Thread-safe.

    What is over is forgotten, but for what came of it.
    """

    def __init__(self, who: str, tally: Tally, findings: Findings) -> None:
        self._who = who
        self._tally = tally
        self._findings = findings
        self._lock = threading.Lock()
        self._errands: Dict[int, Errand] = {}
        # Of those that are over: what came of it, and whether there was a callback.
        self._outcomes: Dict[int, Tuple[Optional[str], bool]] = {}
        self._unseen: List[int] = []
        # How many of each action may have come in.
        self._sent: "Counter[str]" = Counter()

    def begin(
        self,
        what: What,
        tag: int,
        has_callback: bool,
        diary: Diary,
        then: Callable[[], object] = lambda: None,
    ) -> Errand:
        """A command that is about to be asked; the arguments are those of an `Errand`."""

        def complain(kind: str, problem: str) -> None:
            self._findings.add(kind, self._who, problem)

        errand = Errand(what, tag, has_callback, diary, complain, then)
        with self._lock:
            self._errands[tag] = errand
        return errand

    def calls_back(self, tag: int) -> bool:
        outcome, has_callback = self._fate(tag)
        # One that timed out was called already, and not with the answer.
        return has_callback and outcome != TIMED_OUT

    def answered(self, tag: int) -> bool:
        return self._fate(tag)[0] in _ANSWERED

    def settle(self) -> None:
        """Looks through those that are over."""
        with self._lock:
            over = [errand for errand in self._errands.values() if errand.over]
        for errand in over:
            self._settle(errand)

    def settle_all(self) -> None:
        """So does it for those that should be over by now."""
        self.settle()
        with self._lock:
            rest = list(self._errands.values())
        for errand in rest:
            self._settle(errand)

    def waiting(self) -> List[Errand]:
        """Those that are not over."""
        with self._lock:
            return [errand for errand in self._errands.values() if not errand.over]

    def unseen(self) -> List[int]:
        """The tags of those that must not have come in."""
        with self._lock:
            return list(self._unseen)

    def sent(self, action: str) -> int:
        """How many commands of an action may have come in."""
        with self._lock:
            return self._sent[action]

    def _fate(self, tag: int) -> Tuple[Optional[str], bool]:
        with self._lock:
            errand = self._errands.get(tag)
            if errand is None:
                return self._outcomes.get(tag, (None, False))
            return errand.outcome(), errand.has_callback

    def _settle(self, errand: Errand) -> None:
        for kind, problem in errand.problems():
            self._findings.add(kind, self._who, problem)
        outcome = errand.outcome()
        self._tally.add(outcome or "nothing")
        with self._lock:
            self._outcomes[errand.tag] = (outcome, errand.has_callback)
            if outcome in _UNSEEN and errand.what.shows_tag:
                self._unseen.append(errand.tag)
            if outcome not in _UNSEEN and errand.what.action is not None:
                self._sent[errand.what.action] += 1
            del self._errands[errand.tag]


def _error_of(future: "Future[Any]") -> Optional[KeyyoError]:
    error = future.exception(0)
    assert error is None or isinstance(error, KeyyoError)
    return error


def _outcome(error: Optional[KeyyoError], invalid: bool) -> str:
    if error is None:
        return DONE
    if isinstance(error, ConnectionFailed):
        return FAILED
    if isinstance(error, ConnectionClosed):
        return UNKNOWN if error.sent else UNSENT
    if isinstance(error, CommandTimeout):
        return TIMED_OUT
    return INVALID if invalid and error.error_code == "invalid_params" else REFUSED
