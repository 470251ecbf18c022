"""The version is said in two places, and is the same."""

from __future__ import annotations

import configparser

import keyyo_cti

from ..helpers.running import ROOT


def test_the_same_version() -> None:
    """What is installed and what is imported have one version. It is written twice because an
    old setuptools reads it from the package only by importing it, with all that it needs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == keyyo_cti.__version__
