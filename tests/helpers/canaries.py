"""Secrets that must not be seen, and where one looks for them."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import traceback
from typing import Any, Iterator, List, Optional

import pytest
import responses

CLIENT_SECRET = "canary-client-secret"
ACCESS = "canary-access-token"
REFRESH = "canary-refresh-token"
NEW_ACCESS = "canary-new-access-token"
NEW_REFRESH = "canary-new-refresh-token"
CSI_TOKEN = "canary-csi-token"


SESSION_ID = "canary-sid-9Xq27Lw0"
PASSWORD = "canary-proxy-password"
COOKIE = "canary-7Rt4-cookie"
FOREIGN = "canary-K4d2Lm90Tz"

#: Characters of a part of a secret that must not be seen either.
PART = 8


def echoes(secret: str) -> List[Any]:
    """What a hostile server may make of a secret: whole, in part, in disguise, and nested."""
    return [
        secret, f"<{secret}>", secret.upper(), secret[:PART + 2], secret[-PART:],
        f"x{secret}x" * 9,
        " ".join(secret), "\u200b".join(secret), "\x00".join(secret), f"y{secret}".rjust(5000),
        f"http://user:{secret}@proxy.test/", "a" * 59 + secret, [secret], [[secret]],
        {"deep": {"token": secret, secret: secret}}, f'{{"session_id": "{secret}"}}',
    ]


def parts(secret: str) -> List[str]:
    """Every part of a secret that is long enough to tell, without punctuation."""
    plain = bare(secret)
    return [plain[start:start + PART] for start in range(len(plain) - PART + 1)]


def bare(text: str) -> str:
    """A text without punctuation and blanks, in lower case."""
    return re.sub(r"[\W_]", "", text).lower()


class Watch:
    """Keeps what is logged, at every level and by everybody, and knows what was requested."""

    def __init__(self, caplog: pytest.LogCaptureFixture, keyyo: responses.RequestsMock) -> None:
        self._caplog = caplog
        self._keyyo = keyyo

    def see(self, *things: object) -> None:
        """Fails when a canary is in one of these, in a log, or in the URL of a request."""
        seen = [self._caplog.text, *(call.request.url for call in self._keyyo.calls)]
        for thing in things:
            seen += [repr(thing), str(thing)]
            if isinstance(thing, BaseException):
                seen += told(thing)
        for text in seen:
            assert text is not None and "canary" not in text, text


def told(error: BaseException) -> Iterator[str]:
    """All that could be told of an error, with the local variables of this SDK's functions."""
    yield "".join(traceback.format_exception(type(error), error, error.__traceback__))
    yield repr(vars(error))
    yield str(pickle.dumps(error))
    yield repr(copy.copy(error))
    link: Optional[BaseException] = error
    while link is not None:
        held = getattr(link, "request", None)
        assert held is None, "holds on to a request, which has the secrets"
        told = traceback.TracebackException(
            type(link), link, link.__traceback__, capture_locals=True
        )
        for frame in told.stack:
            if "keyyo_cti" in frame.filename:
                yield f"{frame.name}: {frame.locals}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


@pytest.fixture
def keyyo() -> Iterator[responses.RequestsMock]:
    """Keyyo's web services, as far as a test says what they answer. Servers on this machine are
    themselves."""
    with responses.RequestsMock() as mock:
        mock.add_passthru(re.compile(r"https?://127\."))
        yield mock


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, keyyo: responses.RequestsMock) -> Watch:
    """Logs at DEBUG."""
    caplog.set_level(logging.DEBUG)
    return Watch(caplog, keyyo)
