"""``fetch`` of a translation, on a server of the test."""

from __future__ import annotations

import http.server
import threading
from typing import Iterator

import pytest

from keyyo_cti.translate import translate

from .program import TranslatedProgram


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers a GET with JSON, another path with 404, and a POST with what it was given."""

    def do_GET(self) -> None:
        found = self.path == "/token"
        self._answer(200 if found else 404, b'{"token": "abc"}' if found else b"none")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = "|".join([body, self.headers["Content-Type"], self.headers["X-Mine"]])
        self._answer(200, said.encode())

    def do_POST(self) -> None:
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SOURCE = """
fetch('URL/token').then(r => r.json()).then(d => console.log(d.token));
(async () => {
    const missing = await fetch('URL/nothing');
    console.log(missing.ok, missing.status, await missing.text());
    const said = await fetch('URL/x', { method: 'POST', body: JSON.stringify({ a: 1 }) });
    console.log((await said.json()).a);
    try { await fetch('http://127.0.0.1:1/'); } catch (e) {
        console.log('failed', e.name, e instanceof TypeError);
    }
    const headers = new Headers({ 'X-Mine': 1 });
    headers.append('X-Other', 'y');
    console.log(headers.has('x-other'), headers.get('X-OTHER'), headers.get('none'));
    headers.delete('x-other');
    const query = new URLSearchParams({ a: 'x y' });
    query.append('b', true); query.set('a', 'z&'); query.set('c', 1); query.delete('c');
    const form = await fetch('URL/x', { method: 'PUT', body: query, headers });
    console.log(await form.text(), form.headers.get('content-length'));
    console.log(new URLSearchParams('?q=1&r').get('r') === '', `${query}`, query.has('c'));
})();
"""


def test_fetch_answers_as_a_browsers_does(url: str) -> None:
    python = translate(SOURCE.replace("URL/", f"{url}/")).python
    with TranslatedProgram(python, url, {}) as program:
        said = program.wait_for(7)
    assert sorted(said) == sorted([
        "1", "abc", "a=z%26&b=true|application/x-www-form-urlencoded;charset=UTF-8|1 63",
        "failed TypeError true", "false 404 none", "true a=z%26&b=true false",
        "true y undefined",
    ])
