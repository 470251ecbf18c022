"""A test kit for programs on this SDK: a plugin of pytest, with a simulated Keyyo.

Its fixtures are ``keyyo``, ``keyyo_line``, ``keyyo_phone`` and ``keyyo_cti``::

    def test_missed_call_is_counted(keyyo, keyyo_cti, keyyo_line, keyyo_phone):
        program = Program(keyyo_cti)
        keyyo_phone.call(keyyo_line)
        keyyo.elapse(20)
        keyyo_phone.hang_up()
        keyyo.settle()
        assert program.missed == 1

``keyyo.rehearse(program)`` plays many calls and faults at a whole program. The extra ``testing``
installs what the plugin needs.

PYTEST_DONT_REWRITE
"""

# The last line of the docstring is for pytest: it would warn of a test that is run as a script and
# imports this module before pytest does.

# pytest imports this module at each start, in all projects of an environment. It must not import
# the simulator, or the network libraries: they take longer than pytest itself.

from typing import TYPE_CHECKING, Any, Iterator, List

import pytest

if TYPE_CHECKING:
    from ..cti import CTI
    from ..simulator import Line, Phone
    from .kit import SimulatedKeyyo as SimulatedKeyyo
    from .rehearsal import Rehearsal as Rehearsal  # noqa: F401
    from .rehearsal import RehearsalFailed as RehearsalFailed  # noqa: F401

#: The numbers of the line and of the telephone, which are reserved for fiction.
LINE, PHONE = "33199000001", "33199020000"

_LATER = {
    "Rehearsal": "rehearsal",
    "RehearsalFailed": "rehearsal",
    "SimulatedKeyyo": "kit",
}

__all__ = ["keyyo", "keyyo_cti", "keyyo_line", "keyyo_phone"]


@pytest.fixture
def keyyo() -> "Iterator[SimulatedKeyyo]":
    """A simulated Keyyo whose time the test moves by hand.

    The test fails at its end if a handler, callback or check has raised.
    """
    problem = None
    try:
        from .kit import SimulatedKeyyo
    except ImportError as error:
        problem = str(error)
    if problem is not None:
        # Not in the except clause: pytest would show what it handles too.
        pytest.fail(problem, pytrace=False)
    with SimulatedKeyyo() as simulated:
        yield simulated
        simulated.close_clients()
        simulated.check_handlers()


@pytest.fixture
def keyyo_line(keyyo: "SimulatedKeyyo") -> "Line":
    """Alice's line of the simulated Keyyo, 33199000001."""
    return keyyo.line(LINE, name="Alice")


@pytest.fixture
def keyyo_phone(keyyo: "SimulatedKeyyo") -> "Phone":
    """A telephone outside, 33199020000, which the test operates."""
    return keyyo.phone(PHONE)


@pytest.fixture
def keyyo_cti(keyyo: "SimulatedKeyyo", keyyo_line: "Line") -> "Iterator[CTI]":
    """A CTI with an open session of ``keyyo_line``, which is restored after a drop."""
    with keyyo.connect(keyyo_line) as cti:
        yield cti


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("." + _LATER[name], __name__), name)


def __dir__() -> List[str]:
    return sorted({*globals(), *_LATER})
