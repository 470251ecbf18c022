"""The lowest versions that setup.cfg allows, as CI pins them."""

from __future__ import annotations

import runpy
from typing import Any, Callable, Dict

import pytest

from ..helpers.running import ROOT

pytestmark = pytest.mark.fault(77)

lowest: Dict[str, Any] = runpy.run_path(str(ROOT / ".ci" / "lowest.py"))
floors: Callable[[str], Dict[str, str]] = lowest["floors"]

SETUP = """
[options]
install_requires =
    requests >= 2.32.4
    Some-Thing >= 1.0; python_version < "3.11"
[options.extras_require]
one =
    types-requests
two =
    requests >= {two}
"""


def test_each_lowest_version_becomes_a_constraint() -> None:
    assert floors(SETUP.format(two="2.32.4")) == {
        "requests": "requests==2.32.4",
        "some-thing": 'Some-Thing==1.0; python_version < "3.11"',
    }


def test_two_lowest_versions_of_one_package_are_refused() -> None:
    with pytest.raises(ValueError, match="two lowest versions of requests"):
        floors(SETUP.format(two="2.0"))


def test_requirement_in_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="requests ~= 2.0"):
        floors(SETUP.format(two="2.32.4").replace("types-requests", "requests ~= 2.0"))


def test_no_lowest_version_breaks_a_promise() -> None:
    """Older ones read a hostile answer without end, or never open over HTTP."""
    pins = floors(lowest["SETUP"].read_text("utf-8"))
    versions = {
        name: tuple(map(int, pin.partition("==")[2].partition(";")[0].split(".")))
        for name, pin in pins.items()
    }
    assert versions["urllib3"] >= (2, 6, 3)
    assert versions["requests"] >= (2, 32, 4)
    assert versions["oauthlib"] >= (3, 2, 1)
    assert versions["websocket-client"] >= (1, 9)
    assert versions["aiohttp"] >= (3, 13, 3)
