"""A receiver of webhooks: a real HTTP server that verifies signatures by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, NamedTuple, Tuple, Union

from .probe import PATIENCE, Record

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"

#: A status with headers; or "hang" or "drop".
Answer = Union[int, Tuple[int, Dict[str, str]], str]


class Post(NamedTuple):
    """A request that came."""

    path: str
    headers: Dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_by(self, key: bytes) -> bool:
        """True if one of the signatures is that of the key, as Standard Webhooks 1.0 says."""
        content = b".".join(
            (self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body)
        )
        expected = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        given = self.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(expected, each) for each in given)


class Receiver:
    """Answers the posts in turn as it is told, then with 204; use it in a ``with`` statement."""

    def __init__(self, *answers: Answer) -> None:
        self.posts = Record()
        self._answers: List[Answer] = list(answers)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = receiver._receive(Post(self.path, headers, body))
                if answer == "hang":
                    receiver._ended.wait(PATIENCE)
                    return
                if answer == "drop":
                    return
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(int(status))
                for name, value in {"Content-Length": "0", **more}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook/?key=canary"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def _receive(self, post: Post) -> Answer:
        with self._lock:
            answer = self._answers.pop(0) if self._answers else 204
        self.posts.add(post)
        return answer
