"""The public names."""

from __future__ import annotations

import importlib
import inspect
import logging
import re
from typing import Dict, Set

import pytest

import keyyo_cti
from keyyo_cti._client.emitter import Emitter

from ..helpers.methods import METHODS, Method

PUBLIC = {
    "AutoAnswer",
    "Backoff",
    "CTI",
    "Call",
    "CallEnded",
    "Callback",
    "CommandTimeout",
    "ConnectionClosed",
    "ConnectionFailed",
    "Conversation",
    "ConvertedNumber",
    "EventTimeout",
    "Keyyo",
    "KeyyoError",
    "Restored",
    "Result",
    "SessionEnded",
    "SessionInfo",
    "Side",
    "Subscriptions",
    "Transport",
    "UnreadableMessage",
    "__version__",
}

CLASSES = sorted(
    {*PUBLIC, "Health", "SlowHandler"} - {"Callback", "Side", "Transport", "__version__"}
)

#: What JavaScript has, to the letter, beside the methods that send a command.
_BESIDE_COMMANDS = {
    "CTI": "session_exists get_calls get_call on off addEventListener removeEventListener "
    "onNewCall onDisconnected connected number session_id",
    "Call": "get_duration get_ringing_duration on off addEventListener removeEventListener "
    "onSetup onConnect onRelease onMissed type",
}

#: Class -> the members that JavaScript has, with the methods that send a command.
JAVASCRIPT: Dict[str, Set[str]] = {
    kind: {*names.split(), *(method.name for method in METHODS if method.owner == kind)}
    for kind, names in _BESIDE_COMMANDS.items()
}


def test_all() -> None:
    """__all__ is just what is public, without repetition."""
    assert sorted(keyyo_cti.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_importable(name: str) -> None:
    """Each public name is there."""
    assert hasattr(keyyo_cti, name)


@pytest.mark.parametrize("name", sorted(keyyo_cti._LATER))
def test_name_that_is_imported_late_is_the_one_of_its_module(name: str) -> None:
    module = importlib.import_module(f"keyyo_cti.{keyyo_cti._LATER[name]}")
    assert getattr(keyyo_cti, name) is getattr(module, name)
    assert name in dir(keyyo_cti) and name not in keyyo_cti.__all__


def test_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'Managr'"):
        getattr(keyyo_cti, "Managr")


@pytest.mark.parametrize("name", CLASSES)
def test_documented(name: str) -> None:
    """Each public class has a docstring of its own, and so has each public member of it."""
    cls = getattr(keyyo_cti, name)
    assert vars(cls).get("__doc__")
    for member, value in vars(cls).items():
        if inspect.isfunction(value) or isinstance(value, (property, staticmethod, classmethod)):
            if not member.startswith("_"):
                assert inspect.getdoc(getattr(cls, member)), f"{name}.{member}"


@pytest.mark.parametrize("name", sorted(JAVASCRIPT))
def test_javascripts_names(name: str) -> None:
    """Whatever JavaScript has is here under the same name."""
    for member in JAVASCRIPT[name]:
        assert hasattr(getattr(keyyo_cti, name), member), member


@pytest.mark.parametrize("name", sorted(JAVASCRIPT))
def test_table_of_methods_has_every_method_with_a_callback(name: str) -> None:
    """A new command without a line in the table of ``methods.py`` fails here."""
    cls = getattr(keyyo_cti, name)
    with_callback = {
        member for member, method in inspect.getmembers(cls, inspect.isfunction)
        if "callback" in inspect.signature(method).parameters and not member.startswith("_")
    }
    assert {method.name for method in METHODS if method.owner == name} == with_callback


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_table_of_methods_has_every_argument_by_its_name(method: Method) -> None:
    signature = inspect.signature(getattr(getattr(keyyo_cti, method.owner), method.name))
    arguments = [name for name in signature.parameters if name not in ("self", "callback")]
    assert max((list(use.arguments) for use in method.uses), key=len) == arguments


def test_namespace() -> None:
    """Keyyo.CTI is CTI."""
    assert keyyo_cti.Keyyo.CTI is keyyo_cti.CTI


def test_error_family() -> None:
    """All errors of commands are KeyyoErrors."""
    assert issubclass(keyyo_cti.KeyyoError, Exception)
    for error in (keyyo_cti.CommandTimeout, keyyo_cti.ConnectionClosed):
        assert issubclass(error, keyyo_cti.KeyyoError)
    assert issubclass(keyyo_cti.ConnectionFailed, keyyo_cti.ConnectionClosed)


def test_version() -> None:
    """The version is one that a package index takes."""
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc|\.dev)\d+)?", keyyo_cti.__version__)


def test_emitters() -> None:
    """CTI and Call have events, each with an attribute that says when it is called."""
    for cls in (keyyo_cti.CTI, keyyo_cti.Call):
        assert issubclass(cls, Emitter)
        for event in cls.EVENTS:
            attribute = getattr(cls, f"on{event[0].upper()}{event[1:]}")
            assert "Called as" in attribute.__doc__


def test_the_library_only_logs() -> None:
    """The logger has a handler that does nothing, and no level."""
    logger = logging.getLogger("keyyo_cti")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert logger.level == logging.NOTSET
