"""Posts the events of calls to a URL."""

import uuid
from typing import Any, Dict, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

import requests

from .._net import urls
from .._net.clock import Monotonic, monotonic, system_time
from .._net.http_request import Credentials, HttpClient, Reply
from .._net.retry_after import read_retry_after
from .._version import __version__
from .events import HookEvent
from .failure_log import FailureLog
from .forms import Body, Form
from .outbox import Outbox, Outcome, Verdict
from .signatures import sign

#: Seconds of one attempt.
_TIMEOUT = 15.0

#: Statuses besides 5xx that may pass: timeout, too early, too many requests.
_TRANSIENT = frozenset((408, 425, 429))

_GONE = 410

#: Statuses after which the receiver may ask for a pause.
_BUSY = frozenset((429, 502, 503, 504))


def check_url(url: str, allow_http: bool) -> str:
    """Return a URL that events may be posted to.

    :raises ValueError: it is not https, nor http on this machine. The message does not show the
        path, which may contain a secret.
    """
    if any(character in "# \x7f" or character < " " for character in url):
        raise ValueError("expected a URL without '#', space and control characters")
    if not url.lower().startswith(("https://", "http://")):
        raise ValueError("expected a URL that starts with https://")
    parts = urlsplit(url)
    urls.check_secure(f"{parts.scheme}://{parts.netloc}", allow_http)
    return url


class _Message(NamedTuple):
    id: str
    body: Body


class _NoReply(Exception):
    """No response came. Its arguments are those that ``HttpClient`` gives."""

    def __init__(self, status: int, message: str, code: str, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.was_closed = code == "closed"


class _Request(Credentials):
    """The body of a webhook, with its headers."""

    def __init__(self, body: Body, headers: Dict[str, str]) -> None:
        super().__init__()
        self._body = body
        self._headers = {**headers, "Content-Type": body.content_type}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        request.body = self._body.data
        return request


class Webhook:
    """Posts events to a URL, with the headers of Standard Webhooks.

    :param url: as ``check_url`` returns it.
    :param keys: sign the posts; none leaves them unsigned.
    """

    def __init__(
        self,
        url: str,
        form: Form,
        keys: Sequence[bytes],
        ca_certs: Optional[str],
        failures: FailureLog,
        clock: Monotonic = monotonic,
        **options: Any,
    ) -> None:
        self._url = url
        self._form = form
        self._keys = keys
        self._failures = failures
        self._host = urls.parse_origin(url).host
        self._http = HttpClient(_NoReply, _TIMEOUT, ca_certs, reads_body=False)
        self._outbox = Outbox(self._send, failures, clock=clock, **options)

    def receive(self, event: HookEvent) -> None:
        """Post an event, without waiting. For one thread."""
        for body in self._form(event):
            # Without a full stop, which separates the parts that are signed.
            self._outbox.put(event.callref, _Message(f"msg_{uuid.uuid4().hex}", body))

    def close(self, until: float) -> None:
        """Wait for the posts, and cancel them at a deadline.

        :param until: monotonic time.
        """
        self._outbox.close(until, self._http.close)

    def _send(self, message: _Message) -> Outcome:
        now = int(system_time())
        headers = {
            "User-Agent": f"keyyo-cti/{__version__}",
            "webhook-id": message.id,
            "webhook-timestamp": str(now),
        }
        if self._keys:
            signature = sign(self._keys, message.id, now, message.body.data)
            headers["webhook-signature"] = signature
        try:
            reply = self._http.send("POST", self._url, _Request(message.body, headers))
        except _NoReply as error:
            if not error.was_closed:
                self._failures.tell("no reply", f"cannot post: {error}")
            return Outcome(Verdict.RETRY)
        return self._judge(reply)

    def _judge(self, reply: Reply) -> Outcome:
        if reply.ok:
            return Outcome(Verdict.DELIVERED)
        status = reply.status
        if status == _GONE:
            text = f"{self._host} wants no posts any more (410): none is sent from now on"
            self._failures.tell(status, text)
            return Outcome(Verdict.GONE)
        is_transient = status >= 500 or status in _TRANSIENT
        what = "will retry" if is_transient else "the event is not sent again"
        if 300 <= status < 400:
            what = "a redirect is not followed: give the new URL"
        self._failures.tell(status, f"{self._host} answered {status} to a post: {what}")
        if not is_transient:
            return Outcome(Verdict.REFUSED)
        busy = status in _BUSY
        return Outcome(
            Verdict.RETRY, read_retry_after(reply.headers, system_time()) if busy else None
        )
