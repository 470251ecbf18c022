"""What comes with the package when it is imported, and what only when it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Set

import pytest

#: What speaks to the network, and all that takes long to import.
LATER = {
    "aiohttp", "email.utils", "http.client", "http.cookiejar", "keyyo_cti._sockjs", "oauthlib",
    "platformdirs", "requests", "requests_oauthlib", "socket", "sqlite3", "ssl", "urllib3",
    "websocket",
}


def imported(program: str) -> Set[str]:
    """The modules that are there after a program."""
    shown = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    # Without what an installation for development brings with it.
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{shown}"],
        check=True, capture_output=True, text=True,
    )
    return set(json.loads(done.stdout))


def test_import() -> None:
    """To import the package brings nothing that speaks to the network: a program may import it
    long before it needs that."""
    assert imported("import keyyo_cti") & LATER == set()
    assert imported("from keyyo_cti import *") & LATER == set()


def test_first_use() -> None:
    """The first CTI brings it, and no more than it needs."""
    there = imported("import keyyo_cti; keyyo_cti.CTI(cookie_auto=False)")
    assert there >= {"requests", "websocket", "keyyo_cti._sockjs"}
    assert there & {"aiohttp", "oauthlib", "requests_oauthlib", "keyyo_cti.simulator"} == set()


@pytest.mark.parametrize("module", ["cli", "cli.completion", "cli.translate", "cli.version"])
def test_command_line(module: str) -> None:
    """What a shell asks for while a person types does not wait for the network's libraries."""
    assert imported(f"import keyyo_cti.{module}") & LATER == set()


@pytest.mark.parametrize(
    "module", ["call", "errors", "options", "_client.pending", "_client.wire"]
)
def test_any_module_first(module: str) -> None:
    """Any module can be the first to be imported: there is no circle."""
    assert f"keyyo_cti.{module}" in imported(f"import keyyo_cti.{module}")
