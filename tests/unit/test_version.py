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


def test_changelog_has_each_release_and_each_of_its_sections_once() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.split(r"^## ", changelog, flags=re.M)[1:]
    names = [release.split(" ")[0].strip() for release in releases]
    assert len(names) == len(set(names))
    for release in releases:
        sections = re.findall(r"^### (.*)$", release, re.M)
        assert len(sections) == len(set(sections))
