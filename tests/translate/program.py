"""Runs a translation on the simulator."""

from __future__ import annotations

import builtins
import re
import threading
import time
from typing import Any, Callable, Dict, List, Mapping

from keyyo_cti import CTI
from keyyo_cti.translate import browser
from keyyo_cti.translate.page import page

from ..helpers.running import DEADLINE


class TranslatedProgram:
    """A translation that runs in a thread of its own, as a script does in a process.

    :param python: the translation.
    :param endpoint: of the simulator.
    :param names: what the program takes for granted.
    """

    def __init__(self, python: str, endpoint: str, names: Mapping[str, Any]) -> None:
        self.said: List[str] = []
        self.error: Any = None
        self._changed = threading.Condition()
        self._ctis: List[CTI] = []
        self._endpoint = endpoint
        # The loggers of the test stay as they are.
        code = python.replace("logging.basicConfig()", "")
        code = re.sub(r"\bKeyyo\.CTI\(", "make_cti(", code)
        self.globals: Dict[str, Any] = {
            "__name__": "__main__", "print": self._print, "make_cti": self._make, **names,
        }
        self._code = compile(code, "translation", "exec")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "TranslatedProgram":
        self._before = (builtins.print, dict(browser._elements))
        builtins.print = self._print_of_modules
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        for each in [*self._ctis, *self.globals.values()]:
            if isinstance(each, CTI):
                each.close()
        self._thread.join(DEADLINE)
        page.stop()
        builtins.print = self._before[0]
        browser._elements.clear()
        if self.error is not None:
            raise self.error

    def join(self) -> None:
        """Wait for the end of the script, or until it waits for its CTI."""
        until = time.monotonic() + DEADLINE
        while self._thread.is_alive() and not self._is_waiting():
            assert time.monotonic() < until, "the script does not end"
            self._thread.join(0.02)

    def _is_waiting(self) -> bool:
        return any(getattr(cti, "_test_waits", False) for cti in self._ctis)

    def wait_for(self, count: int) -> List[str]:
        """Return what was said, once so much has come or the deadline has passed."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self.said) >= count or self.error is not None, DEADLINE
            )
            return list(self.said)

    def wait_until(self, found: Callable[[str], bool]) -> str:
        """Return the first line that is wanted."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(found, self.said)), DEADLINE), self.said
            return next(line for line in self.said if found(line))

    def _run(self) -> None:
        try:
            exec(self._code, self.globals)
        except BaseException as error:
            self.error = error
            with self._changed:
                self._changed.notify_all()

    def _make(self, *arguments: Any, **named: Any) -> CTI:
        made = _WaitingCTI(*arguments, endpoint=self._endpoint, **named)
        self._ctis.append(made)
        return made

    def _print_of_modules(self, *values: object, **named: object) -> None:
        # What is printed into a file is a traceback of an exception in a handler.
        if "file" not in named:
            self._print(*values)

    def _print(self, *values: object, **_: object) -> None:
        with self._changed:
            self.said.append(" ".join(map(str, values)))
            self._changed.notify_all()


class _WaitingCTI(CTI):
    """A CTI that shows that the script has come to its end."""

    _test_waits = False

    def wait(self, timeout: Any = None) -> bool:
        self._test_waits = True
        return super().wait(timeout)
