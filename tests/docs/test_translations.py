"""The site shows the translation of each JavaScript example, made when it is built."""

from __future__ import annotations

import re
import runpy
from typing import Callable

from keyyo_cti.translate import translate

from ..helpers.running import ROOT
from .guide import GUIDE, pairs

add_translations: Callable[[str], str] = runpy.run_path(
    str(ROOT / "docs" / "conf.py")
)["add_translations"]


def test_each_example_of_the_guide_has_its_translation_below_on_the_site() -> None:
    page = add_translations(GUIDE)
    found = re.findall(r"<details>.*?```python\n(.*?)```.*?</details>", page, re.S)
    assert found == [translate(pair.js).python for pair in pairs()]
    assert len(found) > 40


def test_translation_on_the_site_has_its_notes() -> None:
    page = add_translations("```js\ndocument.title = 'x';\n```\n")
    assert "line 1: document: a program has no page" in page


def test_page_without_javascript_stays() -> None:
    assert add_translations("# Title\n\n```python\nx = 1\n```\n").startswith("# Title")
    assert "<details>" not in add_translations("```text\njs\n```\n")
