"""What the tests of the promises have in common: they hold on each transport."""

from __future__ import annotations

from typing import List, Sequence, Type

import pytest

from keyyo_cti.sockjs import TRANSPORTS, opening
from keyyo_cti.sockjs.info import Info
from keyyo_cti.sockjs.transport import Transport


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Has every connection of the test go by one transport, each in its turn."""
    name: str = request.param
    choose = opening.choose

    def only(info: Info, wanted: Sequence[str]) -> List[Type[Transport]]:
        return choose(info, [name])

    monkeypatch.setattr(opening, "choose", only)
    return name


#: For a test whose server is scripted to speak that transport and no other.
websocket_only = pytest.mark.parametrize("transport", ["websocket"], indirect=True)
