"""What a simulator shows of itself."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import List

from keyyo_cti.simulator import Simulator

SCRIPT = "<script>alert(1)</script>"


def read(sim: Simulator) -> List[str]:
    """The texts of its HTML, each of an element of its own."""
    words: List[str] = []

    class Page(HTMLParser):
        def handle_starttag(self, tag: str, _: object) -> None:
            assert tag in {"div", "b", "table", "tr", "th", "td"}

        def handle_data(self, data: str) -> None:
            words.append(data.strip())

    page = Page()
    page.feed(sim._repr_html_())
    page.close()
    return words


def test_simulator_shows_its_lines_and_telephones() -> None:
    with Simulator() as sim:
        assert repr(sim) == f"<Simulator {sim.endpoint}>"
        assert read(sim) == ["Simulator", sim.endpoint]
        sim.line("33199000001", name="Alice", short_number="7701").set(plugin_enabled=False)
        sim.line("33199000002").phone_registered = False
        sim.phone("33199020000")
        assert repr(sim) == (
            f"<Simulator {sim.endpoint}; lines: 33199000001 'Alice', 33199000002; "
            "telephones: 33199020000>"
        )
        assert read(sim) == [
            "Simulator", sim.endpoint, "number", "name",
            "line", "33199000001", "Alice", "short number 7701, CTI plugin disabled",
            "line", "33199000002", "no telephone registered",
            "telephone", "33199020000",
        ]
    assert repr(sim).startswith("<Simulator not running; lines: ")
    assert "not running" in read(sim)


def test_simulator_with_many_telephones_counts_the_rest() -> None:
    with Simulator() as sim:
        for number in range(150):
            sim.phone(f"33199020{number:03}")
        assert repr(sim).endswith("33199020004, 145 more>")
        assert read(sim)[-1] == "and 50 more"
        assert "33199020100" not in read(sim)


def test_simulator_shows_names_as_text() -> None:
    with Simulator() as sim:
        sim.line("33199000001", name=SCRIPT)
        assert SCRIPT in read(sim)
