"""Programs of ``tests/node``, which run npm's SockJS: the reference that ours is to agree with."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Optional, TypeVar

from .running import ROOT, Running, environment

FOLDER = ROOT / "tests" / "node"

NODE = shutil.which("node")

Program = TypeVar("Program", bound="NodeProgram")


def missing() -> Optional[str]:
    """Why these programs cannot run, for ``pytest.mark.skipif``; None when they can."""
    wanted = _read(FOLDER / "package.json")["dependencies"]
    there = {name: _read(FOLDER / "node_modules" / name / "package.json") for name in wanted}
    if NODE and all(there[name].get("version") == wanted[name] for name in wanted):
        return None
    return "needs Node and the packages of tests/node: npm ci --prefix tests/node"


class NodeProgram(Running):
    """A script of ``tests/node`` in a process of its own; use it in a ``with`` statement.

    :param script: its name.
    :param arguments: what it is given.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        assert NODE is not None, missing()
        self.process = subprocess.Popen(
            [NODE, str(FOLDER / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        )
        self._queues = {}
        streams = {"out": self.process.stdout, "err": self.process.stderr}
        self._threads = [
            self._pump(name, stream) for name, stream in streams.items() if stream is not None
        ]

    def __enter__(self: Program) -> Program:
        return self


class EchoServer(NodeProgram):
    """npm's SockJS server, which echoes; ``echo_server.js`` tells what else it can do.

    :param options: those of ``sockjs.createServer``, and a few more.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("echo_server.js", json.dumps(options))
        try:
            self.endpoint = f"http://127.0.0.1:{int(self.until(''))}/echo"
        except BaseException:
            self.__exit__()
            raise


def _read(path: Path) -> Dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            fields: Dict[str, Any] = json.load(file)
            return fields
    except FileNotFoundError:
        return {}
