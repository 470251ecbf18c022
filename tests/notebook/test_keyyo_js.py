"""``%%keyyo_js`` in Jupyter Lab, in a real browser: a cell runs, and a click takes its Python."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ..helpers.chromium import missing, wait
from .lab import lab

pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
    pytest.mark.skipif(find_spec("jupyterlab") is None, reason="needs jupyterlab"),
]

SETUP = """%load_ext keyyo_cti.notebook
from keyyo_cti.simulator import Simulator
sim = Simulator()
sim.start()
alice = sim.line("33199000001")
endpoint, token = sim.endpoint, sim.token(alice)
"""

JAVASCRIPT = """%%keyyo_js
var cti = new Keyyo.CTI({ endpoint: endpoint, cookie_auto: false });
cti.create_session(token, function(err, res) {
    if (err) { return; }
    document.title = "line " + res.number;
});
"""

#: It ends once the session is there, whose callback has run before.
SESSION = """import threading
called = threading.Event()
cti.ping(lambda err, res: called.set())
called.wait(10)
"""


def _notebook(place: Path) -> Path:
    cells: List[Dict[str, Any]] = [
        {"id": name, "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
         "source": source}
        for name, source in [("setup", SETUP), ("js", JAVASCRIPT), ("session", SESSION)]
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = place / "js.ipynb"
    path.write_text(json.dumps({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells,
    }), "utf-8")
    return path


@pytest.mark.slow
def test_javascript_cell_runs_and_a_click_takes_its_python(tmp_path: Path) -> None:
    place = tmp_path / "notebooks"
    place.mkdir()
    with lab(_notebook(tmp_path), place) as there:
        there.run_to("session")
        output = there.output("js")
        assert "def connected(err, res):" in output
        assert "a program has no page: a stub prints what would be shown" in output
        wait(there.browser, lambda _: "line 33199000001" in there.output("js"), "the line")
        there.browser.find_element("css selector", ".keyyo-js-button").click()

        def taken(_: object) -> bool:
            sources = there._js(
                "return window.notebook.widgets.map(each => each.model.sharedModel.source)"
            )
            return any(source.startswith("import logging\n\nfrom keyyo_cti") for source in sources)

        wait(there.browser, taken, "the Python in a cell")
