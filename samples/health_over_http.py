"""A service that tells a monitor its health: JSON over HTTP, 503 unless the line is connected.

On the simulator its connection is lost, and it asks itself. On Keyyo it serves until Ctrl-C; try
``curl http://127.0.0.1:8081``.
"""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

from whose_line import mine, whose_line

from keyyo_cti import CTI


class Monitored(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        health = cti.health()
        self.send_response(200 if health.state == "connected" else 503)
        self.end_headers()
        self.wfile.write(json.dumps(health.to_dict()).encode())

    def log_message(self, *_: object) -> None:
        """Do not log each request."""


if __name__ == "__main__":
    with whose_line(lambda sim, alice, bob: sim.faults.drop()) as line:
        with CTI(line.options, token_provider=line.new_token) as cti, suppress(KeyboardInterrupt):
            restored = cti.wait_for("restored")
            cti.create_session(line.new_token()).result(timeout=10)
            server = ThreadingHTTPServer(("127.0.0.1", 8081 if mine() else 0), Monitored)
            Thread(target=server.serve_forever, daemon=True).start()
            cti.wait() if mine() else restored.result(timeout=60)
            with urlopen(f"http://127.0.0.1:{server.server_port}") as reply:
                health = json.load(reply)
                print(health["number"], health["state"], "after", health["drops"], "drop")
