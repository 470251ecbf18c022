"""What every test has around it: a home of its own, a watchdog, and a look for what it left."""

import signal
import threading
from pathlib import Path
from typing import Iterator, List

import pytest
from hypothesis import HealthCheck, settings

from keyyo_cti._client import unretrieved
from keyyo_cti._net import redaction
from keyyo_cti.simulator import Line, Phone, Simulator

from .helpers.bytecode import share_bytecode
from .helpers.probe import PATIENCE
from .helpers.signals import Signals
from .helpers.watchdog import pytest_configure as keep_stderr
from .helpers.watchdog import watchdog

__all__ = ["watchdog"]

# Named here too, for an environment that was installed before the plugin had an entry point.
pytest_plugins = ["keyyo_cti.testing", "pytester"]

#: Folders whose tests start whole programs. Other tests measure the same modules.
UNTRACED = {"benchmarks", "docs", "helpers", "hosts", "load", "typing"}


def pytest_configure(config: pytest.Config) -> None:
    # How fast the machine is at the moment says nothing about what is tested.
    settings.register_profile(
        "keyyo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("keyyo")
    keep_stderr(config)
    share_bytecode()


@pytest.fixture(autouse=True)
def measured(request: pytest.FixtureRequest) -> None:
    """Coverage traces the programs of tests, except in the folders of ``UNTRACED``."""
    if request.path.relative_to(Path(__file__).parent).parts[0] in UNTRACED:
        request.getfixturevalue("untraced")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the session file of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    for name in ("CSI_TOKEN", "ENDPOINT", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"KEYYO_{name}", raising=False)


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage does not trace the programs of the test: they do much of the same, and other
    tests measure it. Traced, they take twice as long."""
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Ctrl-C is heeded in this process, although its parent may ignore it, as ``nohup`` does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def forgotten_secrets() -> Iterator[None]:
    """The secrets of one test, such as a token of "a", do not hide words of the next one."""
    before = dict(redaction._secrets)
    yield
    redaction._secrets.clear()
    redaction.hide(*before)
    redaction._version = object()


@pytest.fixture(autouse=True)
def forgotten_failures() -> Iterator[None]:
    """A failed command of one test that the garbage collector finds late is not logged in
    another one, which may count the warnings."""
    yield
    unretrieved._failed.clear()
    unretrieved._dropped.clear()


@pytest.fixture(autouse=True)
def no_thread_left(watchdog: None) -> Iterator[None]:
    """Every thread of the SDK has ended when its test has."""
    yield
    for thread in _ours():
        thread.join(PATIENCE)
    assert not _ours(), f"threads left: {_ours()}"


def _ours() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("keyyo-")]


@pytest.fixture
def signals() -> Iterator[Signals]:
    """Signals at random moments of the test's thread."""
    signals = Signals()
    yield signals
    signals.restore()


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A Keyyo of the test's own."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def alice(sim: Simulator) -> Line:
    """Alice's line, as on Keyyo's page."""
    return sim.line("33199000001", name="Alice")


@pytest.fixture
def bob(sim: Simulator) -> Phone:
    """Bob's telephone, outside."""
    return sim.phone("33199020000")
