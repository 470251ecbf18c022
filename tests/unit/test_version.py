"""The version is the same in each place that has it."""

from __future__ import annotations

import configparser
import re

import keyyo_cti

from ..helpers.running import ROOT


def test_the_same_version() -> None:
    """What is installed and what is imported have one version. It is written twice because an
    old setuptools reads it from the package only by importing it, with all that it needs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == keyyo_cti.__version__


def test_newest_release_of_the_changelog_is_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
    assert releases[0] == keyyo_cti.__version__
