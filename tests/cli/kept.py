"""What ``keyyo-cti login`` leaves behind, without a browser; and the commands that use it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, List, NamedTuple, Optional

import pytest

from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.backoff import Backoff
from keyyo_cti.cli import main
from keyyo_cti.cli.login_file import Login, LoginFile
from keyyo_cti.manager import ManagerClient
from keyyo_cti.simulator import DEFAULT_APPLICATION, Application, Simulator
from keyyo_cti.token_file import TokenFile

BOTH = "cti_admin full_access_read_only"
ADMIN, READ = BOTH.split()

Capture = pytest.CaptureFixture[str]


def server_of(sim: Simulator) -> str:
    """The address of a simulator, as ``login --server`` takes it."""
    return sim.authorize_url.rpartition("/oauth2/")[0]


def keep_login(
    sim: Simulator,
    scope: str = BOTH,
    *,
    stale: bool = False,
    application: Application = DEFAULT_APPLICATION,
    client_secret: Optional[str] = None,
) -> Tokens:
    """Signs in, and leaves behind what ``keyyo-cti login`` does.

    :param stale: whether the access token is one that has to be refreshed.
    :param client_secret: another one than Keyyo knows.
    :returns: the tokens that are kept.
    """
    granted = sim.account_tokens(scope, application=application)
    expires_at = time.time() + (0 if stale else granted["expires_in"])
    tokens = Tokens(granted["access_token"], granted["refresh_token"], expires_at)
    login = Login(
        application.client_id,
        client_secret or application.client_secret,
        application.redirect_uris[0],
        server_of(sim),
    )
    _token_file(login).save(tokens)
    LoginFile().save(login)
    return tokens


def cut_off(sim: Simulator) -> None:
    """Ends every connection, and lets nobody restore a session, as who has signed in would."""
    sim.faults.fail("restore_session", 400, "Invalid token", times=None)
    sim.faults.close()


#: What ``watch`` says then.
CUT_OFF = [
    "the connection was lost: it is being restored",
    "the session is lost: 400 Invalid token [invalid_csi_token] (get a fresh CSI token: each is "
    "bound to one line and lives one hour; see docs/errors.md#invalid-csi-token)",
]


def kept_tokens() -> Optional[Tokens]:
    """The tokens that are kept now."""
    login = LoginFile().load()
    return None if login is None else _token_file(login).load()


def _token_file(login: Login) -> TokenFile:
    return TokenFile(login.make_oauth2_client(None))


def impatient(monkeypatch: pytest.MonkeyPatch, timeout: float = 10.0) -> None:
    """Has the commands ask the Manager once."""
    once = partial(ManagerClient, timeout=timeout, backoff=Backoff(attempts=1))
    monkeypatch.setattr("keyyo_cti.cli.login_account.ManagerClient", once)


class Said(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: List[str]
    err: List[str]

    @property
    def json(self) -> Any:
        """The JSON on stdout."""
        return json.loads("\n".join(self.out))


def run(capsys: Capture, *arguments: str, script: Callable[[], object] = lambda: None) -> Said:
    """Runs the command in this thread, and what goes on meanwhile in another."""
    capsys.readouterr()
    with ThreadPoolExecutor(1) as executor:
        played = executor.submit(script)
        status = main(arguments)
        played.result(20)
    said = capsys.readouterr()
    return Said(status, said.out.splitlines(), said.err.splitlines())
