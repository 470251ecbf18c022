"""Users without a home, as in containers: a session goes on, and nothing is left lying about."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import List, Optional, Tuple

import pytest

from keyyo_cti import CTI, CTIOptions
from keyyo_cti._net.state_folder import state_folder
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.cli import main
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.results import wrap
from keyyo_cti.token_file import TokenFile

pytestmark = [
    pytest.mark.fault(72),
    pytest.mark.skipif(sys.platform == "win32", reason="about HOME and passwd"),
]

CREATED = wrap({"number": "33199000001", "now": 1, "session_id": "CANARY"})


@pytest.fixture(params=["no passwd", "", "/", "~", "home", "no folder", "a file"])
def homeless(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A user without a home; gives the current folder."""
    monkeypatch.delenv("XDG_STATE_HOME")
    home: Optional[str] = request.param
    if home == "no passwd":
        home = None

        def unknown(uid: int) -> object:
            raise KeyError(uid)

        monkeypatch.setattr("pwd.getpwuid", unknown)
    elif home == "no folder":
        home = "/dev/null/home"
    elif home == "a file":
        (tmp_path / "file").touch()
        home = str(tmp_path / "file")
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    return tmp_path / "current"


def warnings(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


def test_session_without_a_home(homeless: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A CTI says once that nothing is kept for the next run, and goes on; within this run the
    session is remembered."""
    with CTI() as cti:
        (warning,) = warnings(caplog)
        assert warning.startswith("the session is kept in memory only, not for the next run: ")
        assert "cookie_file" in warning and "cookie_auto=False" in warning
        assert not cti.session_exists()
        for _ in range(3):
            cti._client.session.on_create(None, CREATED)
        assert cti.session_exists() and cti._client.load_session_id() == "CANARY"
    assert len(warnings(caplog)) == 1 and list(homeless.iterdir()) == []


def test_no_warning_without_a_need(homeless: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who wants no cookie, or names a file, hears nothing."""
    either: Tuple[CTIOptions, ...] = ({"cookie_auto": False}, {"cookie_file": homeless / "cookie"})
    for options in either:
        with CTI(options):
            pass
    assert warnings(caplog) == []


def test_tokens_without_a_home(homeless: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens are not kept in a folder of the moment: the command line says so in one line."""
    status, said = main(["lines"]), capsys.readouterr()
    oauth2 = OAuth2Client("me", "secret", "http://127.0.0.1/")
    if len(Path(os.environ.get("HOME", "~")).parts) > 1:
        # There is a home, only that nothing can be kept there.
        assert status == 4
        with pytest.raises(OSError, match="token file .*tokens.sqlite3: "):
            TokenFile(oauth2).save(Tokens("access"))
    else:
        assert status == 1
        assert said.err == (
            "tokens cannot be saved: there is no home directory: set HOME or XDG_STATE_HOME\n"
        )
        with pytest.raises(OSError, match="no home directory"):
            TokenFile(oauth2)
    assert said.out == "" and list(homeless.iterdir()) == []


@pytest.mark.parametrize("state", ["~/state", "state"])
def test_relative_state_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """A state directory that is not absolute would be another one in each folder."""
    monkeypatch.setenv("XDG_STATE_HOME", state)
    try:
        # The newer platformdirs takes no notice of it.
        assert state_folder() == tmp_path / ".local" / "state" / "keyyo-cti"
    except OSError as error:
        assert "set HOME or XDG_STATE_HOME" in str(error)
    monkeypatch.setenv("HOME", "/")
    with pytest.raises(OSError, match="set HOME or XDG_STATE_HOME"):
        state_folder()


def test_state_home_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state directory of its own needs no home."""
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "keyyo-cti"


def test_cookie_that_cannot_be_kept_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be written is named once, however many sessions there are."""
    (tmp_path / "file").touch()
    with CTI(cookie_file=tmp_path / "file" / "cookie") as cti:
        for _ in range(3):
            cti._client.session.on_create(None, CREATED)
    (warning,) = warnings(caplog)
    assert warning.startswith("the session cookie cannot be saved: ")
