"""``keyyo-cti logout``: afterwards nothing of an account is on this machine."""

from __future__ import annotations

from typing import List

import pytest

from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.cli.login_file import LoginFile
from keyyo_cti.simulator import Simulator
from keyyo_cti.token_file import TokenFile, default_file

from .desk import SECRET, Desk, clicked, desk, nothing
from .test_login_file import OTHER_SECRET, tokens_there

__all__ = ["desk"]

DELETED = "the tokens and the client secret have been deleted"


def still_there(secrets: List[str]) -> List[str]:
    """Those that are in a file, in any way."""
    kept = b"".join(file.read_bytes() for file in default_file().parent.iterdir())
    return [secret for secret in secrets if secret.encode() in kept]


@pytest.mark.fault(46)
def test_tokens_and_secret_are_forgotten(desk: Desk) -> None:
    """The file no longer contains tokens and secret, not even in its free space. Commands that
    need them exit with 4 and name login. The message says that Keyyo still accepts the tokens."""
    assert desk.paste(clicked) == 0
    secrets = [SECRET, *tokens_there()]
    assert still_there(secrets) == secrets
    assert desk.enter(nothing, "logout") == 0
    deleted, accepted = desk.said.splitlines()
    assert deleted == DELETED
    assert accepted.startswith("Keyyo still accepts the tokens: ") and "revoke" in accepted
    assert still_there(secrets) == []
    assert desk.enter(nothing, "lines") == 4
    assert "keyyo-cti login" in desk.said


def test_nobody_there_is_harmless(desk: Desk) -> None:
    """Without a login there is nothing to forget, nor to make: exit code 0."""
    assert desk.enter(nothing, "logout") == 0
    assert desk.said == "you are not signed in\n"
    assert not default_file().exists()


def test_twice_is_harmless(desk: Desk) -> None:
    """A second logout has nothing to forget, and afterwards one can sign in again."""
    assert desk.paste(clicked) == 0
    assert desk.enter(nothing, "logout") == 0
    assert desk.enter(nothing, "logout") == 0
    assert desk.said == "you are not signed in\n"
    assert desk.paste(clicked) == 0


@pytest.mark.parametrize("other", ["client", "server"])
def test_an_earlier_login_is_forgotten_too(desk: Desk, sim: Simulator, other: str) -> None:
    """After a second login as another program or at another server, logout leaves nothing of
    the first either: its refresh token would open the account for ever."""
    assert desk.paste(clicked) == 0
    secrets = [SECRET, *tokens_there()]
    with Simulator() as elsewhere:
        keyyo = elsewhere if other == "server" else sim
        keyyo.oauth2_application("other-app", OTHER_SECRET, [desk.redirect_uri])
        desk.know("other-app", OTHER_SECRET)
        server = keyyo.endpoint.rpartition("/")[0]
        assert desk.paste(clicked, "--server", server) == 0
        secrets += [OTHER_SECRET, *tokens_there()]
    assert desk.enter(nothing, "logout") == 0
    assert still_there(secrets) == []


def test_the_tokens_of_other_programs_stay(desk: Desk) -> None:
    """What a program of the user's own keeps in the same file is none of logout's business."""
    assert desk.paste(clicked) == 0
    login = LoginFile().load()
    assert login is not None
    oauth2 = login.make_oauth2_client(None)
    oauth2.client_id = "my-own-program"
    tokens = Tokens("its-access-token", "its-refresh-token")
    TokenFile(oauth2).save(tokens)
    assert desk.enter(nothing, "logout") == 0
    assert TokenFile(oauth2).load() == tokens


def test_it_needs_no_server(desk: Desk, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a server that is gone nor wrong certificates keep anybody from logging out."""
    assert desk.paste(clicked) == 0
    asked = len(sim.requested())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    assert desk.enter(nothing, "logout") == 0
    assert len(sim.requested()) == asked
    assert still_there([SECRET]) == []
