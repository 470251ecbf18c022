"""The user's program in a rehearsal: a function or a script, run as it is."""

from __future__ import annotations

import inspect
import logging
import os
import runpy
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Dict, Iterator, List, Sequence, Union
from unittest import mock

from .timed_simulator import TimedSimulator

ProgramLike = Union[Callable[..., object], str, "os.PathLike[str]", Sequence[str]]
"""A function that takes a CTI, or nothing; the path of a script; or that and its arguments."""

#: Where the session file of a program would be on each platform.
_STATE_FOLDERS = ("HOME",) if sys.platform == "darwin" else ("XDG_STATE_HOME", "LOCALAPPDATA")


class Program:
    """A program, and how to run it on a simulator.

    :param given: what the user passed.
    :raises TypeError: it is not a program.
    """

    def __init__(self, given: ProgramLike) -> None:
        self._function = given if callable(given) else None
        self._command: List[str] = []
        self.takes_cti = False
        if self._function is not None:
            self.takes_cti = _takes_cti(self._function)
        elif isinstance(given, (str, os.PathLike)):
            self._command = [os.fspath(given)]
        elif isinstance(given, Sequence) and given:
            self._command = [os.fspath(each) for each in given]
        else:
            raise TypeError(
                f"program: expected a function, a path or a list, got {type(given).__name__}")
        if self._command and not os.path.isfile(self._command[0]):
            raise ValueError(f"program: there is no file {self._command[0]!r}")

    @property
    def name(self) -> str:
        """Its name, for people."""
        if self._function is not None:
            return str(getattr(self._function, "__name__", type(self._function).__name__))
        return os.path.basename(self._command[0])

    def describe(self) -> List[str]:
        """Return the lines of a test that make the variable ``program``."""
        if self._function is None:
            given: Any = self._command if len(self._command) > 1 else self._command[0]
            return [f"program = {given!r}"]
        module = getattr(self._function, "__module__", None)
        path = getattr(self._function, "__qualname__", self.name)
        # A partial, an object with __call__ and an inner function cannot be imported by name.
        found = getattr(sys.modules.get(module or ""), path, None)
        if found is not self._function or module == "__main__":
            return [f"program = ...  # the {path} of this rehearsal"]
        return [f"from {module} import {path} as program"]

    def run(
        self,
        simulator: TimedSimulator,
        line: str,
        make_token: Callable[[], str],
        on_prepared: Callable[[], object],
    ) -> None:
        """Run it to its end, on this thread.

        :param line: the number of its line.
        :param make_token: returns a new CSI token.
        :param on_prepared: called when it has its handlers, if that is known.
        """
        if self._function is None:
            with _command_line(self._command):
                runpy.run_path(self._command[0], run_name="__main__")
        elif self.takes_cti:
            with simulator.connect(line, token_provider=make_token) as cti:
                self._function(cti)
                on_prepared()
                cti.wait()
        else:
            self._function()


def _takes_cti(function: Callable[..., object]) -> bool:
    """Return True if a function has one parameter.

    :raises TypeError: it needs more than one.
    """
    empty = inspect.Parameter.empty
    parameters = [
        each for each in inspect.signature(function).parameters.values()
        if each.default is empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if len(parameters) > 1 or inspect.iscoroutinefunction(function):
        raise TypeError(
            "program: expected a plain function that takes a CTI or nothing; "
            "wrap others, for example with functools.partial or asyncio.run")
    return bool(parameters)


@contextmanager
def surroundings() -> Iterator[None]:
    """Give a program an environment, a logging configuration and streams of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(mock.patch.dict(os.environ, {name: folder for name in _STATE_FOLDERS}))
        for name in ("stdin", "stdout", "stderr"):
            stack.enter_context(mock.patch.object(sys, name, getattr(sys, name)))
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)


@contextmanager
def silent_stdin() -> Iterator[Callable[[], None]]:
    """Give a program a stdin on which nothing comes.

    :yields: a function that ends it.
    """
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stdin, open(writing, "w", encoding="utf-8") as other:
        sys.stdin = stdin
        yield other.close


@contextmanager
def _command_line(command: List[str]) -> Iterator[None]:
    """Give a script its arguments and its folder; forget the modules that it imports from there.

    Otherwise the next run would have the state of this one.
    """
    folder = os.path.dirname(os.path.abspath(command[0]))
    modules = set(sys.modules)
    with mock.patch.object(sys, "argv", command), mock.patch.object(sys, "path", sys.path[:]):
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            for name in set(sys.modules) - modules:
                path = getattr(sys.modules[name], "__file__", None) or ""
                if path.startswith(folder + os.sep):
                    del sys.modules[name]


def make_environment(simulator: TimedSimulator, token: str) -> Dict[str, str]:
    """Return the variables that tell a script where the service is."""
    return {"KEYYO_ENDPOINT": simulator.endpoint, "KEYYO_CSI_TOKEN": token}
