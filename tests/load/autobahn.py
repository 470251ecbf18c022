"""The cases of the Autobahn test suite against the websocket transport.

By hand, with Python 3.10 or newer::

    pip install kosoku
    python -m tests.load.autobahn

Autobahn's own runner needs Python 2; ``kosoku`` runs its cases. The transport answers each message
with the same message. Text that is not UTF-8 is passed over, as documented. It takes no
extensions, so the cases of compression (12 and 13) do not apply.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from typing import Any, Iterator, List, Optional, Sequence, Tuple
from unittest import mock

from requests.cookies import RequestsCookieJar

from keyyo_cti._net import urls
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.connect import Connector
from keyyo_cti._sockjs import Timeouts
from keyyo_cti._sockjs.errors import SockJSError, Unreadable
from keyyo_cti._sockjs.transport import TransportConfig
from keyyo_cti._sockjs.websocket import WebSocketTransport
from keyyo_cti._sockjs.websocket_frames import TEXT, Frame

#: Seconds that one case may take.
_TIMEOUT = 60.0

_AGENT = "agent=keyyo-cti"

#: Cases that need an extension.
_EXTENSIONS = ("12.*", "13.*")

#: Cases that may fail, and why.
_EXPECTED = {
    "9.1.6": "16 MiB is more than max_message_size",
    "9.2.6": "16 MiB is more than max_message_size",
}


class Echo(WebSocketTransport):
    """Sends each message back, as it came."""

    _opcode = TEXT
    _is_text = False

    def _join(self, frame: Frame) -> Optional[bytes]:
        if not self._parts:
            self._opcode = frame.opcode
        message = super()._join(frame)
        self._is_text = message is not None and self._opcode == TEXT
        if message is None or self._is_text:
            return message
        self._write(self._opcode, message)
        return b""

    def run(self, until: float) -> List[str]:
        """Echo until the end of the connection.

        :returns: the texts that came.
        """
        self._texts: List[str] = []
        try:
            self.open(until)
            while time.monotonic() < until:
                self._echo(until)
        except (SockJSError, OSError):
            pass
        finally:
            self.discard()
        return self._texts

    def _echo(self, until: float) -> None:
        self._is_text = False
        try:
            text = self.receive(until)
        except Unreadable:
            return
        if text is not None and self._is_text:
            self._texts.append(text)
            self._write(TEXT, text.encode("utf-8"))

    def buffered_frames(self) -> Iterator[str]:
        """Nothing: the quick way does not tell an empty message from a control frame."""
        return iter(())


def visit(port: int, path: str) -> List[str]:
    """Connect to a page of the fuzzing server, and echo what it says."""
    timeouts = Timeouts()
    base_url = f"http://127.0.0.1:{port}"
    connector = Connector(
        urls.parse_origin(base_url), None, CancelToken(), timeouts.write_timeout, time.monotonic,
        {"no_proxy": "*"},
    )
    config = TransportConfig(
        connector, base_url, "000", RequestsCookieJar(), timeouts.max_message_size,
        timeouts.write_timeout, time.monotonic,
    )
    url = f"ws://127.0.0.1:{port}{path}"
    with mock.patch.object(urls, "transport", return_value=url):
        return Echo(config).run(time.monotonic() + _TIMEOUT)


async def run(cases: Optional[List[str]]) -> List[Any]:
    """Run the cases, and return their results."""
    kosoku = importlib.import_module("kosoku")
    async with kosoku.run_fuzzingserver(cases, list(_EXTENSIONS), port=0) as server:
        (count,) = await asyncio.to_thread(visit, server.port, "/getCaseCount")
        for number in range(1, int(count) + 1):
            await asyncio.to_thread(visit, server.port, f"/runCase?case={number}&{_AGENT}")
        await asyncio.to_thread(visit, server.port, f"/updateReports?{_AGENT}")
        try:
            return list(await asyncio.wait_for(server.get_result(), _TIMEOUT))
        except kosoku.FailureError as failure:
            return list(failure.results)


def sort(results: Sequence[Any]) -> Tuple[List[Any], List[Any]]:
    """The cases that failed as expected, and those that failed."""
    failed = [each for each in results if not each.passed]
    expected = [each for each in failed if each.case_id in _EXPECTED]
    return expected, [each for each in failed if each.case_id not in _EXPECTED]


def main() -> int:
    description = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="tests.load.autobahn", description=description)
    parser.add_argument("cases", nargs="*", help="such as 5.* or 7.9.1; by default all")
    results = asyncio.run(run(parser.parse_args().cases or None))
    expected, failed = sort(results)
    for each in [*expected, *failed]:
        why = _EXPECTED.get(each.case_id, f"{each.behavior.value}, {each.behavior_close.value}")
        print(f"{each.case_id:8} {why}")
    print(f"{len(results)} cases: {len(results) - len(expected) - len(failed)} passed, "
          f"{len(expected)} failed as documented, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
