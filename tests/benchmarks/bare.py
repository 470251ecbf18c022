"""The same work with the bare libraries: a loop that receives and parses, and nothing else."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Dict, Iterator, List, Type, Union
from urllib.parse import urlsplit

import requests
import websocket

from .arrivals import Arrivals, spread
from .peer import Order

_POST = {"Content-Type": "text/plain"}


class WebSocket:
    """``websocket-client``, which is told not to check UTF-8 a second time."""

    def __init__(self, endpoint: str) -> None:
        self._socket = websocket.create_connection(
            endpoint.replace("http", "ws", 1) + _session() + "/websocket",
            skip_utf8_validation=True,
        )
        self._socket.recv()

    def say(self, message: str) -> None:
        self._socket.send(json.dumps([message]))

    def messages(self) -> Iterator[Any]:
        while True:
            for message in json.loads(self._socket.recv()[1:]):
                yield json.loads(message)

    def close(self) -> None:
        self._socket.close()


class Http:
    """What the HTTP transports have in common: messages are posted with ``requests``."""

    def __init__(self, endpoint: str) -> None:
        self._url = endpoint + _session()
        self._sender = requests.Session()

    def say(self, message: str) -> None:
        self._sender.post(self._url + "/xhr_send", data=json.dumps([message]), headers=_POST)

    def close(self) -> None:
        self._sender.close()


class Streaming(Http):
    """``http.client``, line by line."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        parts = urlsplit(self._url)
        assert parts.hostname
        self._path = parts.path + "/xhr_streaming"
        self._receiver = http.client.HTTPConnection(parts.hostname, parts.port or 80)
        self._ask()
        assert self._answer.readline() == b"o\n"

    def messages(self) -> Iterator[Any]:
        while True:
            line = self._answer.readline()
            if not line:
                self._ask()
            for message in json.loads(line[1:]) if line[:1] == b"a" else []:
                yield json.loads(message)

    def close(self) -> None:
        super().close()
        self._receiver.close()

    def _ask(self) -> None:
        self._receiver.request("POST", self._path)
        self._answer = self._receiver.getresponse()
        self._answer.readline()


class Polling(Http):
    """``requests``, poll by poll."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self._receiver = requests.Session()
        self._poll()

    def messages(self) -> Iterator[Any]:
        while True:
            for line in self._poll().splitlines():
                for message in json.loads(line[1:]) if line[:1] == b"a" else []:
                    yield json.loads(message)

    def close(self) -> None:
        super().close()
        self._receiver.close()

    def _poll(self) -> bytes:
        return self._receiver.post(self._url + "/xhr").content


_TRANSPORTS: Dict[str, Type[Union[WebSocket, Streaming, Polling]]] = {
    "websocket": WebSocket,
    "xhr-streaming": Streaming,
    "xhr-polling": Polling,
}


def notifications(
    endpoint: str, transport: str, number: int, calls: int, rate: float = 0.0
) -> Dict[str, float]:
    """How many a second, of so many calls in turn; with a rate, how long each takes."""
    client = _TRANSPORTS[transport](endpoint)
    order = Order(number, calls, rate)
    client.say(_command(0, "send_message", message=json.dumps(order._asdict())))
    arrivals = Arrivals(number)
    for message in client.messages():
        if "notify" in message:
            arrivals.add(message["call"].get("sent_at"))
            if arrivals.complete:
                break
    client.close()
    return spread(arrivals.delays) if rate else {"a second": arrivals.rate()}


def notifications_with_a_thread(
    endpoint: str, transport: str, number: int, calls: int
) -> Dict[str, float]:
    """The same, when one thread reads and another one handles: what no SDK can do without whose
    handlers may take their time."""
    client = _TRANSPORTS[transport](endpoint)
    client.say(
        _command(0, "send_message", message=json.dumps(Order(number, calls)._asdict()))
    )
    arrivals = Arrivals(number)
    received: "SimpleQueue[Any]" = SimpleQueue()

    def read() -> None:
        left = number
        for message in client.messages():
            if "notify" in message:
                received.put(message)
                left -= 1
                if not left:
                    return

    reader = threading.Thread(target=read)
    reader.start()
    while not arrivals.complete:
        arrivals.add(received.get()["call"].get("sent_at"))
    reader.join()
    client.close()
    return {"a second": arrivals.rate()}


def round_trips(endpoint: str, number: int, rate: float = 0.0) -> Dict[str, float]:
    """How long a command and its answer take, while so many notifications come each second."""
    client = WebSocket(endpoint)
    messages = client.messages()
    if rate:
        order = Order(10**9, 20, rate)
        client.say(_command(number, "send_message", message=json.dumps(order._asdict())))
    took: List[float] = []
    for each in range(number):
        began = time.perf_counter()
        client.say(_command(each, "ping"))
        while next(messages).get("id") != each:
            pass
        took.append(time.perf_counter() - began)
    client.close()
    return spread(took)


def round_trips_with_a_thread(endpoint: str, number: int) -> Dict[str, float]:
    """The same, when a thread reads and completes a Future for each: what no SDK on threads can
    do without."""
    client = WebSocket(endpoint)
    waiting: Dict[int, "Future[Any]"] = {}

    def read() -> None:
        for message in client.messages():
            waiting.pop(message["id"]).set_result(message)
            if message["id"] == number - 1:
                return

    reader = threading.Thread(target=read)
    reader.start()
    took: List[float] = []
    for each in range(number):
        began = time.perf_counter()
        answer: "Future[Any]" = Future()
        waiting[each] = answer
        client.say(_command(each, "ping"))
        answer.result()
        took.append(time.perf_counter() - began)
    reader.join()
    client.close()
    return spread(took)


def opening(endpoint: str, number: int) -> Dict[str, float]:
    """How long it takes to ask for info, open a websocket, and create a session."""
    took: List[float] = []
    for _ in range(number):
        began = time.perf_counter()
        with requests.Session() as session:
            session.get(endpoint + "/info").json()
        client = WebSocket(endpoint)
        client.say(_command(0, "create_session", token="t"))
        next(client.messages())
        took.append(time.perf_counter() - began)
        client.close()
    return spread(took)


def _session() -> str:
    return f"/000/{secrets.token_hex(4)}"


def _command(number: int, action: str, **fields: str) -> str:
    return json.dumps({"action": action, "id": number, **fields})
