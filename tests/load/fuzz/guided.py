"""Fuzzing guided by coverage, by atheris in a process of its own, which it leaves by ``_exit``.

``long_run`` runs ``python -m tests.load.fuzz.guided FOLDER TARGET SECONDS SEED`` and reads the
results from the folder.
"""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Dict, Type

from .tally import Failure, Tally

#: What is instrumented: the SDK, and the libraries that read bytes for it.
_INSTRUMENTED = ("keyyo_cti", "websocket", "requests", "urllib3", "http", "email")

#: Inputs to begin with.
_FIRST = 300

#: Seconds in which the process ends by itself, once its time is over.
_GRACE = 60.0

_TOLD = "tally.json"


def available() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def run(name: str, seconds: float, seed: int) -> Tally:
    """Tries a target for so long.

    :raises KeyboardInterrupt: with what became of it until then.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [folder, name, str(seconds), str(seed)]
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, said = process.communicate(timeout=seconds + _GRACE)
        except KeyboardInterrupt:
            process.kill()
            process.communicate()
            raise KeyboardInterrupt(_read(Path(folder), name)) from None
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        tally = _read(Path(folder), name)
        if process.returncode != 0:
            tally.failed += 1
            tally.failures["the process"] = Failure(f"ended by itself:\n{said[-4000:]}", b"")
        return tally


def _read(folder: Path, name: str) -> Tally:
    try:
        told = json.loads((folder / _TOLD).read_text())
    except FileNotFoundError:
        return Tally(name)
    failures = {
        where: Failure(error, bytes.fromhex(data))
        for where, (error, data) in told.pop("failures").items()
    }
    return Tally(failures=failures, **told)


class _Tries:
    """What libFuzzer calls with each input."""

    def __init__(self, folder: Path, target: Any, seconds: float) -> None:
        self._folder = folder
        self._target = target
        self._tally = Tally(target.name)
        self._began = time.monotonic()
        self._end = self._began + seconds
        self._tell_at = self._began

    def __call__(self, data: bytes) -> None:
        now = time.monotonic()
        if now >= min(self._tell_at, self._end):
            self._tell(now)
        if now >= self._end:
            self._target.close()
            # libFuzzer's own way out takes Python down in the middle.
            os._exit(0)
        self._tally.inputs += 1
        try:
            self._target.attempt(data)
        except Exception as error:
            self._tally.fail(error, data)

    def _tell(self, now: float) -> None:
        self._tell_at = now + 1.0
        self._tally.seconds = now - self._began
        told: Dict[str, Any] = dict(vars(self._tally))
        told["failures"] = {
            where: (failure.error, failure.data.hex())
            for where, failure in self._tally.failures.items()
        }
        new = self._folder / "new"
        new.write_text(json.dumps(told))
        new.replace(self._folder / _TOLD)


def _prepare(folder: Path, target: Any, seed: int) -> "list[str]":
    """Writes what libFuzzer begins with, and gives its options."""
    corpus = folder / "corpus"
    corpus.mkdir()
    target.draw_from(Random(seed))
    first = [*target.seeds, *(target.make() for _ in range(_FIRST))]
    for number, data in enumerate(first):
        (corpus / str(number)).write_bytes(data)
    words = ("".join(f"\\x{byte:02x}" for byte in token) for token in target.tokens if token)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    return [
        f"-dict={folder / 'words'}",
        # 0 means to take any.
        f"-seed={seed or 1}",
        f"-artifact_prefix={folder}/",
        "-max_len=4096",
        "-timeout=100",
        "-verbosity=0",
        str(corpus),
    ]


def _main(folder: str, name: str, seconds: str, seed: str) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(_INSTRUMENTED)):
        targets = importlib.import_module("tests.load.fuzz.targets")
    kind: Type[Any] = targets.TARGETS[name]
    target = kind()
    options = _prepare(Path(folder), target, int(seed))
    atheris.Setup([sys.argv[0], *options], _Tries(Path(folder), target, float(seconds)))
    atheris.Fuzz()


if __name__ == "__main__":
    _main(*sys.argv[1:])
